"""What the cost of a network decides: whether a child is within the bounds, and how cost weighs in its reward."""

from dataclasses import dataclass

from search_engine import cost
from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.reading import Architecture
from search_engine.config.bounds import BoundsConfig
from search_engine.config.objective import ObjectiveConfig
from search_engine.config.search import SearchConfig
from search_engine.errors import ConfigError
from search_engine.events import Bound, Latency
from search_engine.network_plan import NetworkPlan, plan

# Every network has a stem and a head; with a cell of one block that adds, one block wide, its head is the smallest.
_ONE_BLOCK = Cell((Block((0, 0), ("identity", "identity"), "add"),), (2,))
_SMALLEST = CellArchitecture(_ONE_BLOCK, _ONE_BLOCK)


@dataclass(frozen=True, slots=True)
class OverBound:
    """bound: the first that is broken; times: the cost as a multiple of it. Both are None where the network did not fit
    into memory. reason: for the log."""

    bound: Bound | None
    times: float | None
    reason: str


def costed_plan(
    config: SearchConfig, architecture: Architecture, *, image_channels: int, classes: int
) -> NetworkPlan:  # fmt: skip
    """The network that bounds and cost in the reward are about."""
    return plan(
        architecture,
        config.bounds.layout(config.child),
        image_channels=image_channels,
        image_size=config.bounds.image_size(config.data.image_size),
        classes=classes,
    )


def over_a_count(bounds: BoundsConfig, parameters: int, mult_adds: int) -> OverBound | None:
    """The bound that a network of these counts is over; None within all. Exactly at a bound is within."""
    if 0 < bounds.parameters < parameters:
        found = f"has {parameters:,} parameters"
        return _over(bounds, "parameters", parameters / bounds.parameters, found, f"{bounds.parameters:,}")
    if 0 < bounds.mult_adds < mult_adds:
        found = f"has {mult_adds:,} mult-adds"
        return _over(bounds, "mult_adds", mult_adds / bounds.mult_adds, found, f"{bounds.mult_adds:,}")
    return None


def over_the_latency(bounds: BoundsConfig, latency: Latency) -> OverBound | None:
    """As over_a_count, for a measured latency."""
    if 0 < bounds.latency_ms < latency.ms:
        how = f"batch {latency.batch}, {latency.device}, median of {latency.repeats}"
        found = f"takes {latency.ms:g} ms ({how})"
        return _over(bounds, "latency", latency.ms / bounds.latency_ms, found, f"{bounds.latency_ms:g} ms")
    return None


def shaped_reward(objective: ObjectiveConfig, accuracy: float, found: float) -> float:
    """accuracy x (cost / target)^w with w = alpha up to the target and beta over it (MnasNet, section 3, formula 2).

    accuracy: in [0, 1]. found: the cost in the unit of the target; a network that costs nothing counts as one part in
    a million of the target, because no power of 0 is a reward.
    """
    alpha, beta = objective.exponents
    share = max(found / objective.target, 1e-6)
    return float(accuracy * share ** (alpha if share <= 1 else beta))


def cost_in_the_reward(objective: ObjectiveConfig, network: NetworkPlan, latency: Latency | None) -> float:
    """The figure that the objective weighs; it must weigh one."""
    if objective.cost == "latency":
        assert latency is not None, "a latency is weighed and nobody measured it"
        return latency.ms
    return cost.parameters(network) if objective.cost == "parameters" else cost.mult_adds(network)


def bound_errors(config: SearchConfig, *, image_channels: int, classes: int) -> list[ConfigError]:
    """Bounds on counts that no architecture can meet, because stem and head alone are over them.

    A cheap necessary check: a bound that passes it may still be met by no architecture of the space. A latency is
    known only when it is measured.
    """
    if not (config.bounds.parameters or config.bounds.mult_adds):
        return []
    network = costed_plan(config, _SMALLEST, image_channels=image_channels, classes=classes)
    always = [part for part in cost.part_costs(network) if part.name.startswith(("stem", "head"))]
    least = {"parameters": sum(part.parameters for part in always), "mult_adds": sum(part.mult_adds for part in always)}
    return [
        ConfigError(
            f"bounds.{name}",
            f"is {bound:,}; no network can meet it, because stem and head alone have {least[name]:,}.",
        )
        for name, bound in (("parameters", config.bounds.parameters), ("mult_adds", config.bounds.mult_adds))
        if 0 < bound < least[name]
    ]


def _over(bounds: BoundsConfig, bound: Bound, times: float, found: str, wanted: str) -> OverBound:
    whose = "the network" if bounds.network == "child" else "the target network"
    return OverBound(bound, times, f"over the bound: {whose} {found}, at most {wanted} were allowed")
