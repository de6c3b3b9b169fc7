"""Scores that a person asks for: answered while a search runs, and nothing of the search changes by it."""

import math

import pytest
import torch

from search_engine import checkpoints
from search_engine.architectures.reading import architecture_from_json
from search_engine.asked_scores import DRAWS, FIRST, MINIBATCHES, Moment, answers
from search_engine.shared_jobs import SharedJobs
from search_engine.spaces.build import build_space
from search_engine.strategies.build import build_shared_strategy
from search_engine.training.shared_building import prepare_shared
from search_engine.training.shared_weights import Score
from tests.engine.toy_shared import ToyWeights, accurate, shared_config

CPU = torch.device("cpu")
METHODS = ["enas-micro", "enas-macro", "enas-recurrent"]


def architectures(config):
    """Two of the space, as JSON."""
    space = build_space(config.space)
    return [
        space.decode([min(option, len(decision.options) - 1) for decision in space.decisions]).to_json()
        for option in (0, 1)
    ]


class Asking:
    """A whole search of two epochs; somebody asks for two scores at every chance, or never."""

    def __init__(self, spool, config, *, asks):
        spool.mkdir()
        self.spool, self.config = spool, config
        data = prepare_shared(config, folder=spool, device=CPU)
        first, best = architectures(config)
        requests = ({"id": 1, "architecture": first, "best": best}, {"id": 2, "architecture": best, "best": None})
        self.jobs = SharedJobs(
            keep=lambda content: checkpoints.write_under_digest(spool, content),
            data_of=lambda _: data,
            is_interrupted=lambda: False,
            device=CPU,
            asked=lambda: requests if asks else (),
        )
        self.scored = []

    def do(self, job, **request):
        *messages, end = getattr(self.jobs, job)(
            {"config": self.config.model_dump(mode="json"), "checkpoint": None, **request}
        )  # fmt: skip
        self.scored += [message["scored"] for message in messages if "scored" in message]
        return [message["event"] for message in messages if "event" in message], end["done"]

    def path(self, name):
        return None if name is None else str(self.spool / name)

    def whole(self):
        """(names of all files, fingerprint)."""
        weights = strategy = None
        files, fingerprint = [], ""
        for step in range(2):
            _, done = self.do("share", step=step, weights=self.path(weights), strategy=self.path(strategy))
            weights, strategy = done["weights"], done["state"]
            (taught,), done = self.do(
                "teach", step=step, weights=self.path(weights), strategy=self.path(strategy), fingerprint=fingerprint
            )
            strategy, fingerprint = done["state"], taught["fingerprint"]
            files += [weights, strategy]
        last = {"weights": self.path(weights), "strategy": self.path(strategy)}
        _, done = self.do("derive", **last, fingerprint=fingerprint)
        return files, done["fingerprint"], last


@pytest.mark.parametrize("method", METHODS)
def test_a_search_ends_with_the_same_bits_whether_anybody_asked_or_not(method, tmp_path):
    config = shared_config(method)
    undisturbed, asked = Asking(tmp_path / "one", config, asks=False), Asking(tmp_path / "two", config, asks=True)
    files, fingerprint, _ = undisturbed.whole()
    same_files, same, _ = asked.whole()
    assert (same_files, same) == (files, fingerprint)
    assert undisturbed.scored == []
    assert len(asked.scored) == 2 * 2 * (4 + 2)  # Two scores, two epochs; behind a last round nobody is answered.
    assert all("refused" not in answer for answer in asked.scored)


def test_running_statistics_of_batch_norm_stay_as_they_are(tmp_path):
    config = shared_config("enas-micro")
    running = config.model_copy(update={"supernet": config.supernet.model_copy(update={"batch_norm": "running"})})
    undisturbed, asked = Asking(tmp_path / "one", running, asks=False), Asking(tmp_path / "two", running, asks=True)
    assert undisturbed.whole()[:2] == asked.whole()[:2]
    assert asked.scored


