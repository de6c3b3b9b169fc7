"""Any number of searches and trainings side by side: what belongs together, what may be compared, and what differs.

Rewards of different meaning are never put in one chart: everything falls into families of one measure on one data set.
Within a family a line is one stream, or the streams of a group that differ in their seed alone.
"""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from search_engine import run_groups
from search_engine.config.search import SearchConfig
from search_engine.config.searches import read_search_config
from search_engine.config.trainings import read_training_config, reads_text
from search_engine.errors import ConfigError
from search_engine.run_groups import Spread
from webapp.searches.comparison import comparable
from webapp.searches.curves import Curves, Points, curves_of_search, curves_of_training
from webapp.searches.datasets.described import describe
from webapp.searches.groups import STRATEGY_TITLES
from webapp.searches.models import Group, Search, Stream, Training
from webapp.searches.steering import done_by_people

MOST_STREAMS = 60
GRID = 80  # Points of a mean over seeds.
ALL_PAIRS = 4  # Up to so many lines every pair is compared, beyond it each with the first.
OF_SHARED = (
    "Scores come from weights that many architectures share, and each search has its own: they tell how one search "
    "goes, and only trainings from scratch tell which network is better."
)
TRAINED_DIFFERENTLY = (
    "The children of these searches were trained in different ways (see Settings), so a difference between rewards may "
    "come from the training and not from the search."
)
MeanPoints = tuple[tuple[float, float, float | None, float | None], ...]  # x, mean, low, high.


@dataclass(frozen=True, slots=True)
class Run:
    """One stream of a line. seed: of its settings; strategy: "" for a training."""

    stream: Stream
    strategy: str
    seed: int
    curves: Curves


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is drawn as one: a stream, or streams of a group that differ in their seed alone.

    best, late: over the runs (of trainings best is the figure on the test images); None where there is nothing yet.
    means, bests...: over seeds, only of several runs; curves of a single run are its own.
    """

    key: str
    name: str
    group: Group | None
    runs: tuple[Run, ...]
    best: Spread | None
    late: Spread | None
    over_seeds: dict[str, MeanPoints]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Lines whose figures mean the same. kind: "children", "shared", "training" or "text"."""

    kind: str
    title: str
    remark: str
    is_share: bool
    lines: tuple[Line, ...]
    sentences: tuple[str, ...]


def chosen_streams(user: Any, ids: Iterable[uuid.UUID]) -> list[Stream]:
    """The streams of these ids, and the members of the groups of these ids, that this user owns, in that order."""
    wanted = list(dict.fromkeys(ids))
    streams: dict[uuid.UUID, Stream] = {}
    found = Stream.objects.visible_to(user).exclude(state=Stream.State.DELETING).select_related("group")
    singles = {each.pk: each for each in found.filter(pk__in=wanted)}
    groups: dict[uuid.UUID | None, list[Stream]] = {}
    for each in found.filter(group_id__in=wanted).order_by("created", "pk"):
        groups.setdefault(each.group_id, []).append(each)
    for key in wanted:
        for each in [singles[key]] if key in singles else groups.get(key, ()):
            streams.setdefault(each.pk, each)
    return list(streams.values())[:MOST_STREAMS]


def families_of(streams: Sequence[Stream], whole_groups: frozenset[uuid.UUID]) -> list[Family]:
    """whole_groups: whose members stand together as lines over seeds; the others stand for themselves."""
    searches = {each.pk: each for each in Search.objects.filter(pk__in=[stream.pk for stream in streams])}
    trainings = {each.pk: each for each in Training.objects.filter(pk__in=[stream.pk for stream in streams])}
    by_measure: dict[tuple[str, ...], list[tuple[str, Run]]] = {}
    for stream in streams:
        row = searches.get(stream.pk) or trainings[stream.pk]
        is_whole = stream.group_id in whole_groups and isinstance(row, Search)
        line = f"{stream.group_id} {_but_for_the_seed(row.config)}" if is_whole else str(stream.pk)
        by_measure.setdefault(_measure(row), []).append((line, _run(stream, row)))
    return [_family(measure, runs, whole_groups) for measure, runs in by_measure.items()]


