"""What recurrent networks cost, against the laws of the fact sheet and the network that is built."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.recurrent import ACTIVATIONS, RecurrentArchitecture, RecurrentNode
from search_engine.errors import ConfigError
from search_engine.networks.recurrent_network import RecurrentNetwork
from search_engine.recurrent_plan import recurrent_costs, recurrent_parameter_shapes


def a_chain(nodes: int) -> RecurrentArchitecture:
    chain = (RecurrentNode(index - 1 if index else None, "tanh") for index in range(nodes))
    return RecurrentArchitecture(tuple(chain), (nodes - 1,)).validated()


@pytest.mark.parametrize(("hidden", "vocabulary"), [(787, 10_000), (200, 2_000), (1, 1)])
def test_twelve_nodes_have_26_square_matrices_and_one_embedding(hidden, vocabulary):
    counted = sum(row.parameters for row in recurrent_costs(a_chain(12), hidden=hidden, vocabulary=vocabulary))
    assert counted == 26 * hidden**2 + vocabulary * hidden


def test_the_law_reaches_the_papers_24_million():
    counted = sum(row.parameters for row in recurrent_costs(a_chain(12), hidden=787, vocabulary=10_000))
    assert round(counted / 1e6, 1) == 24.0


def test_rows_worked_by_hand():
    rows = recurrent_costs(a_chain(2), hidden=3, vocabulary=5)
    assert [(row.name, row.shape, row.parameters, row.mult_adds) for row in rows] == [
        ("embedding", (3,), 15, 0),
        ("nodes.0", (3,), 2 * 18, 2 * 18),  # Two matrices of 3 x 6: for the word and for the state.
        ("nodes.1", (3,), 18, 18),
        ("output", (5,), 0, 15),  # The embedding once more, without a bias.
    ]


@pytest.mark.parametrize(("sizes", "message"), [
    ({"hidden": 0, "vocabulary": 5}, "hidden: is 0; must be at least 1."),
    ({"hidden": 3, "vocabulary": -1}, "vocabulary: is -1; must be at least 1."),
])  # fmt: skip
def test_sizes_that_cannot_be_are_refused(sizes, message):
    with pytest.raises(ConfigError) as refused:
        recurrent_costs(a_chain(2), **sizes)
    assert str(refused.value) == message


@given(st.integers(1, 12), st.integers(1, 9), st.integers(2, 9), st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_built_network_has_these_tensors(count, hidden, vocabulary, random):
    nodes = [
        RecurrentNode(random.randrange(index) if index else None, random.choice(ACTIVATIONS)) for index in range(count)
    ]
    architecture = RecurrentArchitecture(tuple(nodes), tuple(range(count))).validated()
    network = RecurrentNetwork(
        architecture, vocabulary=vocabulary, hidden=hidden, generator=torch.Generator().manual_seed(1)
    )
    shapes = recurrent_parameter_shapes(architecture, hidden=hidden, vocabulary=vocabulary)
    assert {name: tuple(parameter.shape) for name, parameter in network.named_parameters()} == shapes
    rows = recurrent_costs(architecture, hidden=hidden, vocabulary=vocabulary)
    assert sum(row.parameters for row in rows) == sum(parameter.numel() for parameter in network.parameters())
