"""Networks of published sizes, by the names that the publications give them."""

from dataclasses import dataclass

from search_engine.config.layout import Layout, LayoutConfig, MacroLayoutConfig, NasBench201LayoutConfig

IMAGENET_CLASSES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSize:
    """A layout with the images it was published for. title: as printed; data: the images' name.

    In NASNet's "6 @ 768", 6 are the normal cells of a stack and 768 the channels that leave the last one.
    """

    title: str
    data: str
    layout: Layout
    image_size: int
    image_channels: int = 3
    classes: int = 10


def _imagenet(title: str, layout: LayoutConfig, image_size: int) -> PublishedSize:
    return PublishedSize(title=title, data="ImageNet", layout=layout, image_size=image_size, classes=IMAGENET_CLASSES)


_MOBILE = LayoutConfig(skeleton="imagenet", normal_cells=4, filters=44)
_LARGE = LayoutConfig(
    skeleton="imagenet", normal_cells=6, filters=168, stem_filters=96, previous_after_reduction="two-before"
)

PUBLISHED_SIZES = (  # First NASNet, tables 1 to 3; the settings are those of its released code.
    PublishedSize(title="6 @ 768", data="CIFAR-10", layout=LayoutConfig(normal_cells=6, filters=32), image_size=32),
    PublishedSize(title="7 @ 2304", data="CIFAR-10", layout=LayoutConfig(normal_cells=7, filters=96), image_size=32),
    _imagenet("4 @ 1056", _MOBILE, 224),
    _imagenet("6 @ 4032", _LARGE, 331),
    PublishedSize(  # DARTS, the released code for CIFAR-10: 18 normal cells and 2 reduction cells.
        title="DARTS, 20 cells, 36 channels",
        data="CIFAR-10",
        layout=LayoutConfig(skeleton="darts", normal_cells=6, filters=36),
        image_size=32,
    ),
    PublishedSize(  # ENAS, the released script for a final network of cells: 15 layers and 2 reductions.
        title="ENAS, 15 layers, 36 filters",
        data="CIFAR-10",
        layout=LayoutConfig(skeleton="enas", normal_cells=5, filters=36),
        image_size=32,
    ),
    PublishedSize(
        title="96 filters", data="CIFAR-10", layout=MacroLayoutConfig(filters=96), image_size=32
    ),  # ENAS, the released script for a final network.
    PublishedSize(
        title="5 cells, 16 filters", data="CIFAR-10", layout=NasBench201LayoutConfig(), image_size=32
    ),  # NAS-Bench-201, section 2.
)


def published_sizes(kind: str) -> tuple[PublishedSize, ...]:
    """The published sizes for this kind of architecture."""
    return tuple(size for size in PUBLISHED_SIZES if size.layout.kind == kind)
