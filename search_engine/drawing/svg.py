"""Architectures as pictures: stand-alone SVG, the same in a page, a download, a notebook and the terminal."""

from collections.abc import Mapping
from dataclasses import dataclass

from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.macro import MacroArchitecture
from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.architectures.reading import Architecture
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.drawing import parts
from search_engine.drawing.cells import both_cells_svg, cell_svg
from search_engine.drawing.macro import macro_svg, macro_title
from search_engine.drawing.nas_bench_201 import NAS_BENCH_201_TITLE, nas_bench_201_svg
from search_engine.drawing.recurrent import RECURRENT_TITLE, recurrent_svg

__all__ = ["Picture", "architecture_svg", "cell_svg", "pictures"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A piece of an architecture, or the whole, as a picture of its own."""

    title: str
    svg: str


def architecture_svg(architecture: Architecture) -> str:
    """The whole architecture in one picture; of cells the normal one stands over the reduction cell."""
    match architecture:
        case CellArchitecture():
            return both_cells_svg(architecture)
        case MacroArchitecture():
            return macro_svg(architecture)
        case RecurrentArchitecture():
            return recurrent_svg(architecture)
        case NasBench201Architecture():
            return nas_bench_201_svg(architecture)


def pictures(architecture: Architecture, marks: Mapping[str, str] = parts.NO_MARKS) -> dict[str, Picture]:
    """The pieces by name: "normal" and "reduction" of cells, "whole" of every other kind.

    marks: places of the architecture -> what stands there; the parts that stand for them say so (see editing).
    """
    match architecture:
        case CellArchitecture(normal=normal, reduction=reduction):
            pieces = {"normal": ("Normal cell", normal), "reduction": ("Reduction cell", reduction)}
            return {
                name: Picture(title, cell_svg(cell, title=title, name=name, marks=marks))
                for name, (title, cell) in pieces.items()
            }
        case MacroArchitecture():
            return {"whole": Picture(macro_title(architecture), macro_svg(architecture, marks))}
        case RecurrentArchitecture():
            return {"whole": Picture(RECURRENT_TITLE, recurrent_svg(architecture, marks))}
        case NasBench201Architecture():
            return {"whole": Picture(NAS_BENCH_201_TITLE, nas_bench_201_svg(architecture, marks))}
