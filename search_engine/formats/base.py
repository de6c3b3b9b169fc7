"""What reading and writing a dialect comes to."""

from dataclasses import dataclass

from search_engine.architectures.reading import Architecture

KINDS = {  # What an architecture of each kind is, in words.
    "cells": "a pair of cells",
    "macro": "a whole network of layers",
    "recurrent": "a recurrent cell",
    "nas_bench_201": "a cell of NAS-Bench-201",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What a text says. remarks: sentences on what the text leaves open and was assumed."""

    architecture: Architecture
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CannotHold:
    """An architecture that a dialect has no words for. sentence: why, naming the first thing that is in the way."""

    sentence: str
