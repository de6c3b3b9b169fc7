"""The loop of ENAS: what learns when, from what, and that it can be left anywhere."""

import math

import pytest
import torch

from search_engine.checkpoints import digest
from search_engine.errors import ConfigError
from search_engine.events import ChildFinished, StepProposed, event_from_json, extend_by_phase, extend_fingerprint
from search_engine.shared_phases import EpochPosition, PhasePosition
from search_engine.shared_search import derive, search_started, share_weights, teach_controller
from search_engine.spaces.build import build_space
from search_engine.strategies.build import build_strategy_for
from search_engine.training.shared_building import build_shared_weights, derived_cost, prepare_shared
from search_engine.training.shared_weights import Score
from tests.engine.toy_shared import ToyWeights, accurate, shared_config

CONFIG = shared_config()


def strategy_of(config):
    return build_strategy_for(
        build_space(config.space), config.strategy, config.controller, children=config.children, seed=1
    )


def by_hash(architecture, minibatch):
    """A reward that depends on both, so that it shows which was asked for."""
    return accurate(int(architecture.hash[:4], 16) / 2**17 + minibatch / 1000)


def ended(phase):
    """(positions, what the phase returned)."""
    positions = []
    while True:
        try:
            positions.append(next(phase))
        except StopIteration as end:
            return positions, end.value


def teach(config, strategy, weights, step=0, position=None):
    more = {} if position is None else {"position": position}
    return teach_controller(config, strategy, weights, step, fingerprint="", weights_sha256="w", **more)


def without_seconds(event):
    return event.model_copy(update={"seconds": 0.0})


def test_every_minibatch_of_a_shared_epoch_has_a_fresh_architecture_and_no_strategy_learns():
    strategy, weights = strategy_of(CONFIG), ToyWeights(by_hash)
    before = digest(*strategy.state_dict())
    positions, event = ended(share_weights(CONFIG, strategy, weights, 0))
    assert digest(*strategy.state_dict()) == before
    assert [number for _, number, _ in weights.trained] == list(range(6)) and not weights.scored
    assert len({drawn for _, _, drawn in weights.trained}) > 3
    assert [position.minibatches for position in positions] == [1, 2, 3, 4, 5, 6]
    assert event.loss == pytest.approx(sum(1 / (1 + count) for count in range(1, 7)) / 6)
    assert event.accuracy == pytest.approx((0 + 1 + 2 + 3 + 4 + 5) / 60) and event.perplexity is None
    assert event.hash == weights.trained[-1][2]
    assert event_from_json(event.to_json()) == event


def test_the_next_epoch_sees_other_architectures():
    strategy, weights = strategy_of(CONFIG), ToyWeights(by_hash)
    for step in range(2):
        ended(share_weights(CONFIG, strategy, weights, step))
    drawn = [drawn for _, _, drawn in weights.trained]
    assert drawn[:6] != drawn[6:]


def test_on_text_a_shared_epoch_has_a_perplexity_and_no_accuracy():
    config = shared_config("enas-recurrent")

    class TextWeights(ToyWeights):
        def train(self, epoch, first, architectures):
            for trained in super().train(epoch, first, architectures):
                yield type(trained)(trained.number, 2.0, None, trained.learning_rate)

    _, event = ended(share_weights(config, strategy_of(config), TextWeights(by_hash), 0))
    assert event.accuracy is None and event.perplexity == pytest.approx(math.exp(2))
    assert "accuracy" not in event.to_json()


def test_weights_that_diverge_end_the_search_with_a_sentence_at_the_rate():
    weights = ToyWeights(by_hash, diverges_at=2)
    with pytest.raises(
        ConfigError, match="the shared weights diverged in epoch 2: the loss ceased to be finite"
    ) as error:
        ended(share_weights(CONFIG, strategy_of(CONFIG), weights, 1))
    assert error.value.field == "shared.learning_rate"


