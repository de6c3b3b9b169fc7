"""The tensors of a network around one recurrent cell, and what they cost (ENAS, section 2.1 and released code).

Letters: H units in the state and in the vector of a word, V words. Node 0 multiplies word and state each by an H x 2H
matrix, every other node the one that it reads; the two halves are value and gate. The embedding serves as the output
layer too, without a bias, and is counted once.
"""

from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.cost import LayerCost
from search_engine.errors import ConfigError

EMBEDDING, OUTPUT = "embedding", "output"


def recurrent_parameter_shapes(
    architecture: RecurrentArchitecture, *, hidden: int, vocabulary: int
) -> dict[str, tuple[int, int]]:
    """Every trained tensor, by its name in checkpoints. Raises ConfigError where a size is not positive."""
    architecture.validated()
    for field, size in (("hidden", hidden), ("vocabulary", vocabulary)):
        if size < 1:
            raise ConfigError(field, f"is {size}; must be at least 1.")
    matrix = (hidden, 2 * hidden)
    first = {f"{EMBEDDING}.weight": (vocabulary, hidden), "nodes.0.word": matrix, "nodes.0.state": matrix}
    return first | {f"nodes.{index}.weight": matrix for index in range(1, len(architecture.nodes))}


def recurrent_parameters(architecture: RecurrentArchitecture, *, hidden: int, vocabulary: int) -> int:
    """All trained numbers; as many are the mult-adds of one word, which meets every weight once."""
    shapes = recurrent_parameter_shapes(architecture, hidden=hidden, vocabulary=vocabulary)
    return sum(rows * columns for rows, columns in shapes.values())


def recurrent_costs(architecture: RecurrentArchitecture, *, hidden: int, vocabulary: int) -> tuple[LayerCost, ...]:
    """One row per layer, in order. Shapes and mult-adds are those of one word; looking up its vector counts none."""
    shapes = recurrent_parameter_shapes(architecture, hidden=hidden, vocabulary=vocabulary)
    rows = [LayerCost(EMBEDDING, "embedding", (hidden,), vocabulary * hidden, 0)]
    for index in range(len(architecture.nodes)):
        weights = sum(rows * columns for name, (rows, columns) in shapes.items() if name.startswith(f"nodes.{index}."))
        rows.append(LayerCost(f"nodes.{index}", "node", (hidden,), weights, weights))
    return (*rows, LayerCost(OUTPUT, "tied linear", (vocabulary,), 0, vocabulary * hidden))
