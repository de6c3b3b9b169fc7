"""A trained network as a zip that runs alone: weights, source, detector, ONNX, architecture, pictures, model card."""

import textwrap
from dataclasses import dataclass
from importlib import resources
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from search_engine.code_version import code_version
from search_engine.export.bundle_file import KEPT, WEIGHTS, in_one_order, weights_metadata, zipped
from search_engine.export.bundle_parts import architecture_files, json_bytes, kept_note, printed_network, refusals
from search_engine.export.card import Card, about
from search_engine.export.detection_source import detection_source
from search_engine.export.language_bundle import language_files
from search_engine.export.model_source import model_source
from search_engine.export.onnx_file import NoOnnx, OnnxFile, WriteOnnx, onnx_file, onnx_step_file
from search_engine.export.printed_parts import LINE
from search_engine.training.trained_language_network import TrainedLanguageNetwork
from search_engine.training.trained_network import TrainedNetwork

CHECKED = 8  # How many inputs have their outputs recorded.
PATTERN = 7  # Pixels of the random patterns that these inputs are enlarged from.


@dataclass(frozen=True, slots=True)
class Bundle:
    """content: the zip; equal networks give equal bytes, but for the ONNX file. remark: why it has no ONNX file."""

    content: bytes
    remark: str


def make_bundle(trained: TrainedNetwork | TrainedLanguageNetwork, *, write_onnx: WriteOnnx | None = None) -> Bundle:
    """write_onnx: makes the ONNX file of the printed network; None for the way of its kind.

    Raises CheckpointError for weights that do not fit.
    """
    if isinstance(trained, TrainedLanguageNetwork):
        files, remark = language_files(trained, write_onnx or onnx_step_file)
        return Bundle(zipped(files), remark)
    source = model_source(trained.plan, about=_about(trained))
    network = printed_network(source, trained.tensors)
    onnx = (write_onnx or onnx_file)(network, trained.plan.image)
    remark = onnx.sentence if isinstance(onnx, NoOnnx) else ""
    files = {
        "model.py": source.encode(),
        **_programs(),
        **architecture_files(trained.architecture),
        **_tensors(trained),
    }
    files["detection.py"] = trained_detection_source(trained).encode()
    if isinstance(onnx, OnnxFile):
        files["model.onnx"] = onnx.content
    files["preprocessing.json"] = json_bytes(preprocessing(trained))
    files["config.json"] = json_bytes(trained.config.model_dump(mode="json"))
    opset = onnx.opset if isinstance(onnx, OnnxFile) else None
    files["README.md"] = (
        Card(trained, tuple(sorted(files)), opset, remark, refusals(trained.architecture)).text().encode()
    )
    return Bundle(zipped(files), remark)


def _about(trained: TrainedNetwork) -> str:
    """As lines of a file of Python."""
    return textwrap.fill(about(trained), LINE)


def preprocessing(trained: TrainedNetwork) -> dict[str, Any]:
    """How an image becomes an input, and what the outputs mean."""
    channels, height, width = trained.plan.image
    return {
        "channels": channels,
        "colour": {1: "grey", 3: "RGB"}.get(channels, f"{channels} channels"),
        "height": height,
        "width": width,
        "resizing": "averaging over areas",
        "scale": trained.normalisation["scale"],
        "offset": trained.normalisation["offset"],
        "formula": "byte * scale + offset, per channel; bytes from 0 to 255, [channels, height, width]",
        "classes": list(trained.classes),
    }


def trained_detection_source(trained: TrainedNetwork) -> str:
    """torchvision's detectors read numbers from 0 to 1, of which they take a mean and divide by a deviation."""
    deviation = [1 / (255 * scale) for scale in trained.normalisation["scale"]]
    mean = [-offset * each for offset, each in zip(trained.normalisation["offset"], deviation, strict=True)]
    return detection_source(
        trained.architecture,
        trained.config.layout,
        image_channels=trained.plan.image[0],
        mean=mean,
        deviation=deviation,
        about=_about(trained),
    )


def _programs() -> dict[str, bytes]:
    parts = resources.files("search_engine.export")
    return {name: parts.joinpath(f"{name}.txt").read_bytes() for name in ("check.py", "hubconf.py")}


def _tensors(trained: TrainedNetwork) -> dict[str, bytes]:
    """The weights, and outputs that were computed by the network as it was trained, not by the printed file."""
    from safetensors.torch import save

    names = ("held_out_accuracy", "test_accuracy", "test_examples")
    noted = weights_metadata(
        {
            "architecture": trained.architecture.to_json(),
            "layout": trained.config.layout.model_dump(mode="json"),
            "normalisation": trained.normalisation,
            "config": trained.config.model_dump(mode="json"),
            "data": trained.metadata["data"],
            "results": {name: trained.metadata[name] for name in names if name in trained.metadata},
            "hash": trained.architecture.hash,
            "code_version": code_version(),
            KEPT: kept_note(trained),
        }
    )
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in trained.tensors.items()}
    inputs = sample_inputs(trained)
    with torch.no_grad():
        logits = trained.network().eval()(inputs)
    return {
        WEIGHTS: in_one_order(save(weights, noted)),
        "check.safetensors": in_one_order(save({"inputs": inputs, "logits": logits.contiguous()})),
    }


def sample_inputs(trained: TrainedNetwork) -> Tensor:
    """Inputs [N, C, H, W] with the size, range and smoothness of images, but of nobody: patterns drawn at random."""
    channels, height, width = trained.plan.image
    generator = torch.Generator().manual_seed(1)
    patterns = torch.rand(CHECKED, channels, PATTERN, PATTERN, generator=generator) * 255
    pixels = functional.interpolate(patterns, (height, width), mode="bilinear").round()
    scale, offset = (torch.tensor(trained.normalisation[name])[:, None, None] for name in ("scale", "offset"))
    return (pixels * scale + offset).contiguous()
