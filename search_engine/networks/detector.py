"""A found network as the backbone of torchvision's Faster R-CNN with a feature pyramid (Lin et al. 2017)."""

from collections.abc import Sequence

from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from search_engine.networks.feature_network import FeatureNetwork

PYRAMID_CHANNELS = 256
ANCHOR_STRIDES = 8  # An anchor is as wide as 8 pixels of its map are apart: torchvision's own 32, 64, ... for 4, 8, ...
RATIOS = (0.5, 1.0, 2.0)


class PyramidBackbone(nn.Module):
    """A trunk and the feature pyramid on it, whose last map is a coarser one."""

    def __init__(self, body: FeatureNetwork, channels: int) -> None:
        super().__init__()
        self.body, self.out_channels = body, channels
        self.fpn = FeaturePyramidNetwork([each.channels for each in body.maps], channels, LastLevelMaxPool())

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        maps: dict[str, Tensor] = self.fpn(self.body(images))
        return maps


def detector(
    body: FeatureNetwork,
    *,
    classes: int,
    mean: Sequence[float],
    deviation: Sequence[float],
    channels: int = PYRAMID_CHANNELS,
    **settings: object,
) -> FasterRCNN:
    """A detector that tells `classes` kinds of object apart, the background not counted.

    mean, deviation: of each image channel in the data that the body was trained on. channels: of the pyramid.
    settings: further ones of torchvision's FasterRCNN, such as min_size and max_size.
    """
    strides = [each.stride for each in body.maps]
    sizes = tuple((ANCHOR_STRIDES * stride,) for stride in [*strides, 2 * strides[-1]])
    return FasterRCNN(
        PyramidBackbone(body, channels),
        num_classes=classes + 1,
        rpn_anchor_generator=AnchorGenerator(sizes, (RATIOS,) * len(sizes)),
        box_roi_pool=MultiScaleRoIAlign([str(index) for index in range(len(strides))], 7, 2),
        image_mean=list(mean),
        image_std=list(deviation),
        **settings,
    )
