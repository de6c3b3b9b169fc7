"""Search spaces."""

from typing import Any, ClassVar, Literal

from pydantic import field_validator

from search_engine.architectures.cell import COMBINATIONS, NASNET_OPERATIONS
from search_engine.config.base import PAPER, Config, option


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
        source=f"{PAPER}, section 3: these 13", min_length=1,
    )  # fmt: skip
    combinations: tuple[str, ...] = option(
        COMBINATIONS, "Combinations", "How a block may join its two results: added, or side by side as channels.",
        source=f"{PAPER}, section 3: both", min_length=1,
    )  # fmt: skip

    @field_validator("operations", "combinations")
    @classmethod
    def _known_once_and_in_order(cls, chosen: tuple[str, ...], info: Any) -> tuple[str, ...]:
        known = NASNET_OPERATIONS if info.field_name == "operations" else COMBINATIONS
        for name in chosen:
            if name not in known:
                raise ValueError(f"{name!r} is unknown; must be one of {', '.join(known)}.")
        if len(set(chosen)) != len(chosen):
            raise ValueError("names one twice; each may be named once.")
        return tuple(name for name in known if name in chosen)  # One order, so that equal choices are equal values.
