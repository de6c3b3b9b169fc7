"""Spaces and shared networks as the paper prints them, as the released scripts build them, and as a search has them.

The paper names no width; its presets have ours, or that of the scripts where ours is the same.
"""

from typing import NamedTuple

from search_engine.config.controller_presets import EnasKind
from search_engine.config.space import (
    EnasMacroSpaceConfig,
    EnasMicroSpaceConfig,
    EnasRecurrentSpaceConfig,
    EnasSpaceConfig,
)
from search_engine.config.supernet import ImageSupernetConfig, MacroSupernetConfig, MicroSupernetConfig
from search_engine.config.supernet_text import RecurrentSupernetConfig


class SupernetPreset(NamedTuple):
    space: EnasSpaceConfig
    supernet: ImageSupernetConfig | RecurrentSupernetConfig


def supernet_preset(kind: EnasKind, name: str) -> SupernetPreset:
    """The space and shared network of a kind of search by one of controller_presets.PRESET_NAMES."""
    return _PRESETS[kind][name]


_PRESETS: dict[str, dict[str, SupernetPreset]] = {
    "enas-micro": {
        "default": SupernetPreset(EnasMicroSpaceConfig(), MicroSupernetConfig()),
        "paper": SupernetPreset(EnasMicroSpaceConfig(), MicroSupernetConfig()),
        "released": SupernetPreset(EnasMicroSpaceConfig(), MicroSupernetConfig(reduction_cell="released")),
    },
    "enas-macro": {
        "default": SupernetPreset(EnasMacroSpaceConfig(), MacroSupernetConfig()),
        "paper": SupernetPreset(EnasMacroSpaceConfig(), MacroSupernetConfig(join="concat")),
        "released": SupernetPreset(
            EnasMacroSpaceConfig(indexing="released"), MacroSupernetConfig(batch_norm="running")
        ),
    },
    "enas-recurrent": {
        "default": SupernetPreset(EnasRecurrentSpaceConfig(), RecurrentSupernetConfig()),
        "paper": SupernetPreset(EnasRecurrentSpaceConfig(), RecurrentSupernetConfig(batch_norm="output")),
        "released": SupernetPreset(
            EnasRecurrentSpaceConfig(),
            RecurrentSupernetConfig(
                hidden=720,
                weights="pair-and-activation",
                batch_norm="nodes-and-output",
                batch_norm_epsilon=1.0,
            ),
        ),
    },
}
