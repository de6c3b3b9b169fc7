"""The tensors around one recurrent cell, or around all of a search at once, and what they cost (ENAS, section 2.1).

Letters: H units in the state and in the vector of a word, V words. Node 0 multiplies word and state each by an H x 2H
matrix, every other node the one that it reads; the two halves are value and gate. The embedding serves as the output
layer too, without a bias, and is counted once.
"""

from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.config.space import EnasRecurrentSpaceConfig
from search_engine.config.supernet_text import RecurrentSupernetConfig
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


def recurrent_supernet_tensors(
    space: EnasRecurrentSpaceConfig, supernet: RecurrentSupernetConfig, *, vocabulary: int
) -> dict[str, tuple[int, ...]]:
    """Every tensor that the cells of a space share, by its name in checkpoints: a matrix for each that a node may read.

    The released codes keep one for each activation too, so their sums are larger: 544 H^2 + V H for twelve nodes.
    """
    hidden = supernet.hidden
    shapes: dict[str, tuple[int, ...]] = {f"{EMBEDDING}.weight": (vocabulary, hidden)}
    for target in range(space.nodes):
        for activation in space.activations:
            for source in range(target) if target else (None,):
                names = supernet_matrices(supernet, target, source, activation)
                shapes |= dict.fromkeys(names, (hidden, 2 * hidden))
    if supernet.batch_norm != "off":
        shapes |= dict.fromkeys(("norms.output_scale", "norms.output_shift"), (hidden,))
    if supernet.batch_norm == "nodes-and-output":
        shapes |= dict.fromkeys(("norms.node_scale", "norms.node_shift"), (space.nodes, 2 * hidden))
    return shapes


def supernet_matrices(
    supernet: RecurrentSupernetConfig, target: int, source: int | None, activation: str
) -> tuple[str, ...]:
    """The names of what a node multiplies by: for the word and for the state in node 0, one matrix in every other."""
    is_private = supernet.weights == "pair-and-activation" or (
        supernet.weights == "pair-and-later-activation" and target > 0
    )
    behind = f"_{activation}" if is_private else ""
    if source is None:
        return f"nodes.{target}_word{behind}", f"nodes.{target}_state{behind}"
    return (f"nodes.{target}_from_{source}{behind}",)
