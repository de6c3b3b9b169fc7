"""Layers of a plan as a list of steps, and the tree of modules that holds their weights."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from search_engine.layers import IMAGE, Layer
from search_engine.networks.layer_compute import Compute, compute_of, is_evenly_padded, pad_with_zeros


@dataclass(frozen=True, slots=True)
class _Step:
    """Compute one value from others; all are places in a list. finished: places that no later step reads."""

    compute: Compute
    sources: tuple[int, ...]
    target: int
    finished: tuple[int, ...]


class Program:
    """Layers as a list of steps, prepared once so that running it is a plain loop."""

    def __init__(
        self,
        layers: tuple[Layer, ...],
        outputs: tuple[str, ...],
        computes: dict[str, Compute],
        memory_format: torch.memory_format,
    ) -> None:
        """computes: of layers with weights or drop paths, by name."""
        raw = _with_explicit_padding(layers, outputs, computes, memory_format)
        places = {IMAGE: 0} | {target: place for place, (target, _, _) in enumerate(raw, start=1)}
        last_use = {source: number for number, (_, sources, _) in enumerate(raw) for source in sources}
        self._steps = tuple(
            _Step(
                compute,
                tuple(places[source] for source in sources),
                places[target],
                tuple({places[s] for s in sources if last_use[s] == number and s not in outputs}),
            )
            for number, (target, sources, compute) in enumerate(raw)
        )
        self._outputs = tuple(places[name] for name in outputs)
        self._size = len(places)

    def run(self, images: Tensor) -> tuple[Tensor, ...]:
        """The outputs. Intermediate values are let go after their last use, so scoring needs little memory."""
        values: list[Tensor | None] = [None] * self._size
        values[0] = images
        for step in self._steps:
            values[step.target] = step.compute(*[values[source] for source in step.sources])
            for place in step.finished:
                values[place] = None
        return tuple(values[place] for place in self._outputs)  # type: ignore[misc]  # Outputs are not let go.


_RawStep = tuple[str, tuple[str, ...], Compute]


def _with_explicit_padding(
    layers: tuple[Layer, ...],
    outputs: tuple[str, ...],
    computes: dict[str, Compute],
    memory_format: torch.memory_format,
) -> list[_RawStep]:
    """(name of the value, names it is computed from, how), in order.

    PyTorch's convolutions pad both sides alike. Where SAME wants one pixel more below and right, the source is padded
    by a step of its own, once for all convolutions that want it so.
    """
    readers = dict.fromkeys(outputs, 1)  # Whoever runs the program reads these, so nothing may overwrite them.
    for layer in layers:
        for source in layer.inputs:
            readers[source] = readers.get(source, 0) + 1
    kinds = {layer.name: layer.kind for layer in layers}
    steps: dict[str, _RawStep] = {}
    for layer in layers:
        sources = layer.inputs
        if layer.kind == "conv" and not is_evenly_padded(layer):
            padded = f"{sources[0]} padded {layer.padding}"
            steps.setdefault(padded, (padded, sources, pad_with_zeros(layer)))
            sources = (padded,)
        # Convolution and batch norm keep their inputs for the backward pass, not their outputs, so an output that
        # nothing else reads may be overwritten.
        is_last_reader = readers[layer.inputs[0]] == 1 and kinds.get(layer.inputs[0]) in ("conv", "batch_norm")
        compute = computes.get(layer.name) or compute_of(layer, memory_format, is_last_reader)
        steps[layer.name] = (layer.name, sources, compute)
    return list(steps.values())


def hang(root: nn.Module, name: str, module: nn.Module) -> None:
    """Hang a module into the tree at a dotted name."""
    *path, last = name.split(".")
    for part in path:
        if part not in root._modules:
            root.add_module(part, nn.Module())
        root = root.get_submodule(part)
    root.add_module(last, module)
