"""A network as an ONNX file, whose batch size is free."""

import importlib.util
from dataclasses import dataclass

import torch
from torch import nn

from search_engine.layers import Shape

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


def onnx_file(network: nn.Module, image: Shape) -> OnnxFile | NoOnnx:
    """Images [B, C, H, W] in, logits [B, K] out, in the mode of a network that has been trained.

    image: (channels, height, width); only the batch size stays free.
    """
    lacking = [name for name in ("onnx", "onnxscript") if importlib.util.find_spec(name) is None]
    if lacking:
        return NoOnnx(f"There is no ONNX file: {' and '.join(lacking)} was not installed where the bundle was made.")
    numbers = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    if numbers > MOST_BYTES:
        return NoOnnx(f"There is no ONNX file: the weights have {numbers:,} bytes, and one file holds two gigabytes.")
    try:
        program = torch.onnx.export(
            network.eval(),
            (torch.zeros(2, *image),),  # Of one image, the batch size would be taken for a constant.
            dynamo=True,
            verbose=False,
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
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
