"""A recurrent architecture as Python that a person can read: a node, the cell, one step, and a whole sequence.

The file needs PyTorch and nothing else; its parameters have the names of `recurrent_plan`, so the weights of a
checkpoint fit.
"""

from importlib import resources

from search_engine.architectures.recurrent import RecurrentArchitecture

_ACTIVATIONS = {"tanh": "torch.tanh", "relu": "torch.relu", "sigmoid": "torch.sigmoid", "identity": "identity"}
_SIZES, _NODES, _CELL = "VOCABULARY, HIDDEN = ...", "            ...  # The nodes.", "        ...  # The cell."


def recurrent_source(architecture: RecurrentArchitecture, *, vocabulary: int, hidden: int, about: str) -> str:
    """The module `model.py`. about: what its docstring says first."""
    known = resources.files("search_engine.export").joinpath("recurrent_parts.py.txt").read_text(encoding="utf-8")
    if all(node.activation != "identity" for node in architecture.nodes):
        known = known.replace(_definition_of_identity(known), "")
    nodes = [_node(node.activation, is_first=index == 0) for index, node in enumerate(architecture.nodes)]
    text = known.replace(_SIZES, f"VOCABULARY, HIDDEN = {vocabulary}, {hidden}")
    text = text.replace(_NODES, "\n".join(f"            {node}," for node in nodes))
    text = text.replace(_CELL, "\n".join(f"        {line}" for line in _cell(architecture)))
    told = f"{about.strip()}\n\nNeeds PyTorch only. The names of its parameters are those of the checkpoint."
    return f'"""{told}\n"""\n\n{text}'


def _node(activation: str, *, is_first: bool) -> str:
    return f"{'FirstNode' if is_first else 'Node'}({_ACTIVATIONS[activation]})"


def _cell(architecture: RecurrentArchitecture) -> list[str]:
    """The statements of a cell's forward pass: every node, then the mean of those that are averaged."""
    lines = ["node_0 = self.nodes[0](word, state)"]
    for index, node in enumerate(architecture.nodes[1:], 1):
        lines.append(f"node_{index} = self.nodes[{index}](node_{node.source})")
    names = [f"node_{index}" for index in architecture.averaged]
    if len(names) == 1:
        return [*lines, f"return {names[0]}"]
    return [*lines, "return torch.stack([", *(f"    {name}," for name in names), "]).mean(0)"]


def _definition_of_identity(text: str) -> str:
    begin = text.index("def identity(")
    return text[begin : text.index("def matrix(", begin)]
