"""What `describe --space` says: the sizes of a search's controller, or of the network whose weights all share."""

import argparse
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from search_engine.config.controller_presets import controller_preset
from search_engine.config.space import EnasRecurrentSpaceConfig, NasnetSpaceConfig
from search_engine.config.strategy import PpoConfig
from search_engine.config.supernet_presets import SupernetPreset, supernet_preset
from search_engine.config.supernet_text import RecurrentSupernetConfig
from search_engine.errors import ConfigError
from search_engine.recurrent_plan import recurrent_supernet_tensors
from search_engine.spaces.build import build_space
from search_engine.supernet_plan import image_supernet_layers
from search_engine.terminal.command_line import flag_of

IMAGE_FLAGS = {"image_size": 32, "image_channels": 3, "classes": 10}
TEXT_FLAGS = ("hidden", "vocabulary")
VOCABULARY = 10_000


@dataclass(frozen=True, slots=True)
class SpaceDescription:
    """Tensors that are trained, by name. Published sums leave out the auxiliary head and a recurrent cell's batch norm.

    So they stand apart here, too.
    """

    tensors: Mapping[str, tuple[int, ...]]
    auxiliary: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    batch_norm: Mapping[str, tuple[int, ...]] | None = None

    @property
    def sums(self) -> dict[str, int]:
        parameters = _count(self.tensors)
        sums = {"parameters": parameters, "parameters_with_auxiliary": parameters + _count(self.auxiliary)}
        if self.batch_norm is None:
            return sums
        return sums | {"parameters_with_batch_norm": parameters + _count(self.batch_norm)}

    def to_json(self) -> dict[str, Any]:
        return {**self.sums, "layers": [_row(name, shape) for name, shape in self._all()]}

    def lines(self) -> list[str]:
        """The same in columns: tensors, then sums."""
        rows = [f"{name:<60} {' x '.join(map(str, shape)):>16} {math.prod(shape):>12,}" for name, shape in self._all()]
        return [*rows, "", *(f"{name.replace('_', ' '):<28} {count:>15,}" for name, count in self.sums.items())]

    def _all(self) -> list[tuple[str, tuple[int, ...]]]:
        return [*self.tensors.items(), *self.auxiliary.items(), *(self.batch_norm or {}).items()]


def described_space(options: argparse.Namespace) -> SpaceDescription:
    """Of what was typed. A flag that has no meaning for what is described is refused with ConfigError."""
    _refuse(options, ("architecture", "concat"), "a space")
    _refuse(options, tuple(name for name in vars(options) if name.startswith("layout.")), "a space")
    if options.supernet == options.controller:
        raise ConfigError("--space", "needs either --supernet or --controller: which of its networks is described.")
    preset_name = options.preset or "default"
    if options.controller:
        _refuse(options, (*IMAGE_FLAGS, *TEXT_FLAGS), "a controller")
        return SpaceDescription(_controller_tensors(options.space, preset_name))
    if options.space == "nasnet":
        raise ConfigError("--supernet", "has no meaning for the space nasnet, whose children share no weights.")
    preset = supernet_preset(options.space, preset_name)
    if isinstance(preset.supernet, RecurrentSupernetConfig):
        _refuse(options, tuple(IMAGE_FLAGS), "a recurrent search")
        return _of_text(options, preset)
    _refuse(options, TEXT_FLAGS, "a search on images")
    return _of_images(options, preset)


def _controller_tensors(space: str, preset: str) -> dict[str, tuple[int, ...]]:
    """Those of the very module that a search would draw from."""
    import torch

    from search_engine.strategies.controller_strategy import build_controller

    generator = torch.Generator()
    if space == "nasnet":
        decisions = build_space(NasnetSpaceConfig()).decisions
        controller = build_controller(decisions, PpoConfig(), None, generator)
    else:
        found = controller_preset(space, preset)  # type: ignore[arg-type]  # The parser lets through only kinds.
        decisions = build_space(supernet_preset(space, preset).space).decisions  # type: ignore[arg-type]
        controller = build_controller(decisions, found.strategy, found.controller, generator)
    return {name: tuple(weights.shape) for name, weights in controller.named_parameters()}


def _of_images(options: argparse.Namespace, preset: SupernetPreset) -> SpaceDescription:
    sizes: Any = {name: _given(options, name, otherwise) for name, otherwise in IMAGE_FLAGS.items()}
    has_head = options.space == "enas-micro"
    layers = image_supernet_layers(preset.space, preset.supernet, **sizes, auxiliary=has_head)  # type: ignore[arg-type]
    tensors = {f"{layer.name}.{part}": shape for layer in layers for part, shape in layer.parameter_shapes().items()}
    head = {name: shape for name, shape in tensors.items() if name.startswith("auxiliary.")}
    return SpaceDescription({name: tensors[name] for name in tensors if name not in head}, auxiliary=head)


def _of_text(options: argparse.Namespace, preset: SupernetPreset) -> SpaceDescription:
    shared = preset.supernet
    assert isinstance(preset.space, EnasRecurrentSpaceConfig) and isinstance(shared, RecurrentSupernetConfig)
    shared = shared.model_copy(update={"hidden": _given(options, "hidden", shared.hidden)})
    vocabulary = _given(options, "vocabulary", VOCABULARY)
    tensors = recurrent_supernet_tensors(preset.space, shared, vocabulary=vocabulary)
    norms = {name: shape for name, shape in tensors.items() if name.startswith("norms.")}
    return SpaceDescription({name: tensors[name] for name in tensors if name not in norms}, batch_norm=norms)


def _given(options: argparse.Namespace, name: str, otherwise: Any) -> Any:
    given = getattr(options, name)
    return otherwise if given is None else given


def _refuse(options: argparse.Namespace, names: tuple[str, ...], what: str) -> None:
    for name in names:
        if getattr(options, name) is not None:
            flag = "ARCH" if name == "architecture" else flag_of(name.removeprefix("layout."))
            raise ConfigError(flag, f"has no meaning for {what}.")


def _count(tensors: Mapping[str, tuple[int, ...]]) -> int:
    return sum(math.prod(shape) for shape in tensors.values())


def _row(name: str, shape: tuple[int, ...]) -> dict[str, Any]:
    return {"name": name, "shape": list(shape), "parameters": math.prod(shape)}
