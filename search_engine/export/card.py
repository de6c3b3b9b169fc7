"""The model card: what a network is, what it was trained on and how, how good it is, and how it is used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search_engine import cost
from search_engine.catalogue.published import published_names, read_published
from search_engine.code_version import code_version
from search_engine.config.base import Config
from search_engine.export.settings_in_force import settings_in_force
from search_engine.training.trained_network import TrainedNetwork

KINDS = {
    "cells": "a network of a normal and a reduction cell",
    "macro": "a macro network of ENAS",
    "nas_bench_201": "a network of a NAS-Bench-201 cell",
}
TORCH = """import torch
from safetensors.torch import load_file
from model import Network

network = Network().eval()
network.load_state_dict(load_file("weights.safetensors"))"""
HUB = """network = torch.hub.load("FOLDER", "network", source="local", pretrained=True)"""
ONNX = """import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
(logits,) = session.run(["logits"], {"images": images})  # float32 [B, C, H, W], any B"""
DETECTOR = """from detection import detector
from safetensors.torch import load_file

model = detector(OBJECTS, load_file("weights.safetensors"))  # OBJECTS: how many kinds, the background not counted."""
IMAGE = """import json, numpy, torch
from PIL import Image

told = json.load(open("preprocessing.json"))
image = Image.open("image.png").convert("MODE").resize((told["width"], told["height"]), Image.Resampling.BOX)
pixels = numpy.asarray(image, numpy.float32).reshape(told["height"], told["width"], told["channels"])
images = (pixels * numpy.float32(told["scale"]) + numpy.float32(told["offset"])).transpose(2, 0, 1)[None]
logits = network(torch.from_numpy(images))
print(told["classes"][int(logits.argmax())])"""

PICTURE = "![The architecture, drawn](pictures/whole.svg)"
NOT_LISTED = "What is not listed was off. The whole configuration is in `config.json`."


