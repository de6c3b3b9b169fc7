"""Layers of a plan as a list of steps, and the tree of modules that holds their weights."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from search_engine.layers import IMAGE, Layer
from search_engine.networks.layer_compute import Compute, compute_of, is_evenly_padded, pad_with_zeros
from search_engine.networks.recomputation import WORTH_WHILE, Cheap, Recomputation

# What it costs to compute a value again in the backward pass: too much, or little. Of batch norm little, once its
# statistics are known; of a ReLU that overwrote its source too, where that is cheap itself.
_Price = Literal["dear", "cheap", "batch_norm", "relu", "relu_in_place"]
# Of the depthwise convolutions that are cheap, in pixels. Larger ones take so long that a fifth more memory is the
# better price: a step of NASNet-A takes 3 percent less.
LARGEST_WINDOW = 3


@dataclass(frozen=True, slots=True)
class _Step:
    """Compute one value from others; all are places in a list. finished: places that no later step reads."""

    compute: Compute
    sources: tuple[int, ...]
    target: int
    finished: tuple[int, ...]
    price: _Price


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
        places = {IMAGE: 0} | {step.target: place for place, step in enumerate(raw, start=1)}
        last_use = {source: number for number, step in enumerate(raw) for source in step.sources}
        self._steps = tuple(
            _Step(
                step.compute,
                tuple(places[source] for source in step.sources),
                places[step.target],
                tuple({places[s] for s in step.sources if last_use[s] == number and s not in outputs}),
                step.price,
            )
            for number, step in enumerate(raw)
        )
        self._outputs = tuple(places[name] for name in outputs)
        self._size = len(places)
        self._numbers_per_image = sum(layer.shape[0] * layer.shape[1] * layer.shape[2] for layer in layers)

    def run(self, images: Tensor) -> tuple[Tensor, ...]:
        """The outputs. Intermediate values are let go after their last use, so scoring needs little memory.

        Where the backward pass would need much, it computes cheap values again. The outputs and all gradients have the
        same bits either way.
        """
        values: list[Tensor | None] = [None] * self._size
        values[0] = images
        if self._is_large(images):
            self._run_sparingly(values)
        else:
            for step in self._steps:
                values[step.target] = step.compute(*[values[source] for source in step.sources])
                for place in step.finished:
                    values[place] = None
        return tuple(values[place] for place in self._outputs)  # type: ignore[misc]  # Outputs are not let go.

    def _is_large(self, images: Tensor) -> bool:
        """Whether there will be a backward pass that keeps much. On a GPU and at 16 bits other kernels compute."""
        is_plain = (
            images.device.type == "cpu" and images.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
        )
        return torch.is_grad_enabled() and is_plain and 4 * len(images) * self._numbers_per_image >= WORTH_WHILE

    def _run_sparingly(self, values: list[Tensor | None]) -> None:
        again = Recomputation()
        with again.watching():
            for step in self._steps:
                sources = [values[source] for source in step.sources]
                value, cheap = _computed(step, sources, again)  # type: ignore[arg-type]  # None is let go of later.
                for place in step.finished:
                    again.forget(values[place])  # type: ignore[arg-type]  # It is there until now.
                    values[place] = None
                values[step.target] = value
                if cheap is not None:
                    again.add(value, cheap)


def _computed(step: _Step, sources: list[Tensor], again: Recomputation) -> tuple[Tensor, Cheap | None]:
    """What a step computes, and how to compute it again, where that is cheap."""
    if step.price == "batch_norm":
        value, known = step.compute.with_statistics(*sources)  # type: ignore[attr-defined]  # Batch norms have it.
        return value, None if known is None else again.cheap(known, [again.source(sources[0])])
    if step.price == "dear":
        return step.compute(*sources), None
    recipes = [again.source(source) for source in sources]
    if step.price == "relu_in_place" and isinstance(recipes[0], Tensor):
        return step.compute(*sources), None  # The source is gone.
    cheap = again.cheap(step.compute, recipes)
    if step.price == "cheap":
        return step.compute(*sources), cheap
    with again.resulting(cheap):
        return step.compute(*sources), cheap


@dataclass(frozen=True, slots=True)
class _RawStep:
    """As _Step, with names of values."""

    target: str
    sources: tuple[str, ...]
    compute: Compute
    price: _Price


def _with_explicit_padding(
    layers: tuple[Layer, ...],
    outputs: tuple[str, ...],
    computes: dict[str, Compute],
    memory_format: torch.memory_format,
) -> list[_RawStep]:
    """The steps in order.

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
            steps.setdefault(padded, _RawStep(padded, sources, pad_with_zeros(layer), "cheap"))
            sources = (padded,)
        # These kinds do not keep their outputs for the backward pass, so an output that nothing else reads may be
        # overwritten.
        is_last_reader = readers[layer.inputs[0]] == 1 and kinds.get(layer.inputs[0]) in _OVERWRITTEN
        compute = computes.get(layer.name) or compute_of(layer, memory_format, is_last_reader)
        steps[layer.name] = _RawStep(layer.name, sources, compute, _price(layer, is_last_reader))
    return list(steps.values())


_OVERWRITTEN = ("conv", "batch_norm", "add", "concat")


def _price(layer: Layer, is_last_reader: bool) -> _Price:
    if layer.kind == "relu":
        return "relu_in_place" if is_last_reader else "relu"
    if layer.kind == "batch_norm":
        return "batch_norm"
    is_depthwise = layer.kind == "conv" and layer.groups == layer.in_channels == layer.shape[0] > 1
    is_quick = is_depthwise and max(layer.kernel) <= LARGEST_WINDOW
    return "cheap" if is_quick or layer.kind in ("add", "concat", "subsample") else "dear"


def hang(root: nn.Module, name: str, module: nn.Module) -> None:
    """Hang a module into the tree at a dotted name."""
    *path, last = name.split(".")
    for part in path:
        if part not in root._modules:
            root.add_module(part, nn.Module())
        root = root.get_submodule(part)
    root.add_module(last, module)
