"""How an architecture is laid out to a network: one model for each kind of architecture that has a choice there."""

from typing import Any, ClassVar, Literal

from pydantic import field_validator

from search_engine.architectures.reading import Architecture
from search_engine.config.base import PAPER, Config, at, option
from search_engine.config.data import DataConfig
from search_engine.errors import ArchitectureError

ENAS_CODE = "ENAS, released code"
BENCHMARK = "NAS-Bench-201, Dong and Yang 2020"

STEM_FILTERS = 32  # Of the ImageNet stem, where nothing else is said (released code).


class LayoutConfig(Config):
    """How cells are stacked to a network: a skeleton of the released code, and its sizes."""

    heading: ClassVar = "Network"
    kind: Literal["cells"] = "cells"
    skeleton: Literal["cifar", "imagenet", "enas", "darts"] = option(
        "cifar", "Skeleton",
        "cifar starts at the image's own size. imagenet, for large images, first shrinks it to an eighth; its batch "
        "norm averages over thousands of batches, so after a short training measure its statistics anew. enas and "
        "darts are cifar as those authors build it: they differ in how cells fit their inputs and in the heads.",
        source="each from the released code of its authors",
    )  # fmt: skip
    normal_cells: int = option(
        2, "Normal cells per stack", "N: how many normal cells stand before, between and after the reduction cells.",
        source=f"{PAPER}, A.6: 2 while searching, 6 for keeps", ge=1, le=20,
    )  # fmt: skip
    reductions: int = option(
        2, "Reduction cells", "How often height and width are halved (and filters doubled) behind the stem.",
        source=f"{PAPER}, section 3: 2", ge=1, le=4,
    )  # fmt: skip
    filters: int = option(
        32, "Filters",
        "F: channels of each block in the first stack; must be even, with the ImageNet skeleton a multiple of 4.",
        unit="channels", source="the released 6 @ 768 has 32; for the search the paper states none", ge=2, le=1024,
        multiple_of=2,
    )  # fmt: skip
    stem_filters: int = option(
        STEM_FILTERS, "Stem filters",
        "Channels of the ImageNet skeleton's first convolution. The other skeletons have three times the filters.",
        unit="channels", source="released code: 32 for 4 @ 1056, 96 for 6 @ 4032", ge=1, le=1024,
        only_with={"skeleton": "imagenet"},
    )  # fmt: skip
    previous_after_reduction: Literal["one-before", "two-before"] = option(
        "one-before", "Previous input after a reduction",
        "What the cell behind a reduction reads as its previous input: the cell before the reduction, which fed it "
        "(one-before), or the one before that (two-before).",
        source="released code: one-before for CIFAR and 4 @ 1056, two-before for 6 @ 4032",
    )  # fmt: skip
    average_counts_padding: bool = option(
        False, "Average pools count padding",
        "At stride 2 the zeros around the image enter the mean. Only to compare with networks of timm, which does so.",
        source="released code: padding is left out",
    )  # fmt: skip

    @property
    def halvings(self) -> int:
        """How often height and width are halved in all; the ImageNet stem does so three times."""
        return self.reductions + (3 if self.skeleton == "imagenet" else 0)

    @field_validator("filters")
    @classmethod
    def _halves_of_the_stem_are_whole(cls, filters: int, info: Any) -> int:
        if info.data.get("skeleton") == "imagenet" and filters % 4:
            raise ValueError(f"is {filters}; with the ImageNet skeleton it must be a multiple of 4.")
        return filters

    @field_validator("stem_filters")
    @classmethod
    def _only_the_imagenet_stem_is_set(cls, stem_filters: int, info: Any) -> int:
        skeleton = info.data.get("skeleton", "imagenet")
        if skeleton != "imagenet" and stem_filters != STEM_FILTERS:
            raise ValueError(
                f"is {stem_filters}; the {skeleton} skeleton has three times the filters there, so leave "
                f"{STEM_FILTERS} or choose the ImageNet skeleton."
            )
        return stem_filters


class MacroLayoutConfig(Config):
    """How the layers of a macro network are built when it is trained from scratch."""

    heading: ClassVar = "Network"
    kind: Literal["macro"] = "macro"
    filters: int = option(
        96, "Filters",
        "Channels of each layer until the first halving; they double at both halvings. Must be even.",
        unit="channels", source=f"{ENAS_CODE}: 96 for keeps, 36 while searching", ge=2, le=1024, multiple_of=2,
    )  # fmt: skip
    full_conv: bool = option(
        False, "Separable as full convolutions",
        "Separable layers become full convolutions of the same size: many more parameters, and what the published "
        "sizes count.",
        source=f"{ENAS_CODE}: full; the paper: separable",
    )  # fmt: skip

    @property
    def halvings(self) -> int:
        """How often height and width are halved at most: networks of fewer than three layers are not."""
        return 2


class NasBench201LayoutConfig(Config):
    """How cells are stacked to a network of the benchmark."""

    heading: ClassVar = "Network"
    kind: Literal["nas_bench_201"] = "nas_bench_201"
    normal_cells: int = option(
        5, "Cells per stack", "How many cells stand in each of the three stacks.", source=f"{BENCHMARK}: 5", ge=1, le=20
    )
    filters: int = option(
        16, "Filters", "Channels of the first stack; the second has twice, the third four times as many.",
        unit="channels", source=f"{BENCHMARK}: 16", ge=1, le=1024,
    )  # fmt: skip

    @property
    def halvings(self) -> int:
        """How often height and width are halved: between the stacks."""
        return 2


Layout = LayoutConfig | MacroLayoutConfig | NasBench201LayoutConfig

_FOR_KEEPS: dict[str, Layout] = {  # What a training starts from; the sizes are those of the publications.
    "cells": LayoutConfig(normal_cells=6),
    "macro": MacroLayoutConfig(),
    "nas_bench_201": NasBench201LayoutConfig(),
}


def default_layout(architecture: Architecture) -> Layout:
    """The layout in which an architecture of this kind is trained where nothing else is said.

    Raises ArchitectureError for a recurrent cell: it reads text and is no network of images.
    """
    return layout_of_kind(architecture.kind)


def layout_of_kind(kind: str) -> Layout:
    """As default_layout, by the name of the kind."""
    if kind not in _FOR_KEEPS:
        raise ArchitectureError("kind", f"is {kind!r}; a network of images is made of {', '.join(_FOR_KEEPS)}.")
    return _FOR_KEEPS[kind]


def must_shrink(layout: Layout, data: DataConfig) -> None:
    """The last stack must keep two rows of pixels."""
    smallest = smallest_image(layout)
    if data.image_size < smallest:
        is_imagenet = isinstance(layout, LayoutConfig) and layout.skeleton == "imagenet"
        times = f"{layout.halvings} times" + (", as the ImageNet skeleton does," if is_imagenet else "")
        raise at("data.image_size", f"is {data.image_size}; to be halved {times} it must be at least {smallest}.")


def smallest_image(layout: Layout) -> int:
    """Pixels that an image must have at least, so that the last stack keeps two rows."""
    is_imagenet = isinstance(layout, LayoutConfig) and layout.skeleton == "imagenet"
    return (1 << layout.halvings) + 3 if is_imagenet else 1 << (layout.halvings + 1)
