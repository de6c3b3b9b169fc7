"""Architectures in the dialects of other programs."""

from search_engine.architectures.cell import Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.reading import Architecture

# DARTS (Liu et al. 2019) numbers a cell's inputs the other way round: 0 is the output of the cell before the previous
# one. Blocks keep their numbers.
_DARTS_STATES = {0: 1, 1: 0}
# Our dilated_conv_3x3 is no dil_conv_3x3, which is separable; like all other operations it keeps its own name.
_DARTS_OPERATIONS = {"identity": "skip_connect"}


def darts_text(architecture: Architecture) -> str:
    """The architecture as a Genotype of the DARTS code, an expression of Python.

    DARTS adds in every block. Where a block concatenates, the text has fields that DARTS does not know, so that its
    reader refuses the text instead of building another network.
    """
    assert isinstance(architecture, CellArchitecture), architecture.kind
    fields = [
        *_darts_fields("normal", architecture.normal),
        *_darts_fields("reduce", architecture.reduction),
    ]
    cells = (("normal", architecture.normal), ("reduce", architecture.reduction))
    if any(block.combination != "add" for _, cell in cells for block in cell.blocks):
        fields += [
            f"    {name}_combinations={[block.combination for block in cell.blocks]!r},\n" for name, cell in cells
        ]
    return "Genotype(\n" + "".join(fields) + ")\n"


def _darts_fields(name: str, cell: Cell) -> list[str]:
    edges = [
        (_DARTS_OPERATIONS.get(operation, operation), _DARTS_STATES.get(state, state))
        for block in cell.blocks
        for operation, state in zip(block.operations, block.inputs, strict=True)
    ]
    lines = "".join(f"        {edge!r},\n" for edge in edges)
    concat = [_DARTS_STATES.get(state, state) for state in cell.concat]
    return [f"    {name}=[\n{lines}    ],\n", f"    {name}_concat={concat!r},\n"]
