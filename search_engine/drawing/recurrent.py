"""A recurrent cell as a picture: word and state on top, nodes below what they read, the mean at the bottom."""

from collections.abc import Mapping

from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.drawing import parts
from search_engine.drawing.geometry import Box
from search_engine.drawing.palette import COLOURS, EDGE_COLOURS, INK
from search_engine.drawing.recurrent_layout import MEAN, NUMBER_INSET, STATE, WORD, PlacedWay, RecurrentLayout, layout

RECURRENT_TITLE = "Recurrent cell"
_NAMES = {WORD: "word", STATE: "state", MEAN: "output"}


def recurrent_svg(cell: RecurrentArchitecture, marks: Mapping[str, str] = parts.NO_MARKS) -> str:
    """The whole cell under its title."""
    placed = layout(cell)
    text = describe_recurrent(cell)
    inner = _cell(cell, placed, marks)
    return parts.one_picture("recurrent", RECURRENT_TITLE, text, placed.width, placed.height, inner)


def describe_recurrent(cell: RecurrentArchitecture) -> str:
    """The cell in words: "Node 0: tanh of word and state. Node 1: relu of node 0. Output: mean of node 1." """
    sentences = []
    for number, node in enumerate(cell.nodes):
        source = "word and state" if node.source is None else f"node {node.source}"
        sentences.append(f"Node {number}: {node.activation} of {source}.")
    leaving = ", ".join(f"node {node}" for node in cell.averaged)
    mean = "mean of " if len(cell.averaged) > 1 else ""
    return " ".join([*sentences, f"Output: {mean}{leaving}."])


def _cell(cell: RecurrentArchitecture, placed: RecurrentLayout, marks: Mapping[str, str]) -> list[str]:
    ways = [_way(way, marks) for way in sorted(placed.ways, key=lambda way: way.target != MEAN)]
    word = parts.end("word", "x_t", placed.word, "drawing-input input-0", EDGE_COLOURS["current"])
    state = parts.end("state", "h_t−1", placed.state, "drawing-input input-1", EDGE_COLOURS["previous"])
    name = "mean" if len(cell.averaged) > 1 else "output"
    mean = parts.marked(parts.end(name, "h_t", placed.mean, "drawing-output", INK), "averaged", marks)
    nodes = [_node(number, node.activation, placed.nodes[number], marks) for number, node in enumerate(cell.nodes)]
    return [*ways, word, state, *nodes, mean]


def _node(number: int, activation: str, box: Box, marks: Mapping[str, str]) -> str:
    named = parts.labelled(activation, box, f"drawing-op activation-{activation}", *COLOURS[activation])
    named = parts.marked(named, f"nodes.{number}.activation", marks)
    inner = [named, parts.remark(str(number), box.x + NUMBER_INSET, box.middle + 3.5)]
    return "\n".join([f'<g class="drawing-node" data-node="{number}">', *inner, "</g>"])


def _way(way: PlacedWay, marks: Mapping[str, str]) -> str:
    kind = {WORD: "current", STATE: "previous"}.get(way.source, "output" if way.target == MEAN else "block")
    source, target = (_NAMES.get(end, end) for end in (way.source, way.target))
    place = "averaged" if way.target == MEAN else f"nodes.{way.target}.source"
    return parts.marked(parts.edge(kind, source, target, parts.falling(way.legs)), place, marks)
