"""A network, or one step of it, as an ONNX file whose batch size is free."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

MOST_BYTES = 1_900_000_000  # One file of this format holds two gigabytes.


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """opset: the version of the operators that it is written in."""

    content: bytes
    opset: int


@dataclass(frozen=True, slots=True)
class NoOnnx:
    """Why there is none: an expected failure. sentence: for the user."""

    sentence: str


WriteOnnx = Callable[[nn.Module, tuple[int, ...]], OnnxFile | NoOnnx]  # The shape of an input without its batch.


def onnx_file(network: nn.Module, image: tuple[int, ...]) -> OnnxFile | NoOnnx:
    """Images [B, C, H, W] in, logits [B, K] out, in the mode of a network that has been trained.

    image: (channels, height, width); only the batch size stays free.
    """
    batch = torch.export.Dim("batch")
    # Of one image, the batch size would be taken for a constant.
    return _written(network, {"images": torch.zeros(2, *image)}, ({0: batch},), ["logits"])


def onnx_step_file(network: nn.Module, state: tuple[int, ...]) -> OnnxFile | NoOnnx:
    """One step of a network on text: token [B] and state [B, H] in, logits [B, V] and next_state [B, H] out.

    state: (H,); only the number of streams stays free.
    """
    streams = torch.export.Dim("streams")  # Told of one input only: the exporter warns of a size with two names.
    inputs = {"token": torch.zeros(2, dtype=torch.int64), "state": torch.zeros(2, *state)}
    return _written(_Step(network), inputs, ({0: streams}, {0: torch.export.Dim.AUTO}), ["logits", "next_state"])


class _Step(nn.Module):
    """One step as the forward pass, which is what an exporter looks at."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, token: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        found: tuple[Tensor, Tensor] = self.network.step(token, state)  # type: ignore[operator]  # Of a printed file.
        return found


def _written(
    network: nn.Module, inputs: dict[str, Tensor], shapes: tuple[dict[int, Any], ...], outputs: list[str]
) -> OnnxFile | NoOnnx:
    lacking = [name for name in ("onnx", "onnxscript") if importlib.util.find_spec(name) is None]
    if lacking:
        return NoOnnx(f"There is no ONNX file: {' and '.join(lacking)} was not installed where the bundle was made.")
    numbers = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    if numbers > MOST_BYTES:
        return NoOnnx(f"There is no ONNX file: the weights have {numbers:,} bytes, and one file holds two gigabytes.")
    try:
        program = torch.onnx.export(
            network.eval(),
            tuple(inputs.values()),
            dynamo=True,
            verbose=False,
            input_names=list(inputs),
            output_names=outputs,
            dynamic_shapes=shapes,
        )
    except torch.onnx.OnnxExporterError as error:
        return NoOnnx(f"There is no ONNX file: PyTorch could not write it ({str(error).strip().splitlines()[0]}).")
    assert program is not None
    return _without_places(program.model_proto)


def _without_places(model: object) -> OnnxFile:
    """The file, without what the exporter notes of each node: from which line of which file on this machine it came."""
    import onnx

    assert isinstance(model, onnx.ModelProto)
    for graph in (model.graph, *model.functions):
        for node in graph.node:
            del node.metadata_props[:]
            node.doc_string = ""
        for value in graph.value_info:
            del value.metadata_props[:]
    for values in (model.graph.input, model.graph.output, model.graph.initializer):
        for value in values:
            del value.metadata_props[:]
    del model.graph.metadata_props[:]
    opset = next(each.version for each in model.opset_import if each.domain in ("", "ai.onnx"))
    return OnnxFile(model.SerializeToString(deterministic=True), opset)