@dataclass(frozen=True, slots=True)
class Card:
    """files: the other files of the bundle. opset: of the ONNX file; None without one, and then remark says why.

    refusals: titles of the dialects that cannot hold the architecture, and why.
    """

    trained: TrainedNetwork
    files: tuple[str, ...]
    opset: int | None
    remark: str
    refusals: Mapping[str, str]

    def text(self) -> str:
        sections = (
            ("", self._what()),
            ("How good it is", self._results()),
            ("What it costs", self._cost()),
            ("How it is used", self._use()),
            ("Data", self._data()),
            ("Preprocessing", self._preprocessing()),
            ("How it was trained", self._recipe()),
            ("Files", self._files()),
        )
        return "\n\n".join(f"## {title}\n\n{text}" if title else text for title, text in sections) + "\n"

    def _what(self) -> str:
        trained = self.trained
        name = plain(trained.config.name) or "A trained network"
        return f"# {name}\n\n{about(trained)} Made by Cellwright {code_version()}.\n\n{PICTURE}"

    def _results(self) -> str:
        told, data = self.trained.metadata, self.trained.config.data
        held_out, test = told.get("held_out_accuracy"), told.get("test_accuracy")
        rows = {f"held-out part, {data.held_out_examples:,} images of the training part": held_out}
        if test is not None:
            rows[f"test part, {told['test_examples']:,} images, looked at once after the last epoch"] = test
        lines = table("Images", "Accuracy", {name: "unknown" if v is None else f"{v:.4f}" for name, v in rows.items()})
        return lines if test is not None else f"{lines}\n\nThe test images were not looked at."

    def _cost(self) -> str:
        network = self.trained.plan
        counts = {"Parameters": cost.parameters(network), "Mult-adds of one image": cost.mult_adds(network)}
        return table("", "Count", {name: f"{value:,}" for name, value in counts.items()})

    def _use(self) -> str:
        onnx = self.remark
        if self.opset is not None:
            onnx = f"With ONNX Runtime (opset {self.opset}):\n\n{code_block(ONNX)}"
        mode = {1: "L", 3: "RGB"}.get(self.trained.plan.image[0])
        shown = (
            ""
            if mode is None
            else f"\n\nOne image, with Pillow and NumPy:\n\n{code_block(IMAGE.replace('MODE', mode))}"
        )
        return (
            f"In the folder of these files, with PyTorch and safetensors:\n\n{code_block(TORCH)}\n\n"
            f"From anywhere, by torch.hub:\n\n{code_block(HUB)}\n\n{onnx}{shown}\n\n"
            "As the backbone of a detector, with torchvision: a Faster R-CNN with a feature pyramid. All but "
            f"the backbone is untrained until it is trained on objects:\n\n{code_block(DETECTOR)}\n\n"
            f"`python check.py` repeats recorded outputs and fails where one differs. The inputs that it uses were "
            "drawn at random; no image of the data set is in this bundle."
        )

    def _data(self) -> str:
        data = self.trained.metadata["data"]
        config = self.trained.config.data
        rows = {
            "Data set": plain(data.get("title") or data["name"]),
            "SHA-256": f"`{data['sha256']}`",
            "Licence of the data": plain(data.get("licence") or "not stated"),
            "Training images": f"{config.train_examples:,}",
            "Held-out images": f"{config.held_out_examples:,}, drawn from the training part by the seed",
            "Image size": f"{config.image_size} x {config.image_size}",
        }
        return table("", "", rows)

    def _preprocessing(self) -> str:
        trained = self.trained
        scale, offset = trained.normalisation["scale"], trained.normalisation["offset"]
        rows = {
            f"channel {index}": f"byte * {a!r} {'-' if b < 0 else '+'} {abs(b)!r}"
            for index, (a, b) in enumerate(zip(scale, offset, strict=True))
        }
        classes = ", ".join(f"{index} {plain(name)}" for index, name in enumerate(trained.classes))
        channels, height, width = trained.plan.image
        return (
            f"Inputs are [B, {channels}, {height}, {width}], 32-bit floats. Images of another size were resized by "
            f"averaging over areas.\n\n{table('', 'Input', rows)}\n\n"
            f"The classes, in the order of the logits: {classes}. All of this is in `preprocessing.json` too."
        )

    def _recipe(self) -> str:
        config = self.trained.config
        told = self.trained.metadata.get("numerics")
        lines = [settings_table(part) for part in (config.layout, config.recipe, config.reproducibility)]
        numerics = (
            [] if told is None else [f"Computed by version {plain(str(told))} of Cellwright's rules of rounding."]
        )
        network = self.trained.plan
        norms = f"Batch norm adds {network.batch_norm_epsilon!r} to a variance; a batch weighs "
        norms += f"{network.batch_norm_momentum!r} in the moving statistics."
        return "\n\n".join([*lines, norms, *numerics, NOT_LISTED])

    def _files(self) -> str:
        refused = [f"Not as {title}: {sentence}" for title, sentence in self.refusals.items()]
        names = "\n".join(f"- `{name}`" for name in self.files)
        return "\n\n".join([names, *([self.remark] if self.remark else []), *refused])


def about(trained: TrainedNetwork) -> str:
    """What a network is, in words that nobody typed: they stand in Python files too."""
    architecture, layout = trained.architecture, trained.config.layout
    kind = KINDS[architecture.kind]
    published = (read_published(name) for name in published_names())
    title = next((one.title for one in published if one.architecture == architecture), None)
    known = f"{title}: {kind}" if title else kind[0].upper() + kind[1:]
    channels, height, width = trained.plan.image
    return (
        f"{known}, {layout.filters} filters, for images of {channels} x {height} x {width} and {len(trained.classes)} "
        f"classes. Architecture {architecture.hash[:12]}."
    )


def plain(text: str) -> str:
    """What somebody typed, as words of Markdown: one line, no mark-up."""
    return "".join(f"\\{each}" if each in "\\`*_[]<>#|" else each for each in " ".join(text.split()))


def settings_table(part: Config) -> str:
    rows = {title: plain(value) for title, value in settings_in_force(part).items()}
    return table(str(getattr(type(part), "heading", "")), "", rows)


def table(left: str, right: str, rows: Mapping[str, Any]) -> str:
    return "\n".join(
        [f"| {left} | {right} |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows.items())]
    )


def code_block(text: str) -> str:
    return f"```python\n{text}\n```"
