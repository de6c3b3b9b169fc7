"""A cell of NAS-Bench-201 under edits: the operation on each of its six edges."""

from search_engine.architectures.nas_bench_201 import (
    NAS_BENCH_201_EDGES,
    NAS_BENCH_201_OPERATIONS,
    NasBench201Architecture,
)
from search_engine.drawing.nas_bench_201 import NODE_NAMES
from search_engine.drawing.palette import SHORT_NAMES
from search_engine.editing.edit import Edit, Menu, number_at, one_of


def labels(architecture: NasBench201Architecture) -> dict[str, str]:
    """What each part of the picture is, by the place that it stands for."""
    return {
        f"operations.{index}": f"{edge_title(index)}: {SHORT_NAMES[operation]}"
        for index, operation in enumerate(architecture.operations)
    }


def menu(architecture: NasBench201Architecture, place: str) -> Menu | None:
    """All that is thinkable at a place; None where there is no such place."""
    parts = place.split(".")
    number = number_at(parts, 1)
    if parts[0] != "operations" or len(parts) != 2 or number is None or number >= len(architecture.operations):
        return None
    options = one_of(NAS_BENCH_201_OPERATIONS, architecture.operations[number], SHORT_NAMES)
    return Menu(place, edge_title(number), options)


def edited(architecture: NasBench201Architecture, edit: Edit) -> NasBench201Architecture:
    """The cell behind an edit that its menu allows."""
    number = int(edit.place.split(".")[1])
    before = architecture.operations
    return NasBench201Architecture((*before[:number], edit.choice, *before[number + 1 :])).validated()


def edge_title(number: int) -> str:
    source, target = NAS_BENCH_201_EDGES[number]
    return f"From {NODE_NAMES[source]} to {NODE_NAMES[target]}"
