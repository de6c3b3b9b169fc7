"""Weights that all image networks of a space share, and the one path through them that an architecture takes.

Letters: B batch, C channels, H, W size.
"""

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from search_engine.architectures.reading import Architecture
from search_engine.config.supernet import ImageSupernetConfig
from search_engine.errors import ArchitectureError
from search_engine.layers import Layer, Shape
from search_engine.network_plan import NetworkPlan
from search_engine.networks.layer_compute import (
    Compute,
    Convolution,
    Linear,
    fan_in_weights,
    subsample_with_dense_gradient,
)
from search_engine.networks.program import Program, hang
from search_engine.networks.shared_batch_norm import SharedBatchNorm, Statistics
from search_engine.supernet_plan import ImageSpaceConfig, image_supernet_layers, path_plan

PATHS_KEPT = 64  # Paths that are ready to run; one is a list of steps without tensors, and takes milliseconds to make.


@dataclass(frozen=True, slots=True)
class _Path:
    """A way through the bank. weighted: names of its layers with weights, those of the auxiliary head at the end."""

    plan: NetworkPlan
    main: Program
    both: Program
    weighted: tuple[str, ...]


class ImageSupernet(nn.Module):
    """A bank of weights; parameters have the names that `path_plan` gives them: layer, dot, "weight", ...

    A call computes the path of one architecture and nothing else: other weights are neither read nor given a
    gradient, not even zero. Memory is channels_last, as in PlanNetwork.
    """

    def __init__(
        self,
        space: ImageSpaceConfig,
        supernet: ImageSupernetConfig,
        *,
        image: Shape,
        classes: int,
        auxiliary: bool = False,
        generator: torch.Generator,
        memory_format: torch.memory_format = torch.channels_last,
    ) -> None:
        """Draw all weights from a generator on the CPU, in the order of the bank's layers.

        auxiliary: with the auxiliary head, where the network has a place for it.
        memory_format: the default order is there for comparison only.
        Raises ConfigError where image, classes or filters do not fit.
        """
        super().__init__()
        self._supernet, self._memory_format = supernet, memory_format
        self._image, self._classes, self._auxiliary = image, classes, auxiliary
        self._statistics = Statistics(keeps_running=supernet.batch_norm == "running")
        self._bank: dict[str, nn.Module] = {}
        bank = image_supernet_layers(
            space, supernet, image_channels=image[0], image_size=image[1:], classes=classes, auxiliary=auxiliary
        )
        for layer in bank:
            self._bank[layer.name] = self._build_module(layer, generator)
            hang(self, layer.name, self._bank[layer.name])
        self.to(memory_format=memory_format)
        self._paths: OrderedDict[Architecture, _Path] = OrderedDict()

    def logits(self, architecture: Architecture, images: Tensor) -> Tensor:
        """Logits [B, classes] of images [B, C, H, W] as a score reads them: nothing is dropped, nothing changes.

        Batch norm uses the statistics that the configuration names. Raises ArchitectureError where the bank lacks
        what the architecture uses.
        """
        return self._path(architecture).main.run(images.contiguous(memory_format=self._memory_format))[0]

    def both_logits(
        self, architecture: Architecture, images: Tensor, features: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Logits and auxiliary logits, each [B, classes], for a training step; None where there is no such head.

        features: [B, C], what the inputs of the last layer are multiplied with: 0 where a step drops them, else 1 / the
        probability to keep them. Batch norm uses the batch's statistics; running ones, where they are kept, move.
        Raises as `logits`.
        """
        path = self._path(architecture)
        head = self._bank[path.plan.output]
        assert isinstance(head, Linear)
        head.scale, self._statistics.is_training = features, True
        try:
            logits, *auxiliary = path.both.run(images.contiguous(memory_format=self._memory_format))
        finally:
            head.scale, self._statistics.is_training = None, False
        return logits, auxiliary[0] if auxiliary else None

    def parameters_of(self, architecture: Architecture) -> tuple[tuple[str, nn.Parameter], ...]:
        """What a training step of an architecture changes, by name, the auxiliary head with it."""
        return tuple(
            (f"{name}.{last}", parameter)
            for name in self._path(architecture).weighted
            for last, parameter in self._bank[name].named_parameters(recurse=False)
        )

    def _path(self, architecture: Architecture) -> _Path:
        """The path, made once as long as it is among the last few.

        Looked up by the architecture as it is written: isomorphic ones have one hash, but take different paths.
        """
        path = self._paths.get(architecture)
        if path is None:
            path = self._paths[architecture] = self._compiled(architecture)
            if len(self._paths) > PATHS_KEPT:
                self._paths.popitem(last=False)
        self._paths.move_to_end(architecture)
        return path

    def _compiled(self, architecture: Architecture) -> _Path:
        plan = path_plan(
            architecture, self._supernet, image_channels=self._image[0], image_size=self._image[1:],
            classes=self._classes, auxiliary=self._auxiliary,
        )  # fmt: skip
        weighted = tuple(layer.name for layer in plan.layers if layer.parameter_shapes())
        for name in weighted:
            if name not in self._bank:
                raise ArchitectureError("", f"uses {name}, which no architecture of this space has.")
        computes: dict[str, Compute] = {name: self._bank[name] for name in weighted}
        for layer in plan.layers:
            if layer.kind == "subsample":
                computes[layer.name] = subsample_with_dense_gradient(layer, self._memory_format)
        main = Program(plan.without_auxiliary().layers, (plan.output,), computes, self._memory_format)
        if plan.auxiliary_output is None:
            return _Path(plan, main, main, weighted)
        both = Program(plan.layers, (plan.output, plan.auxiliary_output), computes, self._memory_format)
        return _Path(plan, main, both, weighted)

    def _build_module(self, layer: Layer, generator: torch.Generator) -> nn.Module:
        if layer.kind == "conv":
            return Convolution(layer, generator, fan_in_weights)
        if layer.kind == "linear":
            return Linear(layer, generator, fan_in_weights)
        assert layer.kind == "batch_norm", f"{layer.kind} has no weights"
        return SharedBatchNorm(layer, self._statistics)
