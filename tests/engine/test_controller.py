import math

import pytest
import torch
from torch.testing import assert_close

from search_engine.spaces.base import Decision
from search_engine.strategies.controller import Controller
from tests.engine.toy import ToySpace, nasnet_decisions

UNIFORM_NASNET_NATS = 84.5475  # 2 x (2 ln 2! 3 ... 6 + 10 ln 13 + 5 ln 2), the fact sheet's section 1.


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def controller(decisions: tuple[Decision, ...], seed: int = 1, hidden: int = 100) -> Controller:
    return Controller(decisions, hidden_size=hidden, init_range=0.1, generator=generator(seed))


def test_all_weights_start_within_the_range_and_reach_near_its_ends() -> None:
    for weights in controller(nasnet_decisions()).parameters():
        assert weights.abs().max() <= 0.1
        assert weights.max() > 0.05 and weights.min() < -0.05


def test_a_controller_has_exactly_the_weights_of_the_paper_and_its_embeddings() -> None:
    # LSTM 4 x (100 x 100 + 100 x 100 + 2 x 100); softmaxes of 2 x (2 (2+3+4+5+6) + 10 x 13 + 5 x 2) = 360 options;
    # embeddings of 6 inputs, 13 operations, 2 combinations and the start.
    counted = sum(weights.numel() for weights in controller(nasnet_decisions()).parameters())
    assert counted == 80_800 + 360 * 101 + (6 + 13 + 2 + 1) * 100


@pytest.mark.parametrize("seed", range(5))
def test_a_fresh_controller_is_nearly_undecided(seed: int) -> None:
    _, scores = controller(nasnet_decisions(), seed).draw(20, generator(seed))
    entropies = scores.entropies.sum(dim=1)
    assert entropies.max() < UNIFORM_NASNET_NATS
    assert entropies.mean() > 84.4


def test_the_joint_probability_is_the_product_of_one_softmax_per_decision() -> None:
    policy = controller(nasnet_decisions())
    decisions, scores = policy.draw(7, generator(3))
    assert decisions.shape == (7, 50) and scores.conditionals.shape == (7, 50, 13)
    for index, decision in enumerate(nasnet_decisions()):
        options = scores.conditionals[:, index]
        assert_close(options.exp().sum(dim=1), torch.ones(7))
        assert torch.isneginf(options[:, len(decision.options) :]).all()
        chosen = options.gather(1, decisions[:, index : index + 1]).squeeze(1)
        assert torch.equal(chosen, scores.log_probabilities[:, index])
    assert torch.equal(scores.joint, scores.log_probabilities.sum(dim=1))


def test_the_entropies_are_those_of_the_conditional_distributions() -> None:
    _, scores = controller(nasnet_decisions()).draw(3, generator(4))
    for row in range(3):
        for index, decision in enumerate(nasnet_decisions()):
            logs = scores.conditionals[row, index, : len(decision.options)].tolist()
            by_hand = -sum(math.exp(log) * log for log in logs)
            assert scores.entropies[row, index].item() == pytest.approx(by_hand, abs=1e-5)


def test_rescoring_an_unchanged_policy_gives_a_ratio_of_exactly_one() -> None:
    policy = controller(nasnet_decisions())
    for count in (1, 3, 20):
        decisions, scores = policy.draw(count, generator(count))
        again = policy.score(decisions)
        assert torch.equal((again.joint - scores.joint).exp(), torch.ones(count))
        assert torch.equal(again.entropies, scores.entropies)


def test_one_pass_scores_like_a_step_by_step_lstm() -> None:
    policy = controller(nasnet_decisions(2), hidden=16)
    decisions, scores = policy.draw(5, generator(5))
    hidden = cell = torch.zeros(1, 5, 16)
    read = policy.start.expand(1, 5, 16)
    families = {"input": 0, "operation": 3, "combination": 16}
    row = 0
    for index, decision in enumerate(nasnet_decisions(2)):
        out, (hidden, cell) = policy.lstm(read, (hidden, cell))
        rows = slice(row, row + len(decision.options))
        logits = out[0] @ policy.head_weights[rows].T + policy.head_biases[rows]
        assert_close(logits.log_softmax(dim=1), scores.conditionals[:, index, : len(decision.options)])
        read = policy.embeddings[families[decision.family] + decisions[:, index]][None]
        row += len(decision.options)