def _run(stream: Stream, row: Search | Training) -> Run:
    seed = row.config["reproducibility"]["seed"]
    if isinstance(row, Search):
        return Run(row, row.config["strategy"]["kind"], seed, curves_of_search(row))
    return Run(row, "", seed, curves_of_training(row))


def _measure(row: Search | Training) -> tuple[str, ...]:
    """What the figures of this stream mean: kind, title, and whatever else must be equal."""
    data = row.config["data"]
    named = data.get("own") if data["name"] == "own" else data["name"]
    if isinstance(row, Training):
        if reads_text(row.config):
            config = read_training_config(row.config)
            return ("text", f"Trainings on text: {_title(data)}", str(named), str(config.data.model_dump()))
        return ("training", f"Trainings on {_title(data)}", str(named), str(data["image_size"]))
    config = read_search_config(row.config)
    if not isinstance(config, SearchConfig):
        return ("shared", f"Scores under shared weights, {config.method}, on {_title(data)}", str(named))
    on = f"{config.data.held_out_examples:,} held-out images of {config.data.image_size} pixels of {_title(data)}"
    same = (str(named), str(config.data.model_dump()), str(config.objective.model_dump() if config.weighs_cost else ""))
    what = "accuracy weighed with cost" if config.weighs_cost else "accuracy"
    return ("children", f"Rewards of children: {what} on {on}", *same)


def _title(data: dict[str, Any]) -> str:
    try:
        return describe(data["name"]).title
    except ConfigError:  # A text, or images that are gone.
        return str(data["name"])


def _family(measure: tuple[str, ...], runs: Sequence[tuple[str, Run]], whole: frozenset[uuid.UUID]) -> Family:
    kind, title = measure[:2]
    by_line: dict[str, list[Run]] = {}
    for key, run in runs:
        by_line.setdefault(key, []).append(run)
    is_share = kind == "training" or (kind == "children" and "weighed" not in title)
    lines = [_line(members, whole, is_share) for members in by_line.values()]
    return Family(
        kind=kind,
        title=title,
        remark=_remark(kind, [run for _, run in runs]),
        is_share=is_share,
        lines=tuple(lines),
        sentences=tuple(_sentences(kind, lines, is_share)),
    )


def _remark(kind: str, runs: Sequence[Run]) -> str:
    if kind == "shared":
        return OF_SHARED if len(runs) > 1 else ""
    if kind != "children":
        return ""
    ways = {str(comparable(run.stream.config)) for run in runs}
    return TRAINED_DIFFERENTLY if len({_trained(run.stream.config) for run in runs}) > 1 and len(ways) > 1 else ""


def _trained(config: dict[str, Any]) -> str:
    return str([config.get(part) for part in ("child", "recipe")])


def _line(runs: Sequence[Run], whole: frozenset[uuid.UUID], is_share: bool) -> Line:
    first = runs[0].stream
    group = first.group if first.group_id in whole else None
    name = first.name or f"{first.kind.capitalize()} without a name"
    if len(runs) > 1:
        of = group.name if group and group.name else "Group"
        name = f"{of} ({STRATEGY_TITLES[runs[0].strategy]}, {len(runs)} seeds)"
    return Line(
        key=str(first.pk),
        name=name,
        group=group,
        runs=tuple(runs),
        best=_spread((_best(run) for run in runs), is_share),
        late=_spread((run.curves.late for run in runs), is_share),
        over_seeds=_over_seeds(runs, is_share) if len(runs) > 1 else {},
    )


def _best(run: Run) -> float | None:
    if isinstance(run.stream, Training):
        return run.stream.test_perplexity if reads_text(run.stream.config) else run.stream.test_accuracy
    return run.curves.best


def _spread(values: Iterable[float | None], is_share: bool) -> Spread | None:
    known = [value for value in values if value is not None]
    return run_groups.spread(known, is_share=is_share) if known else None


