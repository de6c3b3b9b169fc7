import pytest

from search_engine.architectures.recurrent import RecurrentArchitecture, RecurrentNode
from search_engine.catalogue.published import read_published
from search_engine.config.space import EnasRecurrentSpaceConfig
from search_engine.errors import ArchitectureError
from search_engine.formats.enas_recurrent import write
from search_engine.spaces.enas_recurrent import EnasRecurrentSpace

SPACE = EnasRecurrentSpace(EnasRecurrentSpaceConfig())
TANH, RELU, IDENTITY, SIGMOID = range(4)


def test_twelve_nodes_make_23_decisions():
    sizes = [len(decision.options) for decision in SPACE.decisions]
    assert sizes == [4, *(size for node in range(1, 12) for size in (node, 4))]
    assert [decision.name for decision in SPACE.decisions[:3]] == [
        "node 1 activation", "node 2 source", "node 2 activation",
    ]  # fmt: skip
    assert SPACE.decisions[3].options == ("node 1", "node 2")
    assert [decision.family for decision in SPACE.decisions[:2]] == ["activation", "source"]


def test_the_cell_of_figure_2_averages_its_two_loose_ends():
    space = EnasRecurrentSpace(EnasRecurrentSpaceConfig(nodes=4))
    # Node 1 tanh; 2 reads 1, ReLU; 3 reads 2, ReLU; 4 reads 1, tanh. Nodes 3 and 4 are loose.
    decoded = space.decode([TANH, 0, RELU, 1, RELU, 0, TANH])
    assert decoded.nodes == (
        RecurrentNode(None, "tanh"), RecurrentNode(0, "relu"), RecurrentNode(1, "relu"), RecurrentNode(0, "tanh"),
    )  # fmt: skip
    assert decoded.averaged == (2, 3)


def test_the_published_cell_encodes_as_the_numbers_of_its_string():
    published = read_published("enas-recurrent-paper").architecture
    string = "0 0 0 1 1 2 1 2 0 2 0 5 1 1 0 6 1 8 1 8 1 8 1"
    assert SPACE.encode(published) == tuple(map(int, string.split()))
    assert write(SPACE.decode(SPACE.encode(published))) == f"{string}\n"


def test_what_the_space_does_not_hold_is_refused_at_its_field():
    space = EnasRecurrentSpace(EnasRecurrentSpaceConfig(nodes=2, activations=("tanh",)))
    first, second = RecurrentNode(None, "tanh"), RecurrentNode(0, "tanh")
    assert space.encode(RecurrentArchitecture((first, second), (1,))) == (0, 0, 0)
    for field, nodes, averaged in (
        ("nodes", (first,), (0,)),
        ("nodes.1.activation", (first, RecurrentNode(0, "relu")), (1,)),
        ("averaged", (first, second), (0, 1)),
    ):
        with pytest.raises(ArchitectureError) as refused:
            space.encode(RecurrentArchitecture(nodes, averaged))
        assert refused.value.field == field