def test_draws_follow_the_distribution_they_are_scored_with() -> None:
    policy = Controller(ToySpace([3, 4]).decisions, hidden_size=8, init_range=0.9, generator=generator(2))
    decisions, scores = policy.draw(40_000, generator(6))
    expected = scores.conditionals.exp().mean(dim=0)
    for index, size in enumerate([3, 4]):
        shares = torch.bincount(decisions[:, index], minlength=size) / 40_000
        assert_close(shares, expected[index, :size], atol=0.01, rtol=0)  # Four standard errors.
    pairs = torch.zeros(3, 4).index_put((decisions[:, 0], decisions[:, 1]), torch.tensor(1 / 40_000), accumulate=True)
    for first in range(3):  # The second decision hangs on the first.
        rows = decisions[:, 0] == first
        conditional = scores.conditionals[rows][0, 1, :4].exp()
        assert_close(pairs[first] / pairs[first].sum(), conditional, atol=0.03, rtol=0)


def test_equal_generators_draw_equal_architectures() -> None:
    policy = controller(nasnet_decisions())
    assert torch.equal(policy.draw(9, generator(7))[0], policy.draw(9, generator(7))[0])
    assert not torch.equal(policy.draw(9, generator(7))[0], policy.draw(9, generator(8))[0])


def test_nothing_touches_the_global_generator() -> None:
    before = torch.get_rng_state()
    controller(nasnet_decisions()).draw(2, generator(1))
    assert torch.equal(torch.get_rng_state(), before)


def test_masked_options_are_never_drawn_and_have_no_probability() -> None:
    space = ToySpace([3, 5])
    policy = controller(space.decisions, hidden=8)
    masks = torch.tensor([[True, False, True, True, True], [False, False, False, True, False]])
    decisions, scores = policy.draw(500, generator(9), masks)
    assert set(decisions[:, 0].tolist()) == {0, 2}
    assert set(decisions[:, 1].tolist()) == {3}
    assert_close(scores.log_probabilities[:, 1], torch.zeros(500))
    assert_close(scores.entropies[:, 1], torch.zeros(500))
    assert_close(scores.conditionals.exp().sum(dim=2), torch.ones(500, 2))
    assert torch.equal(policy.score(decisions, masks).joint, scores.joint)


def test_masks_leave_every_gradient_finite() -> None:
    policy = controller(ToySpace([3, 5]).decisions, hidden=8)
    masks = torch.tensor([[True, False, True, True, True], [False, True, False, True, False]])
    decisions, _ = policy.draw(6, generator(9), masks)
    scores = policy.score(decisions, masks)
    (scores.joint.mean() + scores.entropies.mean()).backward()
    for weights in policy.parameters():
        assert weights.grad is not None and weights.grad.isfinite().all()


def test_a_mask_that_leaves_no_option_is_our_bug() -> None:
    policy = controller(ToySpace([3, 2]).decisions, hidden=8)
    with pytest.raises(AssertionError, match="without an option"):
        policy.draw(1, generator(1), torch.tensor([[True, True, True], [False, False, True]]))


def drawn_gate_by_gate(policy: Controller, count: int, seed: int) -> torch.Tensor:
    """The draw written plainly: each gate for itself, whatever it costs."""
    sizes = [len(decision.options) for decision in nasnet_decisions()]
    noise = torch.empty(len(sizes), count, max(sizes)).exponential_(generator=generator(seed))
    noise = -noise.clamp_min(torch.finfo(noise.dtype).tiny).log()
    inner, recurrent, bias, recurrent_bias = policy.lstm.all_weights[0]
    read = torch.addmm(bias + recurrent_bias, torch.cat([policy.start[None], policy.embeddings]), inner.T)
    hidden = cell = torch.zeros(count, 100)
    previous = torch.zeros(count, dtype=torch.long)
    drawn = []
    for place, size in enumerate(sizes):
        enter, forget, value, leave = torch.addmm(read[previous], hidden, recurrent.T).chunk(4, dim=1)
        cell = torch.addcmul(forget.sigmoid() * cell, enter.sigmoid(), value.tanh())
        hidden = leave.sigmoid() * cell.tanh()
        rows = slice(sum(sizes[:place]), sum(sizes[: place + 1]))
        logits = torch.addmm(policy.head_biases[rows], hidden, policy.head_weights[rows].T)
        drawn.append((logits + noise[place, :, :size]).argmax(dim=1))
        previous = drawn[-1] + 1 + policy._offsets[place]
    return torch.stack(drawn, dim=1)


@pytest.mark.parametrize("count", [1, 7, 200])
def test_the_gates_of_a_draw_may_be_computed_in_one_call(count: int) -> None:
    policy = controller(nasnet_decisions())
    with torch.no_grad():
        for weights in policy.parameters():
            weights *= 8  # Decided enough that the noise alone would not do.
        plain = drawn_gate_by_gate(policy, count, seed=5)
    assert torch.equal(policy.draw(count, generator(5))[0], plain)
