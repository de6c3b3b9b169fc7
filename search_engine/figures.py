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