def test_all_architectures_of_a_round_are_scored_on_one_minibatch_and_rounds_go_on_from_step_to_step():
    strategy, weights = strategy_of(CONFIG), ToyWeights(by_hash)
    for step in range(2):
        ended(teach(CONFIG, strategy, weights, step))
        # Behind the rounds, a fresh architecture is scored as those of the last one.
        rounds = weights.scored[-7:]
        assert [minibatch - 3 * step for minibatch, _ in rounds] == [0, 0, 1, 1, 2, 2, 2]
    assert strategy.is_finished and not weights.trained


def test_a_controller_phase_tells_sums_that_can_be_worked_by_hand():
    strategy, weights = strategy_of(CONFIG), ToyWeights(by_hash)
    _, event = ended(teach(CONFIG, strategy, weights))
    rewards = [int(drawn[:4], 16) / 2**17 + minibatch / 1000 for minibatch, drawn in weights.scored]
    assert event.curve == pytest.approx([sum(rewards[index : index + 2]) / 2 for index in (0, 2, 4)])
    assert event.mean_reward == pytest.approx(sum(rewards[:6]) / 6) == event.accuracy
    assert event.best_reward == max(rewards[:6]) == event.best.reward
    assert event.best.hash == weights.scored[rewards.index(max(rewards[:6]))][1]
    assert event.sampled.reward == rewards[6] and event.sampled.hash == weights.scored[6][1]
    assert event.state_sha256 == digest(*strategy.state_dict())
    assert event.fingerprint == extend_by_phase("", 0, event.state_sha256, "w")
    assert event.perplexity is None and event_from_json(event.to_json()) == event


def test_entropies_are_told_by_kind_of_decision():
    _, event = ended(teach(CONFIG, strategy_of(CONFIG), ToyWeights(by_hash)))
    decisions = build_space(CONFIG.space).decisions
    assert set(event.family_entropies) == {"operation", "skip"}
    skips = [h for decision, h in zip(decisions, event.entropies, strict=True) if decision.family == "skip"]
    assert event.family_entropies["skip"] == pytest.approx(sum(skips) / 3)
    assert event.entropy == pytest.approx(sum(event.entropies))


def test_the_perplexity_of_a_phase_has_no_cap_and_is_none_where_a_score_overflowed():
    config = shared_config("enas-recurrent")

    def phase(nats):
        rule = iter(nats)
        return ended(teach(config, strategy_of(config), ToyWeights(lambda *_: Score(0.1, None, next(rule)))))[1]

    assert phase([6.0] * 7).perplexity == pytest.approx(math.exp(6))
    assert phase([500.0] * 7).perplexity == pytest.approx(math.exp(500))
    assert phase([6.0, 6.0, None, 6.0, 6.0, 6.0, 6.0]).perplexity is None
    assert phase([800.0] * 7).perplexity is None


@pytest.mark.parametrize("left_at", [1, 2])
def test_a_controller_phase_goes_on_from_any_round_to_the_same_bits(left_at):
    whole = strategy_of(CONFIG)
    positions, expected = ended(teach(CONFIG, whole, ToyWeights(by_hash)))
    first = strategy_of(CONFIG)
    phase = teach(CONFIG, first, ToyWeights(by_hash))
    position = [next(phase) for _ in range(left_at)][-1]
    second = strategy_of(CONFIG)
    second.load_state_dict(*first.state_dict())
    again = PhasePosition.from_json(position.to_json())
    later, event = ended(teach(CONFIG, second, ToyWeights(by_hash), position=again))
    assert without_seconds(event) == without_seconds(expected)
    assert len(later) == 2 - left_at  # Behind the last round there is nothing to go on from.
    assert again == position


@pytest.mark.parametrize("left_at", [1, 4, 6])
def test_a_shared_epoch_goes_on_from_any_minibatch_to_the_same_event(left_at):
    strategy, whole = strategy_of(CONFIG), ToyWeights(by_hash)
    _, expected = ended(share_weights(CONFIG, strategy, whole, 0))
    first = ToyWeights(by_hash)
    epoch = share_weights(CONFIG, strategy, first, 0)
    position = [next(epoch) for _ in range(left_at)][-1]
    second = ToyWeights(by_hash)
    second.restore(first.tensors())
    later, event = ended(share_weights(CONFIG, strategy, second, 0, EpochPosition(**position.to_json())))
    assert without_seconds(event) == without_seconds(expected)
    assert first.trained[:left_at] + second.trained == whole.trained


