"""The skeletons of released code: the stem that reads the image, the cells behind it in order, and the rules of fit.

Names count from 0, as in that code: `stem_0` and `stem_1` are the stem's reduction cells, which only the ImageNet
skeleton has, `cell_0` ... the normal cells, `reduction_0` ... the reduction cells between them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from search_engine.config.layout import Layout, LayoutConfig
from search_engine.layers import IMAGE, LayerList

CIFAR_STEM = 3  # The CIFAR stem has this many times F channels.
STEM_SHARES = (4, 2)  # The ImageNet stem's two cells have F / 4 and F / 2 filters.
BEFORE = {"one-before": 2, "two-before": 3}  # Outputs are counted back from the reduction's own, which is 1.


@dataclass(frozen=True, slots=True)
class Rules:
    """Where released codes that stack cells alike build them otherwise.

    first_previous_is_raw: the first cell takes the stem as its previous input as it is, without fitting it.
    always_fits_previous: by ReLU, 1x1 convolution and batch norm even what has the filters already.
    fits_current_twice: where the channels differ, and then once more in any case.
    identity_halves: an identity that must halve becomes a factorized reduction, not a strided convolution;
    with_relu: with a ReLU before it. head_relu, head_bias, auxiliary_bias: of the layers that give logits.
    is_centred: padded as in PyTorch's networks; see LayerList.
    """

    first_previous_is_raw: bool = True
    always_fits_previous: bool = False
    fits_current_twice: bool = False
    identity_halves: bool = False
    with_relu: bool = False
    head_relu: bool = True
    head_bias: bool = True
    auxiliary_bias: bool = True
    is_centred: bool = False


NASNET = Rules()
RULES = {
    "cifar": NASNET,
    "imagenet": NASNET,
    "enas": Rules(  # ENAS's released code, micro networks that are trained from scratch.
        first_previous_is_raw=False, fits_current_twice=True, identity_halves=True, head_bias=False,
        auxiliary_bias=False,
    ),
    "darts": Rules(
        first_previous_is_raw=False, always_fits_previous=True, identity_halves=True, with_relu=True,
        head_relu=False, is_centred=True,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cell stands in a skeleton.

    filters: of each of its blocks. previous: where its previous input lies among all outputs so far, counted back from
    the last, its current input, which is 1.
    """

    name: str
    is_reduction: bool
    filters: int
    has_auxiliary: bool = False
    previous: int = 2
    rules: Rules = NASNET


def lay_stem(layers: LayerList, layout: LayoutConfig) -> str:
    """A 3x3 convolution and batch norm, without ReLU; on ImageNet it halves the image, and without padding."""
    if layout.skeleton == "imagenet":
        conv = layers.conv("stem.conv", IMAGE, layout.stem_filters, kernel=(3, 3), stride=(2, 2), is_padded=False)
    else:
        conv = layers.conv("stem.conv", IMAGE, CIFAR_STEM * layout.filters, kernel=(3, 3))
    return layers.batch_norm("stem.batch_norm", conv)


def places(layout: LayoutConfig) -> Iterator[Place]:
    """Stacks of N normal cells with a reduction cell between; filters double at each reduction."""
    rules = RULES[layout.skeleton]
    if layout.skeleton == "imagenet":
        for index, share in enumerate(STEM_SHARES):
            yield Place(f"stem_{index}", True, layout.filters // share)
    for stack in range(layout.reductions + 1):
        filters = layout.filters * 2**stack
        if stack > 0:
            has_auxiliary = _has_auxiliary(layout, stack, None)
            yield Place(f"reduction_{stack - 1}", True, filters, has_auxiliary, rules=rules)
        for index in range(layout.normal_cells):
            has_auxiliary = _has_auxiliary(layout, stack, index)
            follows_reduction = stack > 0 and index == 0
            previous = BEFORE[layout.previous_after_reduction] if follows_reduction else 2
            yield Place(f"cell_{stack * layout.normal_cells + index}", False, filters, has_auxiliary, previous, rules)


def _has_auxiliary(layout: LayoutConfig, stack: int, index: int | None) -> bool:
    """Whether the auxiliary head reads this normal cell of a stack, or, where index is None, the reduction before it.

    NASNet's stands before the second reduction, that of DARTS at the last reduction, that of ENAS one cell later;
    with one reduction there is none.
    """
    if layout.reductions < 2:
        return False
    if layout.skeleton == "darts":
        return stack == layout.reductions and index is None
    if layout.skeleton == "enas":
        return stack == layout.reductions and index == 0
    return stack == 1 and index == layout.normal_cells - 1


def smallest_image(layout: LayoutConfig) -> int:
    """Height and width in pixels with which every reduction still finds two rows."""
    if layout.skeleton == "imagenet":
        # S pixels leave (S - 1) // 2 behind the stem's convolution; then come the stem's own two reduction cells.
        return 2 * ((1 << layout.reductions + 1) + 1) + 1
    return (1 << layout.reductions - 1) + 1


def batch_norm_constants(layout: Layout) -> tuple[float, float]:
    """(epsilon, weight of the newest batch) of a network in any layout.

    The released code's decay is 0.9997 on ImageNet; 0.9 for CIFAR, as in the code of all others.
    """
    is_imagenet = isinstance(layout, LayoutConfig) and layout.skeleton == "imagenet"
    return (1e-3, 0.0003) if is_imagenet else (1e-5, 0.1)