@pytest.mark.parametrize("method", METHODS)
def test_the_stored_weights_answer_as_those_in_the_phase_did(method, tmp_path):
    search = Asking(tmp_path / "one", shared_config(method), asks=True)
    files = search.whole()[2]
    while_running = [answer for answer in search.scored if answer["id"] == 1][-1]
    first, best = architectures(search.config)
    search.scored = []
    asked = [{"id": 1, "architecture": first, "best": best}]
    assert search.do("score", **files, step=1, asked=asked) == ([], {})
    (answer,) = search.scored
    assert answer["reward"] == while_running["reward"] and answer["best"] == while_running["best"]
    assert answer["at"] == while_running["at"] == {"epoch": 2, "minibatches": 4, "of": 4}
    assert answer["policy"] >= 0 and math.isfinite(answer["policy"])


def test_an_answer_is_the_mean_over_minibatches_that_no_round_looks_at():
    config = shared_config("enas-macro")
    first, best = architectures(config)
    asked_hash = architecture_from_json(first).hash

    def rule(architecture, minibatch):
        return accurate(0.5 + (minibatch - FIRST) / 10 if architecture.hash == asked_hash else 0.25)

    weights, strategy = ToyWeights(rule), build_shared_strategy(config)
    before = checkpoints.digest(*strategy.state_dict())
    requests = [{"id": 7, "architecture": first, "best": best}, {"id": 8, "architecture": best, "best": None}]
    one, two = answers(config, strategy, weights, Moment(1, 3, 6), requests)
    assert one == {
        "id": 7, "reward": pytest.approx((0.5 + 0.6 + 0.7 + 0.8) / 4), "best": 0.25,
        "policy": one["policy"], "at": {"epoch": 2, "minibatches": 3, "of": 6}, "over": 4, "draws": 8,
    }  # fmt: skip
    assert (two["reward"], two["best"], two["policy"]) == (0.25, None, one["policy"])
    assert len(weights.scored) == MINIBATCHES * (1 + 1 + DRAWS + 1)  # The draws are scored once for both.
    assert {minibatch for minibatch, _ in weights.scored} == set(range(FIRST, FIRST + MINIBATCHES))
    assert checkpoints.digest(*strategy.state_dict()) == before


def test_what_the_space_does_not_hold_is_refused_in_a_sentence_and_the_next_one_is_answered():
    config = shared_config("enas-macro")
    other = architectures(shared_config("enas-recurrent"))[0]
    weights, strategy = ToyWeights(lambda *_: accurate(0.5)), build_shared_strategy(config)
    requests = [
        {"id": 1, "architecture": other, "best": None},
        {"id": 2, "architecture": architectures(config)[0], "best": None},
    ]
    refused, answered = answers(config, strategy, weights, Moment(0, 6, 6), requests)
    assert refused["id"] == 1 and refused["refused"].startswith("architecture: is not in the space of this search (")
    assert answered["reward"] == 0.5


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "Scoring it ran out of memory."),
        (RuntimeError("no such kernel"), "Scoring it failed with an error of this program: RuntimeError("),
    ],
)
def test_an_architecture_that_cannot_be_scored_is_refused_and_costs_the_search_nothing(error, sentence):
    config = shared_config("enas-macro")

    def rule(architecture, minibatch):
        raise error

    request = {"id": 1, "architecture": architectures(config)[0], "best": None}
    (answer,) = answers(config, build_shared_strategy(config), ToyWeights(rule), Moment(0, 6, 6), [request])
    assert answer["refused"].startswith(sentence)


def test_weights_that_give_no_number_answer_with_a_reward_of_zero():
    config = shared_config("enas-recurrent")
    weights = ToyWeights(lambda *_: Score(0.0, None, None))
    request = {"id": 1, "architecture": architectures(config)[0], "best": None}
    (answer,) = answers(config, build_shared_strategy(config), weights, Moment(0, 6, 6), [request])
    assert (answer["reward"], answer["policy"]) == (0.0, 0.0)
