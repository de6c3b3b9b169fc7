"""A recurrent architecture as Python that a person can read: a node, the cell, one step, and a whole sequence.

The file needs PyTorch and nothing else; its parameters have the names of `recurrent_plan`, so the weights of a
checkpoint fit. An activation is an argument only where nodes differ in it.
"""

from collections.abc import Mapping
from importlib import resources

from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.export.used_parts import used_parts

_ACTIVATIONS = {"tanh": "torch.tanh", "relu": "torch.relu", "sigmoid": "torch.sigmoid", "identity": "identity"}
_NETWORK = "class Network("  # What needs the parts that stand before it.


def recurrent_source(architecture: RecurrentArchitecture, *, vocabulary: int, hidden: int, about: str) -> str:
    """The module `model.py`. about: what its docstring says first."""
    known = resources.files("search_engine.export").joinpath("recurrent_parts.py.txt").read_text(encoding="utf-8")
    parts, network = _filled(known, _words(architecture)).split(_NETWORK)
    network = _NETWORK + network.rstrip()
    sizes = f"VOCABULARY, HIDDEN = {vocabulary}, {hidden}"
    parts = used_parts(parts, [network]).replace("VOCABULARY, HIDDEN = ...", sizes)
    told = f"{about.strip()}\n\nNeeds PyTorch only. The names of its parameters are those of the checkpoint."
    return f'"""{told}\n"""\n\n{parts}\n\n\n{network}\n'


def _words(architecture: RecurrentArchitecture) -> dict[str, list[str]]:
    """What stands in the template for each of its words: a line for each entry, or, inside a line, one entry."""
    first, *rest = (_ACTIVATIONS[node.activation] for node in architecture.nodes)
    is_one, is_one_of_nodes = len({first, *rest}) == 1, len(set(rest)) <= 1
    of_node = next(iter(rest), first) if is_one_of_nodes else "self.activation"
    made = ["FirstNode()", *("Node()" if is_one_of_nodes else f"Node({name})" for name in rest)]
    return {
        "activation, ": [] if is_one else ["activation, "],
        "activation": [first if is_one else "activation"],
        "first activation, ": [] if is_one else [f"{first}, "],
        "node activation, ": [] if is_one else [f"{of_node}, "],
        ", activation": [] if is_one_of_nodes else [", activation"],
        "keep activation": [] if is_one_of_nodes else ["        self.activation = activation"],
        "nodes": [f"            {each}," for each in made],
        "cell": [f"        {line}" for line in _cell(architecture)],
    }


def _filled(known: str, words: Mapping[str, list[str]]) -> str:
    lines: list[str] = []
    for line in known.splitlines():
        if line.startswith("<") and line.endswith(">"):
            lines += words[line[1:-1]]
            continue
        for name, entries in words.items():
            line = line.replace(f"<{name}>", "".join(entries))
        lines.append(line)
    return "\n".join(lines)


def _cell(architecture: RecurrentArchitecture) -> list[str]:
    """The statements of a cell's forward pass: every node, then the mean of those that are averaged."""
    lines = ["node_0 = self.nodes[0](word, state)"]
    for index, node in enumerate(architecture.nodes[1:], 1):
        lines.append(f"node_{index} = self.nodes[{index}](node_{node.source})")
    names = [f"node_{index}" for index in architecture.averaged]
    if len(names) == 1:
        return [*lines, f"return {names[0]}"]
    return [*lines, "return torch.stack([", *(f"    {name}," for name in names), "]).mean(0)"]
