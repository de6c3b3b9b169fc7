"""How the networks of all architectures of a space share one set of weights: images."""

from typing import Any, ClassVar, Literal

from search_engine.config.base import Config, option
from search_engine.config.layout import ENAS_CODE

BatchNormStatistics = Literal["batch", "running"]


def _batch_norm(source: str) -> Any:
    return option(
        "batch", "Batch norm",
        "What values are normalised with when an architecture is scored: the statistics of the images at hand "
        "(batch), or running ones, which all architectures share (running). While weights learn it is the batch.",
        source=source,
    )  # fmt: skip


class MicroSupernetConfig(Config):
    """Cells stacked as in ENAS, whose weights serve every architecture of a micro search."""

    heading: ClassVar = "Shared network"
    kind: Literal["enas-micro"] = "enas-micro"
    normal_cells: int = option(
        2, "Normal cells per stack", "How many normal cells stand before, between and after the reduction cells.",
        source=f"{ENAS_CODE}: 2, which it counts as 6 in all", ge=1, le=20,
    )  # fmt: skip
    reductions: int = option(
        2, "Reduction cells", "How often height and width are halved (and filters doubled) behind the stem.",
        source=f"{ENAS_CODE}: 2", ge=1, le=4,
    )  # fmt: skip
    filters: int = option(
        20, "Filters", "Channels of each block in the first stack; must be even, and multiples of 8 are quickest.",
        unit="channels", source=f"{ENAS_CODE}: 20", ge=2, le=1024, multiple_of=2,
    )  # fmt: skip
    reduction_cell: Literal["strided", "released"] = option(
        "strided", "Reduction cell",
        "In a strided reduction cell the operations on its two inputs halve them, as in the network that is trained "
        "for keeps. The released one halves its input first and operates at stride 1.",
        source="ENAS, the paper: strided; released code: the other",
    )  # fmt: skip
    batch_norm: BatchNormStatistics = _batch_norm(f"{ENAS_CODE}, micro: batch")

    @property
    def halvings(self) -> int:
        """How often height and width are halved."""
        return self.reductions


class MacroSupernetConfig(Config):
    """Layers with every operation and skip connection, whose weights serve every network of a macro search."""

    heading: ClassVar = "Shared network"
    kind: Literal["enas-macro"] = "enas-macro"
    filters: int = option(
        36, "Filters",
        "Channels of every layer; they do not double where height and width are halved. Must be even, and multiples "
        "of 8 are quickest.",
        unit="channels", source=f"{ENAS_CODE}: 36", ge=2, le=1024, multiple_of=2,
    )  # fmt: skip
    join: Literal["sum", "concat"] = option(
        "sum", "Skip connections",
        "How a layer's output meets the earlier outputs it is joined with: added, then batch norm (sum); or side by "
        "side, then a 1x1 convolution and batch norm (concat), as in the network that is trained for keeps.",
        source=f"{ENAS_CODE}: sum while searching; the paper: concat",
    )  # fmt: skip
    batch_norm: BatchNormStatistics = _batch_norm("ENAS, released code, macro: running; our choice: batch")

    @property
    def halvings(self) -> int:
        """How often height and width are halved at most: networks of fewer than three layers are not."""
        return 2


ImageSupernetConfig = MicroSupernetConfig | MacroSupernetConfig
