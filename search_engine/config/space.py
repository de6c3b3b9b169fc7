"""Search spaces."""

from typing import Any, ClassVar, Literal

from pydantic import field_validator

from search_engine.architectures.cell import COMBINATIONS, ENAS_OPERATIONS, NASNET_OPERATIONS
from search_engine.architectures.macro import MACRO_OPERATIONS
from search_engine.architectures.recurrent import ACTIVATIONS, MAX_NODES
from search_engine.config.base import PAPER, Config, option
from search_engine.config.language import ENAS

MOST_NAMES = 50  # A list with an unknown name or one twice is refused in better words than one that is too long.


class NasnetSpaceConfig(Config):
    """Two cells of blocks; each block decides two inputs, two operations and how they combine."""

    heading: ClassVar = "Search space"
    kind: Literal["nasnet"] = "nasnet"
    blocks: int = option(
        5, "Blocks per cell", "How many blocks each of the two cells has. More blocks, more possible cells.",
        source=f"{PAPER}, section 3: 5", ge=1, le=7,
    )  # fmt: skip
    operations: tuple[str, ...] = option(
        NASNET_OPERATIONS, "Operations", "What a block may do with an input. Untick what you never want to see.",
        source=f"{PAPER}, section 3: these 13", min_length=1, max_length=MOST_NAMES,
    )  # fmt: skip
    combinations: tuple[str, ...] = option(
        COMBINATIONS, "Combinations", "How a block may join its two results: added, or side by side as channels.",
        source=f"{PAPER}, section 3: both", min_length=1, max_length=MOST_NAMES,
    )  # fmt: skip

    @field_validator("operations", "combinations")
    @classmethod
    def _known_once_and_in_order(cls, chosen: tuple[str, ...], info: Any) -> tuple[str, ...]:
        return _in_order(chosen, NASNET_OPERATIONS if info.field_name == "operations" else COMBINATIONS)


class EnasMicroSpaceConfig(Config):
    """Two cells of nodes; each node decides two inputs and two operations, whose results are added."""

    heading: ClassVar = "Search space"
    kind: Literal["enas-micro"] = "enas-micro"
    nodes: int = option(
        5, "Nodes per cell", "How many nodes each of the two cells computes, its two inputs not counted.",
        source=f"{ENAS}, section 2.4: 5, which the paper counts with the inputs as 7", ge=1, le=7,
    )  # fmt: skip
    operations: tuple[str, ...] = option(
        ENAS_OPERATIONS, "Operations", "What a node may do with an input. Untick what you never want to see.",
        source=f"{ENAS}, section 2.4: these 5", min_length=1, max_length=MOST_NAMES,
    )  # fmt: skip
    unused_inputs: bool = option(
        True, "Unused inputs leave the cell",
        "Whether an input that no node reads is part of the cell's output, beside the nodes that no node reads.",
        source="ENAS, released code: yes",
    )  # fmt: skip

    @field_validator("operations")
    @classmethod
    def _known_once_and_in_order(cls, chosen: tuple[str, ...]) -> tuple[str, ...]:
        return _in_order(chosen, ENAS_OPERATIONS)


class EnasMacroSpaceConfig(Config):
    """A whole network: each layer decides one operation and, for every layer before, whether it is joined."""

    heading: ClassVar = "Search space"
    kind: Literal["enas-macro"] = "enas-macro"
    layers: int = option(
        12, "Layers", "How many layers the network has.", source=f"{ENAS}, section 3.2: 12", ge=2, le=24
    )
    operations: tuple[str, ...] = option(
        MACRO_OPERATIONS, "Operations", "What a layer may do. Untick what you never want to see.",
        source=f"{ENAS}, section 2.3: these 6", min_length=1, max_length=MOST_NAMES,
    )  # fmt: skip
    indexing: Literal["figure", "released"] = option(
        "figure", "Skips reach",
        "Which outputs a layer may join: those of all layers before it, the last one too (figure); or the stem's and "
        "those of all layers but the last one (released).",
        source=f"{ENAS}, figure 3: the first; released code: the second",
    )  # fmt: skip

    @field_validator("operations")
    @classmethod
    def _known_once_and_in_order(cls, chosen: tuple[str, ...]) -> tuple[str, ...]:
        return _in_order(chosen, MACRO_OPERATIONS)


class EnasRecurrentSpaceConfig(Config):
    """A recurrent cell: each node decides which earlier node it reads, and an activation."""

    heading: ClassVar = "Search space"
    kind: Literal["enas-recurrent"] = "enas-recurrent"
    nodes: int = option(
        12, "Nodes", "How many nodes the cell has. The first reads word and state and decides its activation alone.",
        source=f"{ENAS}, section 3.1: 12", ge=2, le=MAX_NODES,
    )  # fmt: skip
    activations: tuple[str, ...] = option(
        ACTIVATIONS, "Activations", "What a node may do with what it reads. Untick what you never want to see.",
        source=f"{ENAS}, section 2.1: these 4", min_length=1, max_length=MOST_NAMES,
    )  # fmt: skip

    @field_validator("activations")
    @classmethod
    def _known_once_and_in_order(cls, chosen: tuple[str, ...]) -> tuple[str, ...]:
        return _in_order(chosen, ACTIVATIONS)


EnasSpaceConfig = EnasMicroSpaceConfig | EnasMacroSpaceConfig | EnasRecurrentSpaceConfig
AnySpaceConfig = NasnetSpaceConfig | EnasSpaceConfig


def _in_order(chosen: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    """The chosen names in one order, so that equal choices are equal values; each must be known and named once."""
    for name in chosen:
        if name not in known:
            raise ValueError(f"{name!r} is unknown; must be one of {', '.join(known)}.")
    if len(set(chosen)) != len(chosen):
        raise ValueError("names one twice; each may be named once.")
    return tuple(name for name in known if name in chosen)
