"""docs/whole-searches.md and its picture, made of the searches of benchmarks/whole_searches.py and of their scores.

`python -m benchmarks.whole_searches_page` writes both; the picture is taken in the browser that tests use.
"""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from benchmarks import whole_search_scores, whole_searches
from benchmarks.growing_file import Line, read_lines
from benchmarks.page import ROOT
from benchmarks.whole_search_scores import TRAININGS
from benchmarks.whole_searches import MARKS, METHODS, SEEDS
from search_engine.architectures.reading import architecture_from_json
from search_engine.run_groups import Spread, difference, spread

PAGE, PICTURE = ROOT / "docs/whole-searches.md", ROOT / "docs/images/whole-searches.png"
REACHED = (0.84, 0.85, 0.86)  # Accuracies.
SIZE = {"width": 900, "height": 460}
COLOURS = ("#0b6477", "#b3541e", "#5b4b8a", "#6b7280", "#3f7d20")
_HEAD = """# Whole searches, side by side

Four methods, and one variant, search for the same ten minutes of one core: cells for Fashion-MNIST at 14 pixels, with
the settings of **Coffee** and of the shared-weights demo. At the moments below each shows the best it has found so
far. That architecture is trained from scratch by one recipe for all, {trainings} times, and scored on 6,000 images that
the search has not seen: its score is the mean. Each method ran with {seeds} seeds. Seconds are CPU time: what else the
computer does does not count.

![Accuracy of the best so far, by method, over ten minutes of search](images/whole-searches.png)

The bands are 95 % intervals of the mean over seeds.

| accuracy after | {marks} |
|---|{lines}
"""
_REACHED = """
## How long until

The median, over seeds, of the first of those moments at which the best so far scored this much; and how many seeds
came so far.

| method | {reached} |
|---|{lines}
"""
_DIFFERENCES = """
## Against random search

Mean accuracy at the end minus that of random search, in points. Whole searches are permuted; with {seeds} of each
a difference must be large to be told from chance.

| method | difference | |
|---|---|---|
"""
_TAIL = """
## Repeat it

    python -m benchmarks.whole_searches         # Searches what is missing, ten minutes of a core each.
    python -m benchmarks.whole_search_scores    # Trains what they found, some twelve seconds each.
    python -m benchmarks.whole_searches_page    # Writes this page.

One search of each, in the terminal, ends where its budget ends and not after ten minutes:

    python -m search_engine search coffee --out FOLDER
    python -m search_engine search enas-micro-demo --out FOLDER

and with `strategy.kind` set to `evolution` or `random` in a file of settings, which `search` takes in the place of
the name.
"""

Scores = Mapping[str, Sequence[Mapping[str, float]]]  # By method: of each seed the score at each mark.


def scores_of(searches: Sequence[Line], trainings: Sequence[Line]) -> Scores:
    """The lines of both files. Each architecture's score is the mean of its TRAININGS; every one must be there."""
    accuracies: dict[tuple[int, str], list[float]] = defaultdict(list)
    for line in trainings:
        accuracies[line["seed"], line["hash"]].append(line["accuracy"])
    found: dict[str, list[dict[str, float]]] = {method: [] for method in METHODS}
    for line in searches:
        scores: dict[str, float] = {}
        for mark, best in line["best"].items():
            trained = accuracies[line["seed"], architecture_from_json(best["architecture"]).hash]
            assert len(trained) == TRAININGS, "scores are missing: python -m benchmarks.whole_search_scores"
            scores[mark] = statistics.fmean(trained)
        found[line["method"]].append(scores)
    return {method: seeds for method, seeds in found.items() if seeds}


def page(scores: Scores) -> str:
    marks = " | ".join(f"{mark} s" for mark in MARKS)
    reached = " | ".join(f"{100 * each:.0f} %" for each in REACHED)
    return "".join(
        (
            _HEAD.format(seeds=SEEDS, trainings=TRAININGS, marks=marks, lines="---|" * len(MARKS)),
            *(f"| {method} | " + " | ".join(_mean(seeds, mark) for mark in MARKS) + " |\n"
              for method, seeds in scores.items()),
            _REACHED.format(reached=reached, lines="---|" * len(REACHED)),
            *(f"| {method} | " + " | ".join(_until(seeds, each) for each in REACHED) + " |\n"
              for method, seeds in scores.items()),
            _DIFFERENCES.format(seeds=SEEDS),
            *(_against(method, seeds, scores[RANDOM]) for method, seeds in scores.items() if method != RANDOM),
            _TAIL,
        )
    )  # fmt: skip


