"""ENAS's recurrent strings, of the paper with its first code and of the authors' later release, enas_lm.

The paper's: the activation of node 0, then for every further node the node it reads and its activation. enas_lm's:
node 0 is a fixed tanh and not in the string, and two activations change places. The mean of the nodes that no node
reads is the output, so no string says what it is.
"""

from search_engine.architectures.recurrent import ACTIVATIONS, MAX_NODES, RecurrentArchitecture, RecurrentNode
from search_engine.errors import ArchitectureError
from search_engine.formats.base import CannotHold, Found

_ENAS_LM_ACTIVATIONS = ("tanh", "relu", "sigmoid", "identity")
_ENAS_LM_OUTPUT = (
    "The output is the mean of the nodes that no node reads, as in the paper and in enas_lm's code for TPUs; its code "
    "for GPUs averages every node but the first."
)


def fits_paper(length: int) -> bool:
    return length % 2 == 1 and length <= 2 * MAX_NODES - 1


def fits_enas_lm(length: int) -> bool:
    return length % 2 == 0 and 0 < length <= 2 * (MAX_NODES - 1)


def read_paper(numbers: list[int]) -> Found:
    first = RecurrentNode(None, _activation(numbers, 0, ACTIVATIONS))
    return _counted(_cell(first, numbers, 1, ACTIVATIONS))


def read_enas_lm(numbers: list[int]) -> Found:
    return _counted(_cell(RecurrentNode(None, "tanh"), numbers, 0, _ENAS_LM_ACTIVATIONS), _ENAS_LM_OUTPUT)


def _counted(cell: RecurrentArchitecture, *remarks: str) -> Found:
    """No string says how many nodes it should have, so whoever pasted one is told how many it has."""
    nodes = "1 node" if len(cell.nodes) == 1 else f"{len(cell.nodes)} nodes"
    return Found(cell, (f"The cell has {nodes}; a string that was cut short is a smaller cell.", *remarks))


def _cell(first: RecurrentNode, numbers: list[int], start: int, activations: tuple[str, ...]) -> RecurrentArchitecture:
    nodes = [first]
    for at in range(start, len(numbers), 2):
        if numbers[at] >= len(nodes):
            rule = f"node {len(nodes)} can read 0 to {len(nodes) - 1}"
            raise ArchitectureError("", f"number {at + 1} is {numbers[at]}, where {rule}.")
        nodes.append(RecurrentNode(numbers[at], _activation(numbers, at + 1, activations)))
    averaged = RecurrentArchitecture(tuple(nodes), ()).loose_ends()
    return RecurrentArchitecture(tuple(nodes), averaged).validated()


def _activation(numbers: list[int], place: int, activations: tuple[str, ...]) -> str:
    if numbers[place] >= len(activations):
        rule = f"an activation is 0 to {len(activations) - 1}"
        raise ArchitectureError("", f"number {place + 1} is {numbers[place]}, where {rule}.")
    return activations[numbers[place]]


def write(architecture: RecurrentArchitecture) -> str | CannotHold:
    """The paper's string, which holds any activation of node 0."""
    if set(architecture.averaged) != set(architecture.loose_ends()):
        return CannotHold(
            f"In ENAS the nodes that no node reads are averaged, here {list(architecture.loose_ends())}; "
            f"this cell averages {list(architecture.averaged)}."
        )
    first, *others = architecture.nodes
    pairs = (f"{node.source} {ACTIVATIONS.index(node.activation)}" for node in others)
    return " ".join([str(ACTIVATIONS.index(first.activation)), *pairs]) + "\n"
