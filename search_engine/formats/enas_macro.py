"""ENAS's macro strings: for each layer its operation, then one bit for every earlier output that it may join.

The released code and the paper's figures count these outputs differently: in the code the bits of layer k stand for the
stem and layers 1 to k - 2, in the figures for layers 1 to k - 1. Strings in circulation are those of the code.
"""

from math import isqrt

from search_engine.architectures.macro import MACRO_OPERATIONS, MAX_LAYERS, MacroArchitecture, MacroLayer
from search_engine.errors import ArchitectureError
from search_engine.formats.base import CannotHold, Found

_ASSUMED = (
    "Skip bits are counted as in the released code, from the stem; begin the text with macro-figure: where they are "
    "counted from layer 1, as in the paper's figures."
)


def fits(length: int) -> bool:
    layers = _layers(length)
    return 1 <= layers <= MAX_LAYERS and layers * (layers + 1) // 2 == length


def _layers(length: int) -> int:
    return (isqrt(8 * length + 1) - 1) // 2


def read_released(numbers: list[int]) -> Found:
    return Found(_read(numbers, first_output=0), (_ASSUMED,))


def read_figure(numbers: list[int]) -> Found:
    return Found(_read(numbers, first_output=1))


def _read(numbers: list[int], *, first_output: int) -> MacroArchitecture:
    """first_output: what the first bit of a layer stands for, 0 for the stem or 1 for layer 1."""
    layers: list[MacroLayer] = []
    at = 0
    while at < len(numbers):
        end = at + 1 + len(layers)
        if numbers[at] >= len(MACRO_OPERATIONS):
            raise _wrong(numbers, at, f"the operation of layer {len(layers) + 1} is 0 to {len(MACRO_OPERATIONS) - 1}")
        for place in range(at + 1, end):
            if numbers[place] > 1:
                raise _wrong(numbers, place, f"a skip of layer {len(layers) + 1} is 0 or 1")
        bits = numbers[at + 1 : end]
        skips = tuple(first_output + place for place, bit in enumerate(bits) if bit)
        layers.append(MacroLayer(MACRO_OPERATIONS[numbers[at]], skips))
        at = end
    return MacroArchitecture(tuple(layers)).validated()


def _wrong(numbers: list[int], place: int, rule: str) -> ArchitectureError:
    return ArchitectureError("", f"number {place + 1} is {numbers[place]}, where {rule}.")


def write(architecture: MacroArchitecture) -> str | CannotHold:
    """One line for each layer, skips counted as in the released code."""
    lines = []
    for index, layer in enumerate(architecture.layers):
        if index in layer.skips:
            before = "the stem" if index == 0 else f"layer {index}"
            return CannotHold(
                f"In the strings of ENAS's released code no layer joins the output right before it; "
                f"layer {index + 1} joins {before}."
            )
        bits = [str(int(output in layer.skips)) for output in range(index)]
        lines.append(" ".join([str(MACRO_OPERATIONS.index(layer.operation)), *bits]) + "\n")
    return "".join(lines)
