"""Shared weights on text: what a minibatch trains, what a score reads, and that any of it can be left and resumed."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from search_engine import checkpoints
from search_engine.architectures.recurrent import ACTIVATIONS, RecurrentArchitecture, RecurrentNode
from search_engine.config.enas_search import EnasRecurrentSearchConfig
from search_engine.data.texts import describe_text
from search_engine.data.token_streams import TextParts, TokenPart
from search_engine.errors import CheckpointError, ConfigError
from search_engine.training.shared_text import SharedText

CPU = torch.device("cpu")
SHARED = {"epochs": 3, "batch_size": 4, "bptt": 5, "learning_rate": 2.0, "initial_range": 0.3}
EVERYTHING = {
    "random_length": True, "drop_words": 0.1, "drop_inputs": 0.2, "drop_nodes": 0.1, "drop_outputs": 0.2,
    "activation_penalty": 0.1, "slowness_penalty": 0.1,
}  # fmt: skip
NODES = 4


def text(train: int = 283, valid: int = 97) -> TextParts:
    """Words that follow one another in a circle of nine, now and then with a jump."""

    def part(count: int, seed: int) -> TokenPart:
        steps = np.where(np.random.default_rng(seed).random(count) < 0.1, 4, 1)
        return TokenPart(torch.from_numpy(np.cumsum(steps) % 9))

    vocabulary = tuple("abcdefghi")
    return TextParts(describe_text("state-of-the-union-2k"), vocabulary, part(train, 1), part(valid, 2), part(50, 3))


def shared_text(data: TextParts | None = None, seed: int = 1, **settings: Any) -> SharedText:
    config = EnasRecurrentSearchConfig.model_validate(
        {
            "space": {"nodes": NODES},
            "supernet": {"hidden": 6} | settings.pop("supernet", {}),
            "phases": {"score_batch": 4, "scale": 10.0} | settings.pop("phases", {}),
            "shared": SHARED | settings,
            "reproducibility": {"seed": seed},
        }
    )
    return SharedText(config, data=data or text(), device=CPU)


def drawn(number: int) -> RecurrentArchitecture:
    """A cell that is a function of a number."""
    generator = np.random.default_rng(number)
    nodes = tuple(
        RecurrentNode(int(generator.integers(index)) if index else None, str(generator.choice(ACTIVATIONS)))
        for index in range(NODES)
    )
    return RecurrentArchitecture(nodes, RecurrentArchitecture(nodes, ()).loose_ends()).validated()


def cells(count: int) -> list[RecurrentArchitecture]:
    return [drawn(number) for number in range(count)]


def an_epoch(weights: SharedText, epoch: int, first: int = 0) -> list[Any]:
    return list(weights.train(epoch, first, cells(weights.minibatches(epoch))))


def copied(weights: SharedText) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in weights.tensors().items()}


def digest(weights: SharedText) -> str:
    return checkpoints.digest(weights.tensors(), {})


def test_an_epoch_reads_the_whole_text_once_and_each_minibatch_is_numbered() -> None:
    weights = shared_text()
    # 283 tokens make four streams of 70, and so 69 guesses each: thirteen stretches of 5 and one of 4.
    assert weights.minibatches(0) == 14
    brought = an_epoch(weights, 0)
    assert [one.number for one in brought] == list(range(14))
    assert all(one.guessed_right is None and one.learning_rate == 2.0 for one in brought)


def test_the_loss_falls_though_every_minibatch_has_another_cell() -> None:
    weights = shared_text()
    means = [np.mean([one.loss for one in an_epoch(weights, epoch)]) for epoch in range(12)]
    assert means[0] > 1.9  # ln 9 = 2.2 is guessing.
    assert means[-1] < means[0] - 0.6


@pytest.mark.parametrize("settings", [{}, EVERYTHING, {"minibatches": 5} | EVERYTHING, {"minibatches": 33}])
@pytest.mark.parametrize("left_after", [1, 4])
def test_an_epoch_that_is_left_and_gone_on_with_elsewhere_ends_with_the_same_bits(
    settings: dict[str, Any], left_after: int
) -> None:
    undisturbed = shared_text(**settings)
    losses = [one.loss for epoch in range(3) for one in an_epoch(undisturbed, epoch)]
    first = shared_text(**settings)
    found = [one.loss for one in an_epoch(first, 0)]
    minibatches = first.train(1, 0, cells(first.minibatches(1)))
    found += [next(minibatches).loss for _ in range(left_after)]
    kept = copied(first)
    second = shared_text(**settings)
    second.restore(kept)
    found += [one.loss for one in an_epoch(second, 1, first=left_after)]
    third = shared_text(**settings)
    third.restore(copied(second))
    found += [one.loss for one in an_epoch(third, 2)]
    assert found == losses
    assert digest(third) == digest(undisturbed)


def test_shorter_epochs_read_the_text_on_where_the_last_one_stopped() -> None:
    """Fourteen stretches a pass: in epochs of five, the third begins at stretch ten, and the text anew within it."""
    whole, short = shared_text(), shared_text(minibatches=5)
    in_one = cells(14)
    wanted = [one.loss for one in whole.train(0, 0, in_one)]
    found = [one.loss for one in short.train(0, 0, in_one[:5])]
    found += [one.loss for one in short.train(1, 0, in_one[5:10])]
    third = list(short.train(2, 0, [*in_one[10:], drawn(99)]))
    found += [one.loss for one in third[:4]]
    assert found == wanted
    assert third[4].loss == next(whole.train(1, 0, [drawn(99)] * 14)).loss


def test_the_state_of_one_cell_is_where_the_next_one_begins_and_the_text_begins_with_none() -> None:
    weights = shared_text()
    minibatches = weights.train(0, 0, cells(14))
    next(minibatches)
    carried = weights.tensors()["carried_state"].clone()
    assert carried.shape == (4, 6) and carried.abs().sum() > 0
    other = shared_text()
    other.restore(copied(weights) | {"carried_state": torch.zeros(4, 6)})
    assert next(minibatches).loss != next(other.train(0, 1, cells(14))).loss
    list(minibatches)
    again = shared_text()
    again.restore(copied(weights) | {"carried_state": torch.zeros(4, 6)})
    assert next(weights.train(1, 0, cells(14))).loss == next(again.train(1, 0, cells(14))).loss


def test_a_minibatch_moves_only_what_its_cell_uses_and_decay_moves_nothing_else() -> None:
    weights = shared_text(weight_decay=0.5)
    architecture = drawn(3)
    before = copied(weights)
    next(weights.train(0, 0, [architecture] * 14))
    after = weights.tensors()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {name for name, _ in weights.network.parameters_of(architecture)} | {"carried_state"}


def test_clipping_bounds_the_step_over_what_the_cell_uses() -> None:
    weights = shared_text(gradient_clip=0.001, weight_decay=0.0)
    before = copied(weights)
    next(weights.train(0, 0, cells(14)))
    after = weights.tensors()
    length = math.sqrt(sum(float((after[n] - before[n]).square().sum()) for n in before if n != "carried_state"))
    assert length == pytest.approx(2.0 * 0.001, rel=1e-3)  # Learning rate times the largest norm.


def test_a_score_is_the_scale_over_the_perplexity_of_one_stretch_of_the_validation_part() -> None:
    weights = shared_text()
    an_epoch(weights, 0)
    architecture = drawn(5)
    place = weights._window(2)
    rows = weights._data.valid.tokens[:96].view(4, 24)[:, place * 5 : place * 5 + 6]
    with torch.no_grad():
        outputs, _ = weights.network(architecture, rows[:, :-1].T, weights.network.first_state(4))
        nats = nn.functional.cross_entropy(weights.network.logits(outputs).flatten(0, 1), rows[:, 1:].T.flatten())
    score = weights.score(architecture, 2)
    assert score.nats == pytest.approx(float(nats), abs=1e-6)
    assert score.reward == pytest.approx(10.0 / math.exp(float(nats)), rel=1e-6)
    assert score.accuracy is None


def test_scores_go_through_the_validation_part_again_and_again_in_an_order_of_each_pass() -> None:
    weights = shared_text()  # 96 tokens in four streams of 24: four whole stretches of five.
    passes = [[weights._window(4 * number + place) for place in range(4)] for number in range(8)]
    assert all(sorted(one) == [0, 1, 2, 3] for one in passes)
    assert len({tuple(one) for one in passes}) > 1
    assert passes == [[shared_text()._window(4 * number + place) for place in range(4)] for number in range(8)]
    assert passes != [[shared_text(seed=2)._window(4 * number + place) for place in range(4)] for number in range(8)]


def test_a_score_reads_the_validation_part_alone_and_changes_nothing() -> None:
    weights, data = shared_text(**EVERYTHING), text()
    an_epoch(weights, 0)
    before, architecture = digest(weights), drawn(7)
    scores = [weights.score(architecture, minibatch) for minibatch in range(6)]
    assert digest(weights) == before
    assert scores == [weights.score(architecture, minibatch) for minibatch in range(6)]  # No dropout is drawn.
    others = TextParts(data.description, data.vocabulary, TokenPart(data.train.tokens.flip(0)), data.valid,
                       TokenPart(data.test.tokens.flip(0)))  # fmt: skip
    elsewhere = shared_text(others, **EVERYTHING)
    elsewhere.restore(copied(weights))
    assert scores == [elsewhere.score(architecture, minibatch) for minibatch in range(6)]


def test_training_reads_the_train_part_alone() -> None:
    data = text()
    others = TextParts(data.description, data.vocabulary, data.train, TokenPart(data.valid.tokens.flip(0)),
                       TokenPart(data.test.tokens.flip(0)))  # fmt: skip
    weights, elsewhere = shared_text(data), shared_text(others)
    an_epoch(weights, 0), an_epoch(elsewhere, 0)
    assert digest(weights) == digest(elsewhere)


def with_embedding(weights: SharedText, factor: float) -> SharedText:
    tensors = copied(weights)
    tensors["embedding.weight"] = tensors["embedding.weight"] * factor
    weights.restore(tensors)
    return weights


def test_a_perplexity_has_no_cap_and_one_that_is_no_number_any_more_gives_no_reward() -> None:
    architecture = RecurrentArchitecture((RecurrentNode(None, "tanh"),) + tuple(
        RecurrentNode(0, "tanh") for _ in range(NODES - 1)), (1, 2, 3)).validated()  # fmt: skip
    scores = [with_embedding(shared_text(), factor).score(architecture, 0) for factor in (1, 100, 1e5, 1e30)]
    nats = [one.nats for one in scores]
    assert nats[0] < 4 < 10 < nats[1] < nats[2]
    assert nats[2] > 745 and scores[2].reward == 0.0  # e to the 745 is more than a number can hold.
    assert [one.reward for one in scores] == sorted((one.reward for one in scores), reverse=True)
    broken = with_embedding(shared_text(), math.nan).score(architecture, 0)
    assert broken.nats is None and broken.reward == 0.0


def test_a_loss_that_is_no_number_is_a_value() -> None:
    weights = with_embedding(shared_text(), math.inf)
    assert next(weights.train(0, 0, cells(14))).loss is None


def test_the_learning_rate_falls_from_the_epoch_that_is_chosen_and_follows_a_random_length() -> None:
    weights = shared_text(decay=0.5, decay_from=2)
    rates = [next(weights.train(epoch, 0, cells(14))).learning_rate for epoch in range(4)]
    assert rates == [2.0, 1.0, 0.5, 0.25]
    varied = shared_text(random_length=True)
    lengths = varied._lengths(0)
    assert len(set(lengths)) > 1 and sum(lengths) == 69
    assert [one.learning_rate for one in an_epoch(varied, 0)] == [2.0 * length / 5 for length in lengths]


def test_the_seed_decides_the_weights() -> None:
    assert digest(shared_text(seed=1)) == digest(shared_text(seed=1)) != digest(shared_text(seed=2))


def test_progress_grows_with_every_minibatch_and_every_score() -> None:
    weights = shared_text()
    an_epoch(weights, 0)
    weights.score(drawn(1), 0)
    assert weights.progress == 15


@pytest.mark.parametrize("batch_norm", ["output", "nodes-and-output"])
def test_with_batch_norm_a_score_has_the_statistics_of_its_minibatch_and_keeps_none(batch_norm: str) -> None:
    weights = shared_text(supernet={"batch_norm": batch_norm})
    an_epoch(weights, 0)
    before = digest(weights)
    assert weights.score(drawn(1), 0).reward > 0
    assert digest(weights) == before
    assert not any("running" in name for name in weights.tensors())


@pytest.mark.parametrize(("settings", "sentence"), [
    ({"batch_size": 200}, "shared.batch_size: is 200; the training part has 283 tokens, and each stream needs two."),
    ({"phases": {"score_batch": 60}},
     "phases.score_batch: is 60; the validation part has 97 tokens, and each stream needs two."),
])  # fmt: skip
def test_what_does_not_fit_the_text_is_refused_at_its_field(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        shared_text(**settings)
    assert str(refused.value) == sentence


def test_weights_of_another_search_are_refused() -> None:
    weights, larger = shared_text(), shared_text(supernet={"hidden": 8})
    for wrong in (larger.tensors(), {}, {"carried_state": torch.zeros(4, 6)}):
        with pytest.raises(CheckpointError, match="belong to another search"):
            weights.restore(wrong)
