"""What an architecture costs as a network of any size: the same plan that a trainer would build, counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from search_engine import cost
from search_engine.architectures.reading import Architecture
from search_engine.config.base import Config, option
from search_engine.config.layout import LayoutConfig, MacroLayoutConfig, NasBench201LayoutConfig, layout_of_kind
from search_engine.config.reading import read_config
from search_engine.errors import ConfigError
from search_engine.network_plan import NetworkPlan, plan

# What a reader of a cell's output makes of it stands under the cell's name too, and is not its output.
_READ_FROM_IT = ("relu", "subsample", "global_pool", "avg_pool", "max_pool")


class NetworkQuestion(Config):
    """Which network of an architecture is to be counted. What is left out is that of CIFAR-10."""

    heading: ClassVar = "Network"
    layout: Annotated[LayoutConfig | MacroLayoutConfig | NasBench201LayoutConfig, Field(discriminator="kind")]
    image_size: int = option(32, "Image size", "Height and width.", unit="pixels", ge=1, le=1024)
    image_channels: int = option(3, "Image channels", "1 for grey images, 3 for colour.", ge=1, le=64)
    classes: int = option(10, "Classes", "How many kinds of image are told apart.", ge=1, le=100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCounts:
    """A part of the network that has a name: the stem, a cell, a head. shape: (channels, height, width) it gives."""

    name: str
    shape: tuple[int, int, int]
    parameters: int
    mult_adds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCounts:
    """parameters, mult_adds: without the auxiliary head. with_auxiliary: parameters, None where the head has no place.

    parts: in order, the auxiliary head last where there is one.
    """

    parameters: int
    with_auxiliary: int | None
    mult_adds: int
    parts: tuple[PartCounts, ...]


def question_of(architecture: Architecture, value: Mapping[str, Any]) -> NetworkQuestion:
    """The question in JSON form; a layout without a kind is that of the architecture's kind.

    Raises ConfigError at the field that is wrong, ArchitectureError where the architecture is no network of images.
    """
    layout = value.get("layout", {})
    default = layout_of_kind(architecture.kind)
    if isinstance(layout, Mapping):
        layout = {"kind": default.kind, **layout}
    question = read_config(NetworkQuestion, {**value, "layout": layout})
    if question.layout.kind != default.kind:
        raise ConfigError("layout.kind", f'is "{question.layout.kind}"; must be "{default.kind}".')
    return question


def count_network(architecture: Architecture, question: NetworkQuestion) -> NetworkCounts:
    """Exact counts. Raises ConfigError where image, classes or filters do not fit."""
    network = _network(architecture, question, auxiliary=False)
    try:
        whole = _network(architecture, question, auxiliary=True)
    except ConfigError:  # The image is too small where the head would stand.
        whole = network
    return NetworkCounts(
        parameters=cost.parameters(network),
        with_auxiliary=cost.parameters(whole) if whole.auxiliary_output else None,
        mult_adds=cost.mult_adds(network),
        parts=_parts(whole),
    )


def _network(architecture: Architecture, question: NetworkQuestion, *, auxiliary: bool) -> NetworkPlan:
    return plan(
        architecture,
        question.layout,
        image_channels=question.image_channels,
        image_size=question.image_size,
        classes=question.classes,
        auxiliary=auxiliary,
    )


def _parts(network: NetworkPlan) -> tuple[PartCounts, ...]:
    """Layers by the first part of their names."""
    rows: dict[str, list[cost.LayerCost]] = {}
    for row in cost.layer_costs(network):
        rows.setdefault(row.name.partition(".")[0], []).append(row)
    return tuple(
        PartCounts(
            name=name,
            shape=_output(part).shape,
            parameters=sum(row.parameters for row in part),
            mult_adds=sum(row.mult_adds for row in part),
        )
        for name, part in rows.items()
    )


def _output(rows: list[cost.LayerCost]) -> cost.LayerCost:
    return next((row for row in reversed(rows) if row.kind not in _READ_FROM_IT), rows[-1])
