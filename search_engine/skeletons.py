"""The two skeletons of the released code: the stem that reads the image, and the cells behind it, in order.

Names count from 0, as in that code: `stem_0` and `stem_1` are the stem's reduction cells, which only the ImageNet
skeleton has, `cell_0` ... the normal cells, `reduction_0` ... the reduction cells between them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from search_engine.config.layout import LayoutConfig
from search_engine.layers import IMAGE, LayerList

CIFAR_STEM = 3  # The CIFAR stem has this many times F channels.
STEM_SHARES = (4, 2)  # The ImageNet stem's two cells have F / 4 and F / 2 filters.
BEFORE = {"one-before": 2, "two-before": 3}  # Outputs are counted back from the reduction's own, which is 1.


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


def lay_stem(layers: LayerList, layout: LayoutConfig) -> str:
    """A 3x3 convolution and batch norm, without ReLU; on ImageNet it halves the image, and without padding."""
    if layout.skeleton == "imagenet":
        conv = layers.conv("stem.conv", IMAGE, layout.stem_filters, kernel=(3, 3), stride=(2, 2), is_padded=False)
    else:
        conv = layers.conv("stem.conv", IMAGE, CIFAR_STEM * layout.filters, kernel=(3, 3))
    return layers.batch_norm("stem.batch_norm", conv)


def places(layout: LayoutConfig) -> Iterator[Place]:
    """Stacks of N normal cells with a reduction cell between; filters double at each reduction."""
    if layout.skeleton == "imagenet":
        for index, share in enumerate(STEM_SHARES):
            yield Place(f"stem_{index}", True, layout.filters // share)
    for stack in range(layout.reductions + 1):
        filters = layout.filters * 2**stack
        if stack > 0:
            yield Place(f"reduction_{stack - 1}", True, filters)
        for index in range(layout.normal_cells):
            # The auxiliary head stands before the second reduction, and nowhere if there is none.
            is_last = index == layout.normal_cells - 1
            has_auxiliary = stack == 1 and is_last and layout.reductions >= 2
            follows_reduction = stack > 0 and index == 0
            previous = BEFORE[layout.previous_after_reduction] if follows_reduction else 2
            yield Place(f"cell_{stack * layout.normal_cells + index}", False, filters, has_auxiliary, previous)


def smallest_image(layout: LayoutConfig) -> int:
    """Height and width in pixels with which every reduction still finds two rows."""
    if layout.skeleton == "imagenet":
        # S pixels leave (S - 1) // 2 behind the stem's convolution; then come the stem's own two reduction cells.
        return 2 * ((1 << layout.reductions + 1) + 1) + 1
    return (1 << layout.reductions - 1) + 1


def batch_norm_constants(layout: LayoutConfig) -> tuple[float, float]:
    """(epsilon, weight of the newest batch): the released code's decay is 0.9 on CIFAR and 0.9997 on ImageNet."""
    return (1e-3, 0.0003) if layout.skeleton == "imagenet" else (1e-5, 0.1)
