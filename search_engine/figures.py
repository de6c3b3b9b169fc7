"""Figures of a search for Plotly: the same curves as on the live page, to take away or to show in a notebook."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import plotly.graph_objects as go


@dataclass(frozen=True, slots=True)
class RewardPoint:
    """A child with a reward. index: see places.place_among_children."""

    index: float
    reward: float
    is_copied: bool = False


@dataclass(frozen=True, slots=True)
class StepPoint:
    """A step. middle: the place of the middle of its children; entropy: of the policy that drew it, in nats."""

    middle: float
    mean_reward: float | None
    entropy: float | None


def reward_figure(
    children: Sequence[RewardPoint], steps: Sequence[StepPoint], *, title: str, weighs_cost: bool = False
) -> go.Figure:
    """Rewards over children: points, best so far, the mean of each step (the main line), and entropy on the right.

    children: in the order of their places. Without any, the axes stand alone. weighs_cost: in the rewards.
    """
    what = "accuracy weighed with cost" if weighs_cost else "accuracy on held-out images"
    figure = go.Figure(
        layout={
            "title": {"text": title},
            "template": "plotly_white",
            "xaxis": {"title": {"text": "children"}},
            "yaxis": {"title": {"text": f"reward ({what})"}},
            "yaxis2": {
                "title": {"text": "entropy (nats)"},
                "overlaying": "y",
                "side": "right",
                "rangemode": "tozero",
                "showgrid": False,
            },
            "legend": {"orientation": "h", "y": 1.08},
        }
    )
    measured = [child for child in children if not child.is_copied]
    copied = [child for child in children if child.is_copied]
    best = accumulate((child.reward for child in children), max)
    _add(figure, "child", measured, mode="markers", marker={"color": "#94a3b8", "size": 6})
    _add(figure, "copied", copied, mode="markers", marker={"color": "#94a3b8", "size": 7, "symbol": "circle-open"})
    _add_line(figure, "best so far", [child.index for child in children], list(best), "#b45309", shape="hv")
    entropies = [step for step in steps if step.entropy is not None]
    _add_line(
        figure,
        "entropy",
        [step.middle for step in entropies],
        [step.entropy for step in entropies],
        "#9467bd",
        yaxis="y2",
    )
    told = [step for step in steps if step.mean_reward is not None]
    _add_line(
        figure, "mean of step", [step.middle for step in told], [step.mean_reward for step in told], "#0e7490", width=4
    )
    return figure


def _add(figure: go.Figure, name: str, children: Sequence[RewardPoint], **style: object) -> None:
    if children:  # An empty trace would stand in the legend.
        x, y = [child.index for child in children], [child.reward for child in children]
        figure.add_trace(go.Scatter(name=name, x=x, y=y, **style))


def _add_line(
    figure: go.Figure,
    name: str,
    x: Sequence[float],
    y: Sequence[float | None],
    color: str,
    *,
    width: float = 1.5,
    shape: str = "linear",
    yaxis: str = "y",
) -> None:
    if x:
        line = {"color": color, "width": width, "shape": shape}
        figure.add_trace(go.Scatter(name=name, x=list(x), y=list(y), mode="lines", line=line, yaxis=yaxis))


@dataclass(frozen=True, slots=True)
class CostPoint:
    """A measured child. cost: parameters or mult-adds; reached: its accuracy, or another reward; label: its place."""

    cost: int
    reached: float
    label: str


def cost_figure(points: Sequence[CostPoint], *, of: str, title: str) -> go.Figure:
    """What was reached against what it costs, with the line of those that no cheaper one reaches.

    of: "parameters" or "mult_adds".
    """
    what = "parameters" if of == "parameters" else "mult-adds per example"
    figure = go.Figure(
        layout={
            "title": {"text": title},
            "template": "plotly_white",
            "xaxis": {"title": {"text": what}, "type": "log"},
            "yaxis": {"title": {"text": "accuracy or reward"}},
            "legend": {"orientation": "h", "y": 1.08},
        }
    )
    if points:
        marks = {"color": "#94a3b8", "size": 6}
        x, y = [point.cost for point in points], [point.reached for point in points]
        labels = [point.label for point in points]
        figure.add_trace(go.Scatter(name="child", x=x, y=y, text=labels, mode="markers", marker=marks))
    front = _front(points)
    x, y = [point.cost for point in front], [point.reached for point in front]
    _add_line(figure, "no cheaper one reaches", x, y, "#b45309", shape="hv")
    return figure


def _front(points: Sequence[CostPoint]) -> list[CostPoint]:
    """Cheapest first, each better than all that cost no more."""
    front: list[CostPoint] = []
    for point in sorted(points, key=lambda point: (point.cost, -point.reached)):
        if not front or point.reached > front[-1].reached:
            front.append(point)
    return front


def policy_figure(
    steps: Sequence[int],
    policy: Sequence[Sequence[Sequence[float]]],
    decisions: Sequence[tuple[str, Sequence[str]]],
    *,
    title: str,
) -> go.Figure:
    """The policy as a map: a row for every option of every decision from the first one down, a column for every step.

    policy[c][i][j]: at steps[c], the probability of option j of decision i. decisions: names, with their options.
    """
    rows = [(i, j) for i, (_, options) in enumerate(decisions) for j in range(len(options))]
    names = [f"{decisions[i][0]}: {decisions[i][1][j]}" for i, j in rows]
    figure = go.Figure(
        layout={
            "title": {"text": title},
            "template": "plotly_white",
            "xaxis": {"title": {"text": "step"}},
            "yaxis": {"autorange": "reversed", "automargin": True, "dtick": 1, "tickfont": {"size": 10}},
            "height": max(400, 14 * len(rows)),
        }
    )
    if steps:
        z = [[column[i][j] for column in policy] for i, j in rows]
        colours = {"zmin": 0, "zmax": 1, "colorscale": "Blues", "colorbar": {"title": {"text": "probability"}}}
        figure.add_trace(go.Heatmap(name="policy", x=list(steps), y=names, z=z, **colours))
    return figure
