"""docs/benchmarks.md, made of what `make bench` measured last: benchmarks/data/figures.json keeps every part's figures.

A part that is run alone replaces its own figures and leaves the others as they were measured; each says when, at which
commit and on which machine.
"""

import datetime
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
FIGURES, PAGE = ROOT / "benchmarks/data/figures.json", ROOT / "docs/benchmarks.md"
_PACKAGES = ("torch", "django", "celery", "channels")
_HEAD = """# Benchmarks

Every figure that the program promises, as `make bench` measured it. Ratios are taken side by side in one run; single
times depend on the machine and on what else it does. What is missed is said to be.
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. wanted: the bound in words; met: whether it holds."""

    name: str
    wanted: str
    measured: str
    met: bool


@dataclass(frozen=True, slots=True)
class Title:
    """Of a part, on the page. sentence: what is compared, and how."""

    title: str
    sentence: str


def keep(part: str, figures: Sequence[Figure]) -> None:
    """The figures of this part, in the place of its earlier ones."""
    kept = _kept() | {part: _conditions() | {"figures": [asdict(figure) for figure in figures]}}
    FIGURES.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def write(titles: Mapping[str, Title]) -> None:
    """docs/benchmarks.md with all parts that were ever measured, in the order of the titles."""
    PAGE.write_text(page(titles))


def page(titles: Mapping[str, Title]) -> str:
    kept = _kept()
    return _HEAD + "".join(_section(name, title, kept[name]) for name, title in titles.items() if name in kept)


def _section(name: str, title: Title, part: Mapping[str, Any]) -> str:
    rows = "".join(
        f"| {_cell(each['name'])} | {_cell(each['wanted'])} | {_cell(each['measured'])} | "
        f"{'' if each['met'] else '**missed**'} |\n"
        for each in part["figures"]
    )
    return (
        f"\n## {title.title}\n\n{title.sentence}\n\n| figure | wanted | measured | |\n|---|---|---|---|\n{rows}\n"
        f"`python -m benchmarks {name}`, {part['date']}, commit {part['commit']}; {part['machine']}; "
        f"{part['versions']}.\n"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _kept() -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    return kept


def _conditions() -> dict[str, str]:
    gigabytes = psutil.virtual_memory().total / 2**30
    packages = ", ".join(f"{package} {version(package).split('+')[0]}" for package in _PACKAGES)
    return {
        "date": datetime.date.today().isoformat(),
        "commit": _commit(),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {gigabytes:.0f} GiB",
        "versions": f"Python {platform.python_version()}, {packages}",
    }


def _commit() -> str:
    """Its short name; with "-dirty" where anything but what a benchmark writes was changed since."""
    changed = _git(
        "status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/data", ":!docs/benchmarks.md"
    )
    return (_git("rev-parse", "--short", "HEAD") or "unknown") + ("-dirty" if changed else "")


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout.strip()


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
