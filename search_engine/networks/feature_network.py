"""A network without its head, as the backbone of a detector: feature maps of images of any size.

Windows are padded as in a plan of the image's own size (TensorFlow's SAME depends on it), so there is a plan for every
size, made when it is first seen; the weights are the same for all.
"""

import functools
from collections import OrderedDict

import torch
from torch import Tensor, nn

from search_engine.architectures.reading import Architecture
from search_engine.config.layout import Layout
from search_engine.feature_maps import FeatureMap, feature_maps, trunk
from search_engine.layers import Layer
from search_engine.network_plan import NetworkPlan, plan
from search_engine.networks.layer_compute import Compute, Convolution, is_evenly_padded
from search_engine.networks.plan_network import PlanNetwork
from search_engine.networks.program import Program

KEPT_SIZES = 32  # Programs that are kept; a detector pads its images to multiples of 32, so sizes come again.


class FeatureNetwork(nn.Module):
    """The feature maps of a plan, deepest last, under the names "0", "1", ...

    Parameters and buffers have the names of the plan, so the checkpoint of a network fits without its head.
    Batch norm always uses its running statistics and leaves them as they are: a detector trains with a few images a
    step, too few to measure them. Its scale and shift are trained.
    """

    def __init__(
        self,
        architecture: Architecture,
        layout: Layout,
        *,
        image_channels: int,
        image_size: int,
        generator: torch.Generator,
    ) -> None:
        """image_size: any that the layout can halve. Weights are drawn as for a network of this size."""
        super().__init__()
        self._lay = functools.partial(plan, architecture, layout, image_channels=image_channels, classes=1)
        whole = self._lay(image_size=image_size)
        self.maps: tuple[FeatureMap, ...] = feature_maps(whole)
        network = PlanNetwork(trunk(whole), generator=generator)
        for name, module in network.named_children():
            self.add_module(name, module)
        self.train()
        self._programs: OrderedDict[tuple[int, int], Program] = OrderedDict()

    def forward(self, images: Tensor) -> OrderedDict[str, Tensor]:
        """Feature maps [B, C, h, w] of images [B, C, H, W]. Raises ConfigError where these are too small to halve."""
        height, width = images.shape[2:]
        values = self._program(height, width).run(images.contiguous(memory_format=torch.channels_last))
        return OrderedDict((str(index), value) for index, value in enumerate(values))

    def train(self, mode: bool = True) -> "FeatureNetwork":
        """Batch norm stays as it is in evaluation."""
        return super().train(False)

    def _program(self, height: int, width: int) -> Program:
        found = self._programs.pop((height, width), None) or self._made(self._lay(image_size=(height, width)))
        self._programs[height, width] = found
        if len(self._programs) > KEPT_SIZES:
            self._programs.popitem(last=False)
        return found

    def _made(self, whole: NetworkPlan) -> Program:
        layers = trunk(whole).layers
        computes = {layer.name: self._compute(layer) for layer in layers if layer.parameter_shapes()}
        outputs = tuple(each.layer for each in self.maps)
        return Program(layers, outputs, computes, torch.channels_last)

    def _compute(self, layer: Layer) -> Compute:
        module = self.get_submodule(layer.name)
        if not isinstance(module, Convolution):
            return module
        padding = (layer.padding[0], layer.padding[2]) if is_evenly_padded(layer) else (0, 0)
        window = (None, layer.stride, padding, (layer.dilation, layer.dilation), layer.groups)
        return lambda x: torch.conv2d(x, module.weight, *window)
