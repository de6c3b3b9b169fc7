"""A recurrent cell under edits: the source and the activation of a node, and which nodes are averaged."""

from collections.abc import Iterator
from dataclasses import replace

from search_engine.architectures.recurrent import ACTIVATIONS, RecurrentArchitecture
from search_engine.editing.edit import Edit, Menu, Option, leaving, number_at, one_of


def labels(cell: RecurrentArchitecture) -> dict[str, str]:
    """What each part of the picture is, by the place that it stands for."""
    return dict(_labels(cell))


def beside(place: str) -> tuple[str, ...]:
    """The places that are changed together with one, as its part of the picture offers them."""
    if place.endswith(".activation") and place != "nodes.0.activation":
        return (place, place.removesuffix("activation") + "source")
    return (place,)


def menu(cell: RecurrentArchitecture, place: str) -> Menu | None:
    """All that is thinkable at a place; None where there is no such place. Node 0 has no source to choose."""
    parts = place.split(".")
    if place == "averaged":
        return Menu(place, "What the output is the mean of", _averaged_options(cell), takes_several=True)
    number = number_at(parts, 1)
    if parts[0] != "nodes" or number is None or number >= len(cell.nodes):
        return None
    node = cell.nodes[number]
    match parts[2:]:
        case ["activation"]:
            return Menu(place, f"Node {number}: activation", one_of(ACTIVATIONS, node.activation))
        case ["source"] if node.source is not None:
            return Menu(place, f"Node {number}: source", _source_options(cell, number, node.source))
        case _:
            return None


def edited(cell: RecurrentArchitecture, edit: Edit) -> RecurrentArchitecture:
    """The cell behind an edit that its menu allows."""
    if edit.place == "averaged":
        averaged = set(cell.averaged) ^ {int(edit.choice)}
        return RecurrentArchitecture(cell.nodes, tuple(sorted(averaged))).validated()
    _, place, what = edit.place.split(".")
    number = int(place)
    node = cell.nodes[number]
    node = replace(node, activation=edit.choice) if what == "activation" else replace(node, source=int(edit.choice))
    nodes = (*cell.nodes[:number], node, *cell.nodes[number + 1 :])
    loose = RecurrentArchitecture(nodes, ()).loose_ends()
    averaged_then = leaving(cell.averaged, cell.loose_ends(), loose)
    return RecurrentArchitecture(nodes, averaged_then).validated()


def _labels(cell: RecurrentArchitecture) -> Iterator[tuple[str, str]]:
    for index, node in enumerate(cell.nodes):
        source = "word and state" if node.source is None else f"node {node.source}"
        yield f"nodes.{index}.activation", f"Node {index}: {node.activation} of {source}"
        if node.source is not None:
            yield f"nodes.{index}.source", f"Node {index}, source: {source}"
    yield "averaged", f"Output, mean of {', '.join(f'node {index}' for index in cell.averaged)}"


def _source_options(cell: RecurrentArchitecture, number: int, chosen: int) -> tuple[Option, ...]:
    found = []
    for source in range(len(cell.nodes)):
        refusal = ""
        if source == number:
            refusal = "A node cannot read itself."
        elif source > number:
            refusal = f"Node {source} comes after node {number}; a node reads only one that comes before it."
        found.append(Option(str(source), f"Node {source}", source == chosen, refusal))
    return tuple(found)


def _averaged_options(cell: RecurrentArchitecture) -> tuple[Option, ...]:
    loose = cell.loose_ends()
    found = []
    for node in range(len(cell.nodes)):
        refusal = f"No node reads node {node}, so it has to be part of the mean." if node in loose else ""
        found.append(Option(str(node), f"Node {node}", node in cell.averaged, refusal))
    return tuple(found)