RANDOM = "random search"


def at(seeds: Sequence[Mapping[str, float]], mark: int) -> Spread | None:
    """The mean over the seeds that had found something by then."""
    values = [scores[str(mark)] for scores in seeds if str(mark) in scores]
    return spread(values, is_share=True) if values else None


def _mean(seeds: Sequence[Mapping[str, float]], mark: int) -> str:
    found = at(seeds, mark)
    if found is None:
        return "nothing yet"
    half = "" if found.low is None else f" ± {100 * (found.mean - found.low):.1f}"
    missing = "" if found.runs == len(seeds) else f", {found.runs} of {len(seeds)}"
    return f"{100 * found.mean:.1f}{half}{missing}"


def _until(seeds: Sequence[Mapping[str, float]], accuracy: float) -> str:
    firsts = [next((mark for mark in MARKS if scores.get(str(mark), 0.0) >= accuracy), None) for scores in seeds]
    there = [first for first in firsts if first is not None]
    return f"{statistics.median(there):.0f} s, {len(there)} of {len(seeds)}" if there else f"none of {len(seeds)}"


def _against(method: str, ours: Sequence[Mapping[str, float]], theirs: Sequence[Mapping[str, float]]) -> str:
    last = str(MARKS[-1])
    found = difference([100 * each[last] for each in ours], [100 * each[last] for each in theirs])
    chance = "" if found.p is None else f", p = {found.p:.3f}"
    return f"| {method} | {found.value:+.2f} | {found.verdict}{chance} |\n"


def figure(scores: Scores) -> go.Figure:
    """A line and its band for each method."""
    drawn = go.Figure(layout={"template": "plotly_white", "margin": {"l": 60, "r": 20, "t": 20, "b": 50},
                              "legend": {"x": 0.99, "y": 0.02, "xanchor": "right", "yanchor": "bottom"}})  # fmt: skip
    for (method, seeds), colour in zip(scores.items(), COLOURS, strict=False):
        spreads = [(mark, found) for mark in MARKS if (found := at(seeds, mark)) is not None]
        x, means = [mark for mark, _ in spreads], [100 * found.mean for _, found in spreads]
        low = [100 * (found.mean if found.low is None else found.low) for _, found in spreads]
        high = [100 * (found.mean if found.high is None else found.high) for _, found in spreads]
        band: dict[str, Any] = {"mode": "lines", "line": {"width": 0}, "showlegend": False, "hoverinfo": "skip"}
        drawn.add_scatter(x=x, y=low, **band)
        drawn.add_scatter(x=x, y=high, fill="tonexty", fillcolor=_faint(colour), **band)
        drawn.add_scatter(x=x, y=means, mode="lines+markers", line={"color": colour, "width": 2}, name=method)
    drawn.update_xaxes(title_text="seconds of one core", tickvals=list(MARKS))
    drawn.update_yaxes(title_text="accuracy of the best so far, trained from scratch, %")
    return drawn


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.12)"


def take_picture(drawn: go.Figure, file: Path) -> None:
    from playwright.sync_api import sync_playwright

    from tests.browser.find_browser import FLAGS, chromium_path

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        shown = browser.new_page(viewport={"width": SIZE["width"], "height": SIZE["height"]})
        shown.set_content(drawn.update_layout(**SIZE).to_html(include_plotlyjs=True, config={"staticPlot": True}))
        shown.wait_for_selector(".legend")
        shown.locator(".plot-container").screenshot(path=file)
        browser.close()


if __name__ == "__main__":
    scored = scores_of(read_lines(whole_searches.FILE), read_lines(whole_search_scores.FILE))
    PAGE.write_text(page(scored))
    take_picture(figure(scored), PICTURE)