def _over_seeds(runs: Sequence[Run], is_share: bool) -> dict[str, MeanPoints]:
    stepping: dict[str, Callable[[Curves], Points]] = {
        "best_by_children": lambda curves: curves.best_by_children,
        "best_by_compute": lambda curves: curves.best_by_compute,
        "best_by_clock": lambda curves: curves.best_by_clock,
    }
    found = {
        name: _mean_of([take(run.curves) for run in runs], is_share, steps=True) for name, take in stepping.items()
    }
    return found | {"means": _mean_of([run.curves.means for run in runs], is_share, steps=False)}


def _mean_of(curves: Sequence[Points], is_share: bool, *, steps: bool) -> MeanPoints:
    """Mean and interval over seeds where every run has a value. steps: a value holds until the next one."""
    if not all(curves):
        return ()
    first, last = max(points[0][0] for points in curves), min(points[-1][0] for points in curves)
    if last < first:
        return ()
    grid = np.linspace(first, last, GRID if last > first else 1)
    rows = [_values(points, grid, steps) for points in curves]
    told = [run_groups.spread([row[at] for row in rows], is_share=is_share) for at in range(len(grid))]
    return tuple((float(x), one.mean, one.low, one.high) for x, one in zip(grid, told, strict=True))


def _values(points: Points, grid: Any, steps: bool) -> list[float]:
    x, y = np.array([point[0] for point in points]), np.array([point[1] for point in points])
    if not steps:
        return [float(value) for value in np.interp(grid, x, y)]
    return [float(y[place]) for place in np.maximum(np.searchsorted(x, grid + 1e-9, side="right") - 1, 0)]


def _sentences(kind: str, lines: Sequence[Line], is_share: bool) -> list[str]:
    """What each pair of lines says, figure by figure."""
    pairs = list(combinations(lines, 2)) if len(lines) <= ALL_PAIRS else [(lines[0], each) for each in lines[1:]]
    said = []
    for one, other in pairs:
        for figure, ours, theirs in _figures(kind, one, other):
            if ours and theirs:
                found = run_groups.difference(ours, theirs)
                by = f"{abs(100 * found.value):.2f} points" if is_share else f"{abs(found.value):.4g}"
                said.append(run_groups.sentence(found, first=one.name, second=other.name, figure=figure, by=by))
        if kind == "children" and len({run.stream.total for line in (one, other) for run in line.runs}) > 1:
            said.append(f"{one.name} and {other.name} have different numbers of children: more draws find better ones.")
    if said:
        said += _done_by_people(lines)
    if any(run.stream.is_open for line in lines for run in line.runs) and said:
        said.append("Something of this still runs, so these figures still move.")
    return said


def _done_by_people(lines: Sequence[Line]) -> list[str]:
    """Which searches people had a hand in: what they did is no merit of a strategy, and no fault of it."""
    searches = [run.stream for line in lines for run in line.runs if isinstance(run.stream, Search)]
    return [
        f"{search.name or 'A search without a name'} {done}: a difference may come from that."
        for search in searches
        if (done := done_by_people(search))
    ]


def _figures(kind: str, one: Line, other: Line) -> list[tuple[str, list[float], list[float]]]:
    def of(line: Line, take: Callable[[Run], float | None]) -> list[float]:
        return [value for run in line.runs if (value := take(run)) is not None]

    best = {"training": "Test accuracy", "text": "Test perplexity, lower is better"}.get(kind, "Best of a run")
    found = [(best, of(one, _best), of(other, _best))]
    if kind in ("children", "shared"):
        late = "Mean of the late children" if kind == "children" else "Mean score of the late epochs"
        found.append((late, of(one, lambda run: run.curves.late), of(other, lambda run: run.curves.late)))
    return found


def _but_for_the_seed(config: dict[str, Any]) -> str:
    alike = {name: value for name, value in config.items() if name not in ("name", "reproducibility")}
    return str(alike | {"threads": config["reproducibility"].get("threads")})
