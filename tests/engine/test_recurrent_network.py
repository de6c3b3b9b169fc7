import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.recurrent import ACTIVATIONS, RecurrentArchitecture, RecurrentNode
from search_engine.networks.language_network import Masks, draw_masks
from search_engine.networks.recurrent_cell import siblings
from search_engine.networks.recurrent_network import RecurrentNetwork
from search_engine.recurrent_plan import recurrent_costs, recurrent_parameter_shapes

# ENAS, figure 2: tanh; ReLU on node 0; ReLU on node 1; tanh on node 0; the mean of the two loose ends.
FIGURE_2 = RecurrentArchitecture(
    (RecurrentNode(None, "tanh"), RecurrentNode(0, "relu"), RecurrentNode(1, "relu"), RecurrentNode(0, "tanh")), (2, 3)
).validated()
# ENAS, figure 6, the published cell.
FIGURE_6 = RecurrentArchitecture(
    tuple(
        RecurrentNode(source, activation)
        for source, activation in [
            (None, "tanh"), (0, "tanh"), (1, "relu"), (2, "relu"), (2, "tanh"), (2, "tanh"),
            (5, "relu"), (1, "tanh"), (6, "relu"), (8, "relu"), (8, "relu"), (8, "relu"),
        ]
    ),
    (3, 4, 7, 9, 10, 11),
).validated()  # fmt: skip


def network(
    architecture: RecurrentArchitecture, vocabulary: int = 7, hidden: int = 5, seed: int = 1
) -> RecurrentNetwork:
    generator = torch.Generator().manual_seed(seed)
    return RecurrentNetwork(
        architecture, vocabulary=vocabulary, hidden=hidden, generator=generator, initial_range=0.5
    ).double()


def figure_2_network(gates: list[float]) -> RecurrentNetwork:
    """One hidden unit; word 0 has the vector 0.5. Weights of the values as in the worked cell, gates as given."""
    found = network(FIGURE_2, vocabulary=1, hidden=1)
    word_gate, state_gate, gate_1, gate_2, gate_3 = gates
    found.load_state_dict(
        {
            "embedding.weight": torch.tensor([[0.5]]).double(),
            "nodes.0.word": torch.tensor([[1.0, word_gate]], dtype=torch.float64),
            "nodes.0.state": torch.tensor([[0.5, state_gate]], dtype=torch.float64),
            "nodes.1.weight": torch.tensor([[2.0, gate_1]], dtype=torch.float64),
            "nodes.2.weight": torch.tensor([[-1.0, gate_2]], dtype=torch.float64),
            "nodes.3.weight": torch.tensor([[1.5, gate_3]], dtype=torch.float64),
        }
    )
    return found


def output_of(found: RecurrentNetwork, state: float) -> float:
    outputs, _ = found(torch.tensor([[0]]), torch.tensor([[state]], dtype=torch.float64))
    return float(outputs.detach())


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_the_worked_cell_in_plain_form_comes_out_where_every_gate_is_open() -> None:
    found = figure_2_network([2000, 0, 2000, 2000, 2000])
    # Node 2 reads 0.759898, so its ReLU of a negative number is 0; the mean of 0 and 0.515303.
    assert output_of(found, -0.2) == pytest.approx(0.257652, abs=1e-6)


def test_the_worked_cell_in_highway_form() -> None:
    """The same cell with gates: word 0.3, state -0.4, then 1, 0.5 and -1; every line by hand."""
    state = -0.2
    gate = sigmoid(0.5 * 0.3 + state * -0.4)  # sigmoid(0.23) = 0.557248
    node_0 = gate * math.tanh(0.5 * 1 + state * 0.5) + (1 - gate) * state  # 0.123175
    gate = sigmoid(node_0 * 1)
    node_1 = gate * max(0, 2 * node_0) + (1 - gate) * node_0
    gate = sigmoid(node_1 * 0.5)
    node_2 = gate * max(0, -node_1) + (1 - gate) * node_1
    gate = sigmoid(node_0 * -1)
    node_3 = gate * math.tanh(1.5 * node_0) + (1 - gate) * node_0
    assert node_0 == pytest.approx(0.123175, abs=1e-6)
    assert output_of(figure_2_network([0.3, -0.4, 1, 0.5, -1]), state) == pytest.approx(
        (node_2 + node_3) / 2, abs=1e-12
    )


def test_a_closed_gate_carries_the_state_through_the_whole_cell() -> None:
    found = figure_2_network([-2000, 0, 2000, 2000, 2000])
    with torch.no_grad():
        found.nodes[0].word[0, 1] = -2000
        for node in list(found.nodes)[1:]:
            node.weight[0, 1] = 2000  # Times a negative state: closed.
    assert output_of(found, -0.2) == pytest.approx(-0.2, abs=1e-12)


def test_the_published_cell_has_26_square_matrices_and_one_embedding() -> None:
    hidden, vocabulary = 12, 50
    found = network(FIGURE_6, vocabulary, hidden)
    count = sum(parameter.numel() for parameter in found.parameters())
    assert count == 26 * hidden**2 + vocabulary * hidden


