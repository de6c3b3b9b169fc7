"""The trust report: what `make faults` did, how often, and what held, from the lines it wrote.

`python -m tests.faults.report LINES [LINES ...] > docs/trust.md`. Nothing is in it that is not in the lines.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.campaigns.campaign import CAMPAIGNS, Campaign
from tests.faults.campaigns.one import prepared

Line = dict[str, Any]
HEAD = """# What was done to it, and what held

`make faults` does harm to the program and looks whether anything was lost. Every campaign has a seed. Where searches
run, a checker ends every run: one accepted result per child, gapless event numbers, state equal to the log, no row
without its file nor file without its row, no lease without an owner, no process left.

`make faults SIZE=large OUT=LINES` makes the lines, `python -m tests.faults.report LINES > docs/trust.md` this page.
"""


def main(files: list[str]) -> None:
    lines = [json.loads(text) for file in files for text in Path(file).read_text(encoding="utf-8").splitlines() if text]
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        for name in CAMPAIGNS:
            of_it = [line for line in lines if line["campaign"] == name]
            if of_it:
                print("\n".join(section(name, prepared(name, Path(folder) / name), of_it)))


def section(name: str, campaign: Campaign, lines: list[Line]) -> Iterator[str]:
    """One campaign over all its lines."""
    made = [line for line in lines if line["skipped"] is None]
    bad = [line for line in made if line["problems"]]
    yield f"## {name.capitalize()}\n"
    yield f"{campaign.harm}\n"
    yield f"*Wanted*: {campaign.holds}\n"
    if any(line["size"] == "small" for line in made):
        yield "*Small size*: a few of each, shorter absences, and what is wanted in seconds is **not judged**.\n"
    if made:
        held = "held" if not bad else f"**did not hold in {len(bad)} of {len(made)} runs**"
        times = "once" if len(made) == 1 else f"{len(made)} runs"
        yield f"*Found*: it {held}; {times}, in {_minutes(sum(line['seconds'] for line in made))}.\n"
    yield from (f"- not run here, {line['what']}: {line['skipped']}" for line in lines if line["skipped"] is not None)
    yield from (f"- {line['what']}, seed {line['seed']}: {problem}" for line in bad for problem in line["problems"])
    yield from (f"- {what}: {figure}" for what, figure in figures(made).items())
    yield f"\n{_where(lines)}\n"


def figures(lines: list[Line]) -> dict[str, str]:
    """Whole numbers are counts and are added up; others were measured and are given from smallest to largest."""
    values: dict[str, list[Any]] = {}
    for line in lines:
        for what, value in line["counts"].items():
            values.setdefault(what, []).append(value)
    return {what: _together(found) for what, found in values.items()}


def _together(found: list[Any]) -> str:
    if all(isinstance(value, int) for value in found):
        return f"{sum(found):,}"
    if all(isinstance(value, int | float) for value in found):
        low, high = min(found), max(found)
        return f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return ", ".join(dict.fromkeys(str(value) for value in found))


def _where(lines: list[Line]) -> str:
    """Seeds, sizes, commits and machines."""
    sizes = ", ".join(sorted({line["size"] for line in lines}))
    seeds = sorted({line["seed"] for line in lines})
    told = f"{seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} from {seeds[0]} to {seeds[-1]}"
    commits = ", ".join(sorted({line["commit"] for line in lines}))
    machines = {
        f"{m['system']} on {m['processor']}, {m['cores']} cores, {m['memory_gb']} GB, Python {m['python']}, load"
        f" {m['load']} at the start"
        for m in (line["machine"] for line in lines)
    }
    return f"Size {sizes}; seed {told}; commit {commits}; {'; '.join(sorted(machines))}."


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


if __name__ == "__main__":
    main(sys.argv[1:])
