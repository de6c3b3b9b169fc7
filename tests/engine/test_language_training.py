import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from search_engine.architectures.recurrent import RecurrentArchitecture, RecurrentNode
from search_engine.config.language import LanguageRecipeConfig, LanguageTrainingConfig, TextDataConfig
from search_engine.config.reading import read_config
from search_engine.config.training import TrainingConfig
from search_engine.config.trainings import read_training_config
from search_engine.data.own_text import keep_own_text
from search_engine.data.text_reading import unigram_perplexity
from search_engine.data.token_streams import TextParts, TokenPart, prepare_text
from search_engine.errors import ArchitectureError, CheckpointError, ConfigError
from search_engine.events import EpochEnded, event_from_json
from search_engine.networks.recurrent_network import RecurrentNetwork
from search_engine.training.language_for_keeps import LanguageTraining
from search_engine.training.language_recipe import averages_in, learning_rate_in, lengths_of_stretches
from search_engine.training.language_train import nats_per_token, perplexity_of

CPU = torch.device("cpu")
CELL = RecurrentArchitecture(
    (RecurrentNode(None, "tanh"), RecurrentNode(0, "relu"), RecurrentNode(0, "tanh"), RecurrentNode(1, "sigmoid")),
    (2, 3),
).validated()
RECIPE = {"epochs": 3, "batch_size": 4, "bptt": 7, "learning_rate": 5.0, "initial_range": 0.3, "test_batch": 2}
EVERYTHING = {
    "random_length": True, "drop_words": 0.1, "drop_inputs": 0.2, "drop_nodes": 0.1, "drop_outputs": 0.2,
    "activation_penalty": 0.1, "slowness_penalty": 0.1, "averaging": "from_epoch", "averaging_from": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("texts")


@pytest.fixture(scope="module")
def digest(folder: Path) -> str:
    """A text in which every word but the first of a line follows from the one before."""
    order = np.random.default_rng(1).integers(0, 3, 120)
    lines = ("one two three four", "red green blue", "north east south west and north again")
    (folder / "mine.txt").write_text("\n".join(lines[number] for number in order))
    return keep_own_text(folder / "mine.txt", folder)


def config(digest: str, **recipe: Any) -> LanguageTrainingConfig:
    value = {
        "architecture": CELL.to_json(),
        "layout": {"hidden": 8},
        "recipe": RECIPE | recipe,
        "data": {"name": "own", "own": digest},
    }
    return read_config(LanguageTrainingConfig, value)


def opened(digest: str, folder: Path, **recipe: Any) -> LanguageTraining:
    wanted = config(digest, **recipe)
    return LanguageTraining(wanted, data=parts(wanted, folder), device=CPU)


def parts(wanted: LanguageTrainingConfig, folder: Path) -> TextParts:
    return prepare_text(wanted.data, folder=folder, device=CPU)


def without_seconds(event: EpochEnded) -> dict[str, Any]:
    return {name: value for name, value in event.to_json().items() if name != "seconds"}


def test_a_cell_learns_a_text_whose_words_follow_from_each_other(digest: str, folder: Path) -> None:
    training = opened(digest, folder, epochs=12)
    epochs, data = list(training.epochs()), parts(training.config, folder)
    unigram = unigram_perplexity(data.train.tokens.numpy(), data.test.tokens.numpy(), len(data.vocabulary))
    result = training.test()
    assert [event.epoch for event in epochs] == list(range(1, 13))
    assert result.test_perplexity < unigram / 3
    assert result.held_out_perplexity == epochs[-1].perplexity
    assert result.test_tokens == len(data.test) - 1
    assert training.data_shown()["unigram_perplexity"]["test"] == unigram


@pytest.mark.parametrize("recipe", [{}, EVERYTHING], ids=["plain", "everything"])
def test_a_training_left_after_any_epoch_goes_on_to_the_same_bits(
    recipe: dict[str, Any], digest: str, folder: Path
) -> None:
    straight = opened(digest, folder, **recipe)
    wanted = [without_seconds(event) for event in straight.epochs()]
    for stop in (1, 2):
        stopped = opened(digest, folder, **recipe)
        running = stopped.epochs()
        seen = [without_seconds(next(running)) for _ in range(stop)]
        tensors, metadata = stopped.checkpoint()
        resumed = opened(digest, folder, **recipe)
        resumed.restore({name: tensor.clone() for name, tensor in tensors.items()}, metadata)
        seen += [without_seconds(event) for event in resumed.epochs()]
        assert seen == wanted
        assert resumed.test().test_perplexity == straight.test().test_perplexity
        first, second = (training.network_file(training.test())[0] for training in (straight, resumed))
        assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_checkpoint_of_another_training_is_refused(digest: str, folder: Path) -> None:
    training = opened(digest, folder)
    next(training.epochs())
    with pytest.raises(CheckpointError, match="belongs to another training"):
        opened(digest, folder, bptt=8).restore(*training.checkpoint())


def test_perplexity_has_no_cap(digest: str, folder: Path) -> None:
    """A network that is sure of word 0 and wrong: 200 nats a token, not 10 (the error behind ENAS' 55.8)."""
    cell = RecurrentArchitecture((RecurrentNode(None, "identity"),), (0,)).validated()
    network = RecurrentNetwork(cell, vocabulary=3, hidden=1, generator=torch.Generator())
    with torch.no_grad():
        network.embedding.weight.copy_(torch.tensor([[-100.0], [100.0], [100.0]]))
        network.nodes[0].word.copy_(torch.tensor([[0.01, 1.0]]))  # The output is 0.01 times 100, the gate open.
        network.nodes[0].state.zero_()
    nats = nats_per_token(network, TokenPart(torch.tensor([1, 0, 1, 0, 1])), 1)
    wrong = 200 + math.log(2)  # After word 1 the logits are -100, 100, 100, and 0 comes.
    assert nats > 100
    # After word 0 the gate is shut, so the output of word 1 stays and 1 is as likely as 2.
    assert nats == pytest.approx((2 * wrong + 2 * math.log(2)) / 4)
    assert perplexity_of(nats) == pytest.approx(math.exp(nats)) and perplexity_of(nats) > 1e43
    assert perplexity_of(1000) == math.inf


@pytest.mark.parametrize("streams", [2, 3, 100])
def test_the_state_is_carried_through_the_whole_of_a_stream(streams: int, digest: str, folder: Path) -> None:
    """Scored a stretch at a time or a stream at a time, a part has the same loss."""
    training = opened(digest, folder)
    data, network = parts(training.config, folder), training._trainee.network
    together = nats_per_token(network, data.valid, streams)
    words, targets = next(data.valid.scored(min(streams, len(data.valid) - 1), 10_000))
    outputs, _ = network(words, network.first_state(words.shape[1]))
    loss = torch.nn.functional.cross_entropy(network.logits(outputs).flatten(0, 1), targets.flatten())
    assert together == pytest.approx(float(loss.detach()), rel=1e-5)


def test_validation_does_not_hang_on_how_many_words_are_guessed_at_once(
    digest: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = opened(digest, folder)
    valid, network = parts(training.config, folder).valid, training._trainee.network
    at_once = nats_per_token(network, valid, 2)
    monkeypatch.setattr("search_engine.training.language_train._SCORED_AT_ONCE", 6)
    assert nats_per_token(network, valid, 2) == pytest.approx(at_once, rel=1e-6)


def test_a_learning_rate_that_ruins_the_network_is_said_at_its_field(digest: str, folder: Path) -> None:
    training = opened(digest, folder)
    with torch.no_grad():
        training._trainee.network.embedding.weight[:] = math.nan
    with pytest.raises(ConfigError, match="the loss ceased to be finite in epoch 1") as refused:
        list(training.epochs())
    assert refused.value.field == "recipe.learning_rate"


def test_a_text_too_short_is_refused_before_anything_is_computed(digest: str, folder: Path) -> None:
    with pytest.raises(ConfigError, match="each stream needs two"):
        opened(digest, folder, batch_size=4096)


def test_averaged_weights_are_the_mean_over_the_steps_since_averaging_began(digest: str, folder: Path) -> None:
    training = opened(digest, folder, epochs=2, averaging="from_epoch", averaging_from=2)
    trainee, seen = training._trainee, []
    epochs = training.epochs()
    next(epochs)
    assert trainee.average is None
    add = trainee.add_to_average

    def remember() -> None:
        seen.append({name: tensor.clone() for name, tensor in trainee.network.state_dict().items()})
        add()

    trainee.add_to_average = remember  # type: ignore[method-assign]
    next(epochs)
    assert trainee.average is not None and trainee.averaged == len(seen) > 3
    for name, tensor in trainee.average.state_dict().items():
        assert torch.allclose(tensor, torch.stack([one[name] for one in seen]).mean(0), atol=1e-6)


def test_averaging_begins_when_validation_is_worse_than_the_best_of_long_ago() -> None:
    recipe = LanguageRecipeConfig(averaging="when_stalled", averaging_patience=2)
    assert not averages_in(4, (3.0, 2.0, 2.5), recipe)  # Long ago was 3.0.
    assert averages_in(5, (3.0, 2.0, 2.5, 2.1), recipe)  # 2.1 is above 2.0.
    assert not averages_in(1, (), recipe)
    assert not averages_in(5, (1.0, 2.0, 2.5, 9.0), LanguageRecipeConfig(averaging="never"))
    assert averages_in(2, (1.0,), LanguageRecipeConfig(averaging="from_epoch", averaging_from=2))


def test_the_learning_rate_is_that_of_the_paper() -> None:
    recipe = LanguageRecipeConfig(epochs=150)
    assert learning_rate_in(1, recipe) == learning_rate_in(14, recipe) == 20
    assert learning_rate_in(15, recipe) == pytest.approx(19.2)
    assert learning_rate_in(16, recipe) == pytest.approx(18.432)


def test_stretches_add_up_and_vary_only_where_that_is_wanted() -> None:
    assert lengths_of_stretches(80, LanguageRecipeConfig(), seed=1) == [35, 35, 10]
    varied = lengths_of_stretches(10_000, LanguageRecipeConfig(random_length=True), seed=1)
    assert sum(varied) == 10_000 and len(set(varied)) > 5
    assert all(5 <= length <= 55 for length in varied[:-1])
    assert varied == lengths_of_stretches(10_000, LanguageRecipeConfig(random_length=True), seed=1)


def test_a_penn_treebank_epoch_has_414_stretches() -> None:
    steps = 929_589 // 64 - 1
    assert steps // 35 == 414  # ENAS says about 400; what remains is a 415th, shorter one.


def test_the_kind_of_the_architecture_says_which_training_it_is(digest: str) -> None:
    value = config(digest).model_dump(mode="json")
    assert isinstance(read_training_config(value), LanguageTrainingConfig)
    with pytest.raises(ConfigError):
        read_config(TrainingConfig, value)
    with pytest.raises(ConfigError, match="is not a setting of this program"):
        read_training_config(value | {"finals": 1})


def test_an_architecture_of_images_is_refused(digest: str, folder: Path) -> None:
    wanted = config(digest)
    cells = {"format": 1, "kind": "nas_bench_201", "operations": ["none"] * 6}
    with pytest.raises(ArchitectureError):
        LanguageTraining(
            wanted.model_copy(update={"architecture": cells}), data=parts(wanted, folder), device=CPU
        )  # fmt: skip


def test_events_of_images_do_not_speak_of_perplexity(digest: str, folder: Path) -> None:
    seen = EpochEnded(epoch=1, epochs=2, loss=1.0, accuracy=0.5, learning_rate=0.1, seconds=1.0)
    assert "perplexity" not in seen.to_json()
    training = opened(digest, folder, epochs=1)
    read = next(training.epochs())
    assert event_from_json(read.to_json()) == read and read.accuracy is None and read.perplexity is not None


def test_the_default_text_is_embedded() -> None:
    assert TextDataConfig().name == "state-of-the-union-2k"
