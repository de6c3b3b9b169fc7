"""The version of this program, as files and rows that it makes name it."""

from pathlib import Path

CHANGES = Path(__file__).resolve().parent.parent / "CHANGELOG.md"


def code_version() -> str:
    """The first heading of the change log names the version."""
    for line in CHANGES.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            return line.removeprefix("## ").split()[0]
    raise RuntimeError("CHANGELOG.md names no version: it needs a heading such as '## 0.1.0'.")
