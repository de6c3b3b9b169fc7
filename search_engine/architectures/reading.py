"""From JSON to an architecture of any kind."""

from collections.abc import Mapping
from typing import Any

from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.form import FORMAT_VERSION
from search_engine.architectures.macro import MacroArchitecture
from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.errors import ArchitectureError

Architecture = CellArchitecture | MacroArchitecture | RecurrentArchitecture | NasBench201Architecture

_KINDS: dict[str, Any] = {
    "cells": CellArchitecture,
    "macro": MacroArchitecture,
    "recurrent": RecurrentArchitecture,
    "nas_bench_201": NasBench201Architecture,
}

BESIDE = "search"  # Where a search's best.json says how the architecture was found.


def architecture_from_json(value: Any) -> Architecture:
    """Read the JSON form. Raises ArchitectureError at the field that is wrong."""
    if not isinstance(value, Mapping):
        raise ArchitectureError("", f"an architecture is a JSON object, not {type(value).__name__}.")
    if value.get("format") != FORMAT_VERSION:
        raise ArchitectureError("format", f"is {value.get('format')!r}; this program reads format {FORMAT_VERSION}.")
    kind = _KINDS.get(str(value.get("kind")))
    if kind is None:
        raise ArchitectureError("kind", f"is {value.get('kind')!r}; must be one of {', '.join(_KINDS)}.")
    architecture: Architecture = kind.from_json({name: part for name, part in value.items() if name != BESIDE})
    return architecture