def test_candidates_are_scored_on_one_minibatch_that_the_controller_has_not_just_learned_from():
    strategy, weights = strategy_of(CONFIG), ToyWeights(by_hash)
    before = digest(*strategy.state_dict())
    events, fingerprint = ended(derive(CONFIG, strategy, weights, lambda _: (5, 7), "f"))
    drawn, *verdicts = events
    assert isinstance(drawn, StepProposed) and all(isinstance(event, ChildFinished) for event in verdicts)
    assert drawn.step == 0 and [event.slot for event in verdicts] == [0, 1, 2, 3]
    assert {minibatch for minibatch, _ in weights.scored} == {6}
    assert [event.reward for event in verdicts] == [by_hash_of(each) for each in drawn.proposals]
    assert {(event.parameters, event.mult_adds) for event in verdicts} == {(5, 7)}
    rewards = [(each.architecture, event.reward) for each, event in zip(drawn.proposals, verdicts, strict=True)]
    assert fingerprint == extend_fingerprint("f", 2, rewards, before)
    assert digest(*strategy.state_dict()) == before


def by_hash_of(shown):
    return int(shown.hash[:4], 16) / 2**17 + 6 / 1000


def test_the_first_event_tells_epochs_and_candidates():
    event = search_started(CONFIG, {"name": "toy"})
    assert (event.epochs, event.children, event.step_size) == (2, 4, 4)
    assert [decision.name for decision in event.decisions] == [
        decision.name for decision in build_space(CONFIG.space).decisions
    ]


def test_random_sampling_runs_through_the_same_phases():
    config = shared_config(strategy={"kind": "random", "step_size": 2})
    strategy, weights = strategy_of(config), ToyWeights(by_hash)
    ended(share_weights(config, strategy, weights, 0))
    _, event = ended(teach(config, strategy, weights))
    assert event.baseline is None and event.loss is None and event.divergence is None
    assert event.family_entropies["skip"] == pytest.approx(math.log(2))
    assert len(event.curve) == 3


def test_a_controller_that_is_rewarded_for_convolutions_learns_to_draw_them():
    config = shared_config(
        strategy={"kind": "reinforce", "step_size": 10, "learning_rate": 0.02},
        phases={"rounds": 60, "score_batch": 20},
        shared={"epochs": 1, "batch_size": 25},
    )

    def rule(architecture, minibatch):
        return accurate(sum(layer.operation == "conv_3x3" for layer in architecture.layers) / 3)

    _, event = ended(teach(config, strategy_of(config), ToyWeights(rule)))
    assert len(event.curve) == 40
    assert event.curve[0] < 0.4 and event.curve[-1] > 0.6


@pytest.mark.parametrize("method", ["enas-micro", "enas-macro", "enas-recurrent"])
def test_weights_rest_while_the_controller_learns_and_the_other_way_round_and_nothing_sees_test_data(method, tmp_path):
    config = shared_config(method)
    data = prepare_shared(config, folder=tmp_path, device=torch.device("cpu"))
    strategy, weights = strategy_of(config), build_shared_weights(config, data, device=torch.device("cpu"))
    held_out = data.valid if method == "enas-recurrent" else data.held_out

    def states():
        return digest(weights.tensors(), {}), digest(*strategy.state_dict())

    fresh = states()
    ended(share_weights(config, strategy, weights, 0))
    shared = states()
    assert shared[0] != fresh[0] and shared[1] == fresh[1]
    assert data.train.batches_served > 0 and held_out.batches_served == 0
    read = data.train.batches_served
    ended(teach(config, strategy, weights))
    taught = states()
    assert taught[0] == shared[0] and taught[1] != shared[1]
    ended(derive(config, strategy, weights, derived_cost(config, data), ""))
    assert states() == taught
    assert data.train.batches_served == read and held_out.batches_served > 0
    assert data.test.batches_served == 0
