"""docs/settings.md, made from deploy/.env.example, the one list of settings; `python -m webapp.docs.settings_page`."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIST, PAGE = ROOT / "deploy/.env.example", ROOT / "docs/settings.md"
_HEAD = """# Settings

Every setting is a variable of the environment. One machine needs none of them. An empty one counts as not set. What
cannot be understood keeps the program from starting, with one sentence that says why.

| setting | default | meaning |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """default: as it would be written; "" where the meaning says what holds then."""

    name: str
    default: str
    meaning: str


def listed() -> list[Setting]:
    """In the order of the list: comments above a variable, or above several that belong together, are its meaning."""
    found = []
    for paragraph in LIST.read_text().strip().split("\n\n")[1:]:
        meaning: list[str] = []
        is_said = False  # By a comment that a variable already stands under.
        for line in paragraph.splitlines():
            if line.startswith("#"):
                meaning = [*([] if is_said else meaning), line.lstrip("# ")]
                is_said = False
            else:
                name, _, default = line.partition("=")
                found.append(Setting(name, default, " ".join(meaning)))
                is_said = True
    return found


def page() -> str:
    return _HEAD + "".join(
        f"| `{each.name}` | {f'`{each.default}`' if each.default else ''} | {_in_a_cell(each.meaning)} |\n"
        for each in listed()
    )


def _in_a_cell(text: str) -> str:
    """Addresses and patterns as code, so that nothing in them becomes a link or an end of the cell."""
    return re.sub(r"(\S+://[^\s,;]*[^\s,;.])", r"`\1`", text).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page())
