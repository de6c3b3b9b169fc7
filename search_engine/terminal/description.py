"""What `describe` says of an architecture: the sums, the parts and the layers of the network it becomes."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from search_engine import cost
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.reading import Architecture
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.config.layout import default_layout
from search_engine.config.reading import read_config
from search_engine.errors import ConfigError
from search_engine.network_plan import plan
from search_engine.recurrent_plan import recurrent_costs
from search_engine.terminal.command_line import flag_of
from search_engine.terminal.given import layout_settings, read_architecture, refuse_flag

IMAGE_FLAGS = {"image_size": 32, "image_channels": 3, "classes": 10}  # What stands where nothing is given.
TEXT_FLAGS = {"hidden": 850, "vocabulary": 10_000}


@dataclass(frozen=True, slots=True)
class Description:
    """A network in figures. cells: the parts of it; none for a recurrent network, whose layers are its parts."""

    parameters: int
    parameters_with_auxiliary: int
    mult_adds: int
    cells: Sequence[cost.PartCost]
    layers: Sequence[cost.LayerCost]

    def to_json(self) -> dict[str, Any]:
        return {
            "parameters": self.parameters,
            "parameters_with_auxiliary": self.parameters_with_auxiliary,
            "mult_adds": self.mult_adds,
            "cells": [_row(part) | {"mult_adds": part.mult_adds} for part in self.cells],
            "layers": [_row(layer) for layer in self.layers],
        }

    def lines(self) -> list[str]:
        """The same in columns: layers, then parts, then sums."""
        tables = [[_line(row) for row in rows] for rows in (self.layers, self.cells) if rows]
        sums = [
            f"{'parameters':<26} {self.parameters:>15,}",
            f"{'parameters with auxiliary':<26} {self.parameters_with_auxiliary:>15,}",
            f"{'mult adds':<26} {self.mult_adds:>15,}",
        ]
        return [line for table in [*tables, sums] for line in [*table, ""]][:-1]


def described(options: argparse.Namespace) -> Description:
    """Of what was typed. A flag that has no meaning for the kind of architecture is refused."""
    if options.architecture is None:
        raise ConfigError("ARCH", "is missing; name an architecture, or a search by --space.")
    for name in ("supernet", "controller", "preset"):
        if getattr(options, name):
            raise ConfigError(flag_of(name), "belongs to --space.")
    architecture = read_architecture(options.architecture)
    if isinstance(architecture, RecurrentArchitecture):
        return _of_recurrent_cell(options, architecture)
    sizes: Any = _sizes(options, architecture, IMAGE_FLAGS, refused=TEXT_FLAGS)
    if options.concat is not None and not isinstance(architecture, CellArchitecture):
        refuse_flag("--concat", architecture)
    if options.concat == "strict" and isinstance(architecture, CellArchitecture):
        architecture = architecture.with_strict_concat()
    layout = read_config(type(default_layout(architecture)), layout_settings(options, architecture))
    used = plan(architecture, layout, **sizes)
    try:
        network = plan(architecture, layout, **sizes, auxiliary=True)
    except ConfigError:  # The image is too small where the auxiliary head would stand.
        network = used
    return Description(
        parameters=cost.parameters(used),
        parameters_with_auxiliary=cost.parameters(network),
        mult_adds=cost.mult_adds(used),
        cells=cost.part_costs(used),
        layers=cost.layer_costs(used),
    )


def _of_recurrent_cell(options: argparse.Namespace, architecture: RecurrentArchitecture) -> Description:
    for name, value in vars(options).items():
        if name.startswith("layout.") and value is not None:
            refuse_flag(flag_of(name.removeprefix("layout.")), architecture)
    if options.concat is not None:
        refuse_flag("--concat", architecture)
    layers = recurrent_costs(architecture, **_sizes(options, architecture, TEXT_FLAGS, refused=IMAGE_FLAGS))
    parameters = sum(layer.parameters for layer in layers)
    mult_adds = sum(layer.mult_adds for layer in layers)
    return Description(parameters, parameters, mult_adds, (), layers)


def _sizes(
    options: argparse.Namespace, architecture: Architecture, wanted: dict[str, int], *, refused: dict[str, int]
) -> dict[str, int]:
    """What was given over what stands where nothing is given."""
    given = {name: value for name, value in vars(options).items() if name in wanted | refused and value is not None}
    for name in given:
        if name in refused:
            refuse_flag(flag_of(name), architecture)
    return wanted | given


def _row(row: cost.LayerCost | cost.PartCost) -> dict[str, Any]:
    return {"name": row.name, "output_shape": row.shape, "parameters": row.parameters}


def _line(row: cost.LayerCost | cost.PartCost) -> str:
    return f"{row.name:<44} {' x '.join(map(str, row.shape)):>16} {row.parameters:>12,}"