@pytest.mark.parametrize("architecture", [FIGURE_2, FIGURE_6])
def test_the_network_has_the_tensors_that_its_plan_names(architecture: RecurrentArchitecture) -> None:
    found = network(architecture, vocabulary=9, hidden=4)
    shapes = {name: tuple(tensor.shape) for name, tensor in found.state_dict().items()}
    assert shapes == recurrent_parameter_shapes(architecture, hidden=4, vocabulary=9)
    planned = recurrent_costs(architecture, hidden=4, vocabulary=9)
    assert sum(row.parameters for row in planned) == sum(tensor.numel() for tensor in found.state_dict().values())


@st.composite
def architectures(draw: st.DrawFn) -> RecurrentArchitecture:
    count = draw(st.integers(1, 7))
    nodes = tuple(
        RecurrentNode(None if index == 0 else draw(st.integers(0, index - 1)), draw(st.sampled_from(ACTIVATIONS)))
        for index in range(count)
    )
    loose = RecurrentArchitecture(nodes, ()).loose_ends()
    return RecurrentArchitecture(nodes, loose).validated()


def node_by_node(found: RecurrentNetwork, words: torch.Tensor, state: torch.Tensor, masks: Masks) -> torch.Tensor:
    """The cell as the paper writes it: one node after the other, with a gate c and a value h of its own."""
    functions = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "identity": lambda x: x}
    weights, outputs, hidden = found.state_dict(), [], found.hidden
    mask = 1 if masks.nodes is None else masks.nodes
    for step in words:
        x = weights["embedding.weight"][step] * (1 if masks.inputs is None else masks.inputs)
        before, h = state, []
        for index, node in enumerate(found.architecture.nodes):
            if index == 0:
                product = x @ weights["nodes.0.word"] + (before * mask) @ weights["nodes.0.state"]
            else:
                before = h[node.source]
                product = (before * mask) @ weights[f"nodes.{index}.weight"]
            c = torch.sigmoid(product[:, hidden:])
            h.append(c * functions[node.activation](product[:, :hidden]) + (1 - c) * before)
        state = sum(h[index] for index in found.architecture.averaged) / len(found.architecture.averaged)
        outputs.append(state)
    return torch.stack(outputs)


@settings(max_examples=40, deadline=None)
@given(architectures(), st.booleans())
def test_nodes_computed_together_say_what_they_say_one_by_one(architecture: RecurrentArchitecture, drop: bool) -> None:
    found = network(architecture)
    generator = torch.Generator().manual_seed(3)
    rates = {"inputs": 0.4, "nodes": 0.3, "outputs": 0.2} if drop else {"inputs": 0.0, "nodes": 0.0, "outputs": 0.0}
    masks = draw_masks(found, 2, words=0.0, **rates, generator=generator)
    words, state = torch.tensor([[0, 3], [6, 1], [2, 2]]), torch.randn(2, 5, generator=generator, dtype=torch.float64)
    outputs, after = found(words, state, masks)
    assert torch.allclose(outputs, node_by_node(found, words, state, masks), atol=1e-12)
    assert torch.equal(after, outputs[-1])


@given(architectures())
def test_siblings_hold_every_node_but_the_first_once(architecture: RecurrentArchitecture) -> None:
    groups = siblings(architecture)
    assert sorted(index for group in groups for index in group.nodes) == list(range(1, len(architecture.nodes)))
    known = {0}
    for group in groups:
        assert group.source in known
        known |= set(group.nodes)


def test_every_weight_of_every_activation_gets_a_gradient() -> None:
    nodes = (RecurrentNode(None, "sigmoid"), *(RecurrentNode(0, name) for name in ACTIVATIONS))
    found = network(RecurrentArchitecture(nodes, (1, 2, 3, 4)).validated())
    outputs, _ = found(torch.tensor([[1], [2]]), found.first_state(1) + 0.1)
    found.logits(outputs)[:, :, 0].sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in found.parameters())


def test_the_output_layer_is_the_embedding_and_has_no_bias() -> None:
    found = network(FIGURE_2)
    outputs = torch.zeros(1, 1, 5, dtype=torch.float64)
    assert torch.equal(found.logits(outputs), torch.zeros(1, 1, 7, dtype=torch.float64))
    outputs[0, 0, 2] = 1
    assert torch.equal(found.logits(outputs)[0, 0], found.embedding.weight[:, 2])


def test_a_mask_is_the_same_at_every_time_step_and_keeps_the_mean() -> None:
    found = network(FIGURE_2, hidden=400)
    masks = draw_masks(
        found, 3, words=0.5, inputs=0.0, nodes=0.25, outputs=0.75, generator=torch.Generator().manual_seed(1)
    )
    assert masks.inputs is None
    assert masks.nodes is not None and masks.words is not None and masks.outputs is not None
    assert masks.words.shape == (7, 1) and masks.nodes.shape == masks.outputs.shape == (3, 400)
    assert masks.nodes.unique().tolist() == pytest.approx([0, 4 / 3])
    assert float(masks.outputs.mean()) == pytest.approx(1, abs=0.15)


def test_initial_weights_are_uniform_in_the_range_and_follow_the_seed() -> None:
    first, again, other = (network(FIGURE_6, hidden=20, seed=seed).state_dict() for seed in (1, 1, 2))
    everything = torch.cat([tensor.flatten() for tensor in first.values()])
    assert everything.abs().max() <= 0.5 and everything.abs().max() > 0.49
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["nodes.1.weight"], other["nodes.1.weight"])
