"""What an architecture costs as a network of any size: the same plan that a trainer would build, counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from search_engine import cost
from search_engine.architectures.reading import Architecture
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.config.base import Config, option
from search_engine.config.layout import LayoutConfig, MacroLayoutConfig, NasBench201LayoutConfig, layout_of_kind
from search_engine.config.reading import read_config
from search_engine.errors import ConfigError
from search_engine.network_plan import NetworkPlan, plan
from search_engine.recurrent_plan import recurrent_costs


class ImageNetwork(Config):
    """A network of images. What is left out is that of CIFAR-10."""

    heading: ClassVar = "Network"
    layout: Annotated[LayoutConfig | MacroLayoutConfig | NasBench201LayoutConfig, Field(discriminator="kind")]
    image_size: int = option(32, "Image size", "Height and width.", unit="pixels", ge=1, le=1024)
    image_channels: int = option(3, "Image channels", "1 for grey images, 3 for colour.", ge=1, le=64)
    classes: int = option(10, "Classes", "How many kinds of image are told apart.", ge=1, le=100_000)


class TextNetwork(Config):
    """A network that reads text word by word. What is left out is that of Penn Treebank."""

    heading: ClassVar = "Network"
    hidden: int = option(
        850, "Hidden units", "Numbers in the state and in the vector of a word.", ge=1, le=100_000, source="DARTS: 850"
    )
    vocabulary: int = option(10_000, "Vocabulary", "How many different words there are.", ge=1, le=10_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCounts:
    """parameters, mult_adds: without the auxiliary head, mult-adds of one image or one word.

    with_auxiliary: parameters, None where that head has no place.
    activation_bytes: that training keeps of one image, without that head; None of a network that reads text.
    parts: in order, that head last where there is one.
    """

    parameters: int
    with_auxiliary: int | None
    mult_adds: int
    activation_bytes: int | None = None
    parts: tuple[cost.PartCost, ...]


def network_in_question(architecture: Architecture, value: Mapping[str, Any]) -> ImageNetwork | TextNetwork:
    """The network that `value`, a JSON object, describes; a layout without a kind is that of the architecture's kind.

    Raises ConfigError at the field that is wrong.
    """
    if isinstance(architecture, RecurrentArchitecture):
        return read_config(TextNetwork, value)
    layout = value.get("layout", {})
    default = layout_of_kind(architecture.kind)
    if isinstance(layout, Mapping):
        layout = {"kind": default.kind, **layout}
    network = read_config(ImageNetwork, {**value, "layout": layout})
    if network.layout.kind != default.kind:
        raise ConfigError("layout.kind", f'is "{network.layout.kind}"; must be "{default.kind}".')
    return network


def count_network(architecture: Architecture, network: ImageNetwork | TextNetwork) -> NetworkCounts:
    """Exact counts. Raises ConfigError where image, classes or filters do not fit."""
    if isinstance(network, TextNetwork):
        assert isinstance(architecture, RecurrentArchitecture), architecture.kind
        return _count_text(architecture, network)
    try:
        whole = _plan(architecture, network, auxiliary=True)
    except ConfigError:  # Perhaps the image is too small only where the auxiliary head would stand.
        whole = _plan(architecture, network, auxiliary=False)
    without = whole.without_auxiliary()
    return NetworkCounts(
        parameters=cost.parameters(without),
        with_auxiliary=cost.parameters(whole) if whole.auxiliary_output else None,
        mult_adds=cost.mult_adds(without),
        activation_bytes=cost.activation_bytes(without, 1),
        parts=cost.part_costs(whole),
    )


def _plan(architecture: Architecture, network: ImageNetwork, *, auxiliary: bool) -> NetworkPlan:
    return plan(
        architecture,
        network.layout,
        image_channels=network.image_channels,
        image_size=network.image_size,
        classes=network.classes,
        auxiliary=auxiliary,
    )


def _count_text(architecture: RecurrentArchitecture, network: TextNetwork) -> NetworkCounts:
    rows = recurrent_costs(architecture, hidden=network.hidden, vocabulary=network.vocabulary)
    return NetworkCounts(
        parameters=sum(row.parameters for row in rows),
        with_auxiliary=None,
        mult_adds=sum(row.mult_adds for row in rows),
        parts=tuple(cost.PartCost(row.name, row.shape, row.parameters, row.mult_adds) for row in rows),
    )
