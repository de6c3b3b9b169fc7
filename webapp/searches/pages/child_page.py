"""What the page of one child shows: its counts by the network plan, its curve, what the controller decided."""

from dataclasses import dataclass, replace
from typing import Any

from search_engine import cost
from search_engine.architectures.reading import Architecture, architecture_from_json
from search_engine.config.layout import Layout
from search_engine.config.search import SearchConfig
from search_engine.cost_rules import costed_plan
from search_engine.data.descriptions import DatasetDescription
from search_engine.errors import ConfigError
from search_engine.spaces.base import Space
from search_engine.spaces.nasnet import NasnetSpace
from webapp.searches.datasets.described import describe
from webapp.searches.models import Child, Event
from webapp.searches.pages.architecture_parts import parts_of
from webapp.searches.start import network_of

CURVE_WIDTH, CURVE_HEIGHT = 320, 120  # Of the small picture, in its own units.


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Of one child as a network. with_auxiliary: parameters, None where the layout has no place for that head.

    activation_bytes: None on text. target: (parameters, mult-adds) of the same cells in the target network, None where
    the search has none.
    """

    parameters: int
    with_auxiliary: int | None
    mult_adds: int
    batch_size: int
    activation_bytes: int | None
    target: tuple[int, int] | None
    layers: tuple[cost.LayerCost, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One epoch of its training. point: where its loss stands in the curve's picture."""

    number: int
    loss: float
    accuracy: float | None
    seconds: float
    point: str


def child_shown(child: Child, config: SearchConfig) -> dict[str, Any]:
    """The context of its page, beside the search and the child."""
    return {
        "counts": counts_of(child, config),
        "epochs": epochs_of(child),
        "decisions": named_decisions(NasnetSpace(config.space), child),
        "index": child.step * config.strategy.step_size + child.slot + 1,
        **child_parts(child, config),
    }


def counts_of(child: Child, config: SearchConfig) -> Counts:
    architecture, data = architecture_from_json(child.architecture), describe(config.data.name)
    counts = image_counts(architecture, config.child, data, config.data.image_size, config.recipe.batch_size)
    return replace(counts, target=_target_counts(architecture, config, data))


def image_counts(
    architecture: Architecture, layout: Layout, data: DatasetDescription, image_size: int, batch_size: int
) -> Counts:
    """Exact counts; the same plan is what a trainer builds."""
    network = network_of(architecture, layout, data, image_size)
    try:
        auxiliary = network_of(architecture, layout, data, image_size, auxiliary=True)
    except ConfigError:  # The image is too small where the head would stand, or such networks have none.
        auxiliary = network
    return Counts(
        parameters=cost.parameters(network),
        with_auxiliary=cost.parameters(auxiliary) if auxiliary.auxiliary_output else None,
        mult_adds=cost.mult_adds(network),
        batch_size=batch_size,
        activation_bytes=cost.activation_bytes(network, batch_size),
        target=None,
        layers=cost.layer_costs(network),
    )


def _target_counts(
    architecture: Architecture, config: SearchConfig, data: DatasetDescription
) -> tuple[int, int] | None:
    if config.bounds.network != "target":
        return None
    network = costed_plan(config, architecture, image_channels=data.channels, classes=len(data.classes))
    return cost.parameters(network), cost.mult_adds(network)


def child_parts(child: Child, config: SearchConfig) -> dict[str, Any]:
    """What its page shares with every page of an architecture; counted first is the network of its search."""
    return parts_of(
        architecture_from_json(child.architecture),
        base=f"/api/searches/{child.search_id}/children/{child.step}/{child.slot}",
        name=f"child-{child.step}-{child.slot}",
        source={"search": str(child.search_id), "step": child.step, "slot": child.slot},
        network=image_network(config.child, describe(config.data.name), config.data.image_size),
    )


def image_network(layout: Layout, data: DatasetDescription, image_size: int) -> dict[str, Any]:
    """A network as the API reads it."""
    return {
        "layout": layout.model_dump(mode="json"),
        "image_size": image_size,
        "image_channels": data.channels,
        "classes": len(data.classes),
    }


def epochs_of(child: Child) -> list[Epoch]:
    """Its epochs in order; one that was done again after a loss stands once, as it was last."""
    rows = Event.objects.filter(
        stream_id=child.search_id, kind="epoch_ended", payload__step=child.step, payload__slot=child.slot
    )
    last: dict[int, dict[str, Any]] = {row.payload["epoch"]: row.payload for row in rows.order_by("number")}
    highest = max((payload["loss"] for payload in last.values()), default=0.0) or 1.0
    return [
        Epoch(
            number=number,
            loss=payload["loss"],
            accuracy=payload["accuracy"],
            seconds=payload["seconds"],
            point=_point(index, len(last), payload["loss"] / highest),
        )
        for index, (number, payload) in enumerate(sorted(last.items()))
    ]


def named_decisions(space: Space, child: Child) -> list[tuple[str, str]]:
    """(name, chosen option) of every decision."""
    return [
        (decision.name, decision.options[chosen])
        for decision, chosen in zip(space.decisions, child.decisions, strict=True)
    ]


def _point(index: int, count: int, height: float) -> str:
    x = CURVE_WIDTH * index / max(count - 1, 1)
    return f"{x:.1f},{CURVE_HEIGHT * (1 - height):.1f}"
