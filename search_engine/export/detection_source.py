"""The trunk of a network plan as `detection.py`: a Faster R-CNN of torchvision that needs nothing of this program.

The file stands in every bundle: it is text of some kilobytes, and the weights of the classifier fit it under their own
names.
"""

from collections.abc import Sequence
from importlib import resources

from search_engine.architectures.reading import Architecture
from search_engine.config.layout import Layout
from search_engine.export.groups import groups_of
from search_engine.export.model_source import cell_classes, class_source, module_source, network_lines
from search_engine.export.printed_parts import parts_source
from search_engine.feature_maps import feature_maps, trunk
from search_engine.network_plan import plan

# Every halving of such a size meets an even number of pixels, where SAME and centred padding look different.
PRINTED_SIZE = 256
_IMPORTS = """\
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool"""


def detection_source(
    architecture: Architecture,
    layout: Layout,
    *,
    image_channels: int,
    mean: Sequence[float],
    deviation: Sequence[float],
    about: str,
) -> str:
    """The file. mean, deviation: of each image channel in the training data. about: what its docstring says first."""
    whole = plan(architecture, layout, image_channels=image_channels, image_size=PRINTED_SIZE, classes=1)
    network, maps = trunk(whole), feature_maps(whole)
    groups = groups_of(network)
    classes = cell_classes(groups)
    made, steps, variables = network_lines(groups, classes)
    given = ", ".join(f'("{index}", {variables[each.layer]})' for index, each in enumerate(maps))
    strides = tuple(each.stride for each in maps)
    facts = f"Feature maps of images [B, {image_channels}, H, W] of any size, at strides {', '.join(map(str, strides))}"
    body = module_source(
        "Backbone", facts, [], [*made, "self.train()"], ["images: Tensor"], [*steps, f"return OrderedDict([{given}])"],
        returns="OrderedDict[str, Tensor]",
    )  # fmt: skip
    parts = resources.files("search_engine.export").joinpath("detection_parts.py.txt").read_text(encoding="utf-8")
    own = [*(class_source(each) for each in classes), f"{body}\n\n{_train()}"]
    constants = [
        f"CHANNELS = {tuple(each.channels for each in maps)}",
        f"STRIDES = {strides}",
        f"MEAN, DEVIATION = {tuple(mean)}, {tuple(deviation)}  # Of the data that the weights were trained on.",
    ]
    imports, _, rest = parts_source(network, [*own, "OrderedDict, Tensor"]).partition("\n\n")
    second, _, rest = rest.partition("\n\n")
    needs = "Needs PyTorch and torchvision. The names of its parameters are those of the checkpoint."
    head = f'"""{about.strip()}\n\n{needs}\n"""'
    sections = [rest.strip("\n"), *own, parts.strip()]
    first = f"{head}\n\n{imports}\n\n{second}\n{_IMPORTS}\n\n" + "\n".join(constants)
    return first + "\n" + "\n\n\n".join(sections) + "\n"


def _train() -> str:
    return (
        '    def train(self, mode: bool = True) -> "Backbone":\n'
        '        """Batch norm keeps its statistics: a detector trains with too few images a step to measure them."""\n'
        "        return super().train(False)"
    )
