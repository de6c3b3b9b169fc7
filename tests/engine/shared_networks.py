"""Small spaces of ENAS, and architectures drawn from them, for the tests of shared weights."""

from hypothesis import strategies as st

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.macro import MacroArchitecture, MacroLayer


def cell_of(*blocks, unused_inputs=True):
    """A cell from rows (input 1, input 2, operation 1, operation 2); what nobody reads leaves it."""
    made = tuple(Block((first, second), (one, two), "add") for first, second, one, two in blocks)
    read = {state for block in made for state in block.inputs}
    states = range(0 if unused_inputs else 2, 2 + len(made))
    return Cell(made, tuple(state for state in states if state not in read))


def same_cells(*blocks, unused_inputs=True):
    cell = cell_of(*blocks, unused_inputs=unused_inputs)
    return CellArchitecture(cell, cell)


def macro_of(*layers):
    """A macro network from rows (operation, skips)."""
    return MacroArchitecture(tuple(MacroLayer(operation, tuple(skips)) for operation, skips in layers))


@st.composite
def micro_architectures(draw, space):
    cells = []
    for _ in range(2):
        states = [st.integers(0, node + 1) for node in range(space.nodes)]
        operations = st.sampled_from(space.operations)
        rows = [(draw(state), draw(state), draw(operations), draw(operations)) for state in states]
        cells.append(cell_of(*rows, unused_inputs=space.unused_inputs))
    return CellArchitecture(*cells)


@st.composite
def macro_architectures(draw, space):
    first = 1 if space.indexing == "figure" else 0
    rows = []
    for index in range(space.layers):
        skips = [skip for skip in range(first, first + index) if draw(st.booleans())]
        rows.append((draw(st.sampled_from(space.operations)), skips))
    return macro_of(*rows)
