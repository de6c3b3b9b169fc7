import hashlib
from unittest.mock import patch

import torch
from hypothesis import given
from hypothesis import strategies as st

from search_engine import checkpoints
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.data.batches import prepare
from search_engine.evaluators.finalists import FinalistTraining
from search_engine.events import FinalistEpochEnded, FinalistFinished, ResultKept, extend_by_finals
from search_engine.final_round import FinalRound, best_finalist, result_kept
from search_engine.schedule import Choose, Keep, Known, KnownFinals, MeasuredChild, Retrain, best_children, due
from tests.engine.toy import ToySpace

SPACE = ToySpace([3, 3])


def verdict(rank, accuracy, reason=None):
    return FinalistFinished(rank=rank, accuracy=accuracy, reason=reason, parameters=1, mult_adds=1, seconds=1.0)


def training_as(accuracies):
    """Trains finalists for one epoch each, with these accuracies by rank; None diverges."""

    def train(finalist):
        accuracy = accuracies[finalist.rank]
        yield FinalistEpochEnded(
            rank=finalist.rank, epoch=1, epochs=1, loss=1.0, accuracy=accuracy, learning_rate=0.1, seconds=1.0
        )
        return verdict(finalist.rank, accuracy, None if accuracy is not None else "diverged")

    return train


def after_two_steps(wanted, accuracies):
    """Four children of three architectures: 0.0 and 1.0 are twins."""
    final_round = FinalRound(wanted, training_as(accuracies))
    for step, slot, decisions, reward in ((0, 0, (0, 1), 0.5), (0, 1, (1, 1), 0.7), (1, 0, (0, 1), 0.8),
                                          (1, 1, (2, 2), 0.6)):  # fmt: skip
        final_round.remember(step, slot, SPACE.decode(decisions), reward)
    return final_round


def test_the_best_different_children_are_trained_and_the_best_of_them_is_kept():
    events = list(after_two_steps(2, {1: 0.3, 2: 0.4}).run("print", lambda: False))
    assert [event.kind for event in events] == [
        "finalists_chosen", *("finalist_started", "finalist_epoch_ended", "finalist_finished") * 2, "result_kept",
    ]  # fmt: skip
    assert [(each.rank, each.step, each.slot, each.reward) for each in events[0].finalists] == [
        (1, 1, 0, 0.8), (2, 0, 1, 0.7),
    ]  # fmt: skip
    assert events[0].finalists[0].architecture == SPACE.decode((0, 1)).to_json()
    fingerprint = hashlib.sha256(b'["print","finals",[[1,0,0.3],[0,1,0.4]]]').hexdigest()
    assert events[-1] == ResultKept(rank=2, accuracy=0.4, checkpoint=None, fingerprint=fingerprint)


def test_who_diverges_is_simply_not_the_best():
    *_, kept = after_two_steps(3, {1: None, 2: 0.2, 3: 0.1}).run("", lambda: False)
    assert (kept.rank, kept.accuracy) == (2, 0.2)
    *_, kept = after_two_steps(3, dict.fromkeys((1, 2, 3))).run("", lambda: False)
    assert (kept.rank, kept.accuracy) == (None, None)


def test_without_a_measured_child_the_round_ends_without_a_result():
    events = list(FinalRound(5, training_as({})).run("", lambda: False))
    assert [event.kind for event in events] == ["finalists_chosen", "result_kept"]
    assert events[1] == ResultKept(rank=None, accuracy=None, checkpoint=None, fingerprint=extend_by_finals("", []))


def test_between_finalists_the_round_can_be_left():
    looks = iter((False, True))
    events = list(after_two_steps(2, {1: 0.3, 2: 0.4}).run("", lambda: next(looks)))
    assert events[-1].kind == "finalist_finished" and events[-1].rank == 1


def test_of_equal_accuracies_the_better_rank_is_kept():
    assert best_finalist([verdict(1, 0.2), verdict(2, 0.5), verdict(3, 0.5)]).rank == 2
    assert best_finalist([]) is None


def test_the_fingerprint_tells_accuracies_and_places_apart():
    prints = {
        result_kept("", places, [verdict(1, accuracy)]).fingerprint
        for places in ([(0, 0)], [(0, 1)], [(1, 0)])
        for accuracy in (0.25, 0.5, None)
    }
    assert len(prints) == 9


def small_search(**finals):
    return read_config(SearchConfig, {
        "child": {"normal_cells": 1, "reductions": 1, "filters": 4},
        "recipe": {"epochs": 1, "reestimate_batches": 2, **finals.pop("recipe", {})},
        "data": {"image_size": 8, "train_examples": 64, "held_out_examples": 50},
        "finals": {"children": 1, "epochs": 3, "normal_cells": 1, "filters": 4} | finals,
    })  # fmt: skip


def finalist(config, data, checkpoint=None, step=0, slot=0):
    architecture = SPACE.decode((0, 1)).to_json()
    return FinalistTraining(config, rank=1, step=step, slot=slot, architecture=architecture, data=data,
                            device=torch.device("cpu"), checkpoint=checkpoint)  # fmt: skip


def ended(training):
    """(epochs without their time, verdict) of the rest of a finalist."""
    epochs, steps = [], training.epochs()
    while True:
        try:
            epochs.append(next(steps).model_dump(exclude={"seconds"}))
        except StopIteration as end:
            return epochs, end.value


def images(config, tmp_path):
    return prepare(config.data, seed=1, folder=tmp_path, device=torch.device("cpu"))


def test_a_finalist_goes_on_to_the_bit_from_any_epoch(tmp_path):
    config = small_search()
    data = images(config, tmp_path)
    straight, verdict = ended(finalist(config, data))
    assert [epoch["epoch"] for epoch in straight] == [1, 2, 3]
    assert verdict.accuracy == straight[-1]["accuracy"] and verdict.reason is None
    for left_after in (1, 2):
        training = finalist(config, data)
        epochs = training.epochs()
        for _ in range(left_after):
            next(epochs)
        (tmp_path / "file").write_bytes(training.checkpoint())
        again = finalist(config, data, checkpoints.load(tmp_path / "file"))
        past = [epoch.model_dump(exclude={"seconds"}) for epoch in again.past]
        rest, verdict_again = ended(again)
        drop = {"kind", "version"}
        assert [{k: v for k, v in each.items() if k not in drop} for each in past + rest] == [
            {k: v for k, v in each.items() if k not in drop} for each in straight
        ]
        assert verdict_again.accuracy == verdict.accuracy


def test_every_finalist_draws_from_its_own_place(tmp_path):
    config = small_search(epochs=1)
    data = images(config, tmp_path)
    losses = {ended(finalist(config, data, step=step, slot=slot))[0][0]["loss"] for step, slot in ((0, 0), (0, 1))}
    assert len(losses) == 2


def test_a_finalist_that_diverges_has_a_sentence_and_no_accuracy(tmp_path):
    config = small_search(recipe={"learning_rate": 10})
    training = finalist(config, images(config, tmp_path))
    with patch("search_engine.training.train._train_one_epoch", lambda *_: (float("nan"), 10.0)):
        _, verdict = ended(training)
    assert verdict.accuracy is None and verdict.checkpoint is None
    assert verdict.reason.startswith("recipe.learning_rate is 10.0; the loss ceased to be finite")


def planned(measured, accuracies, wanted, chance):
    """The final round as a planner goes through it: whatever `due` says, finalists in any order."""
    finals, verdicts, chosen = KnownFinals(), {}, ()
    while tasks := due(Known(steps_told=1, steps=1, lookahead=0, reuse=False, finals=finals)):
        task = chance.choice(tasks)
        if isinstance(task, Choose):
            chosen = best_children(measured, wanted)
        elif isinstance(task, Retrain):
            verdicts[task.rank] = verdict(task.rank, accuracies[task.rank - 1])
        else:
            assert isinstance(task, Keep)
            places = [(child.step, child.slot) for child in chosen]
            return result_kept("", places, [verdicts[rank] for rank in sorted(verdicts)])
        finals = KnownFinals(tuple(rank in verdicts for rank in range(1, len(chosen) + 1)))
    raise AssertionError("nothing was kept")


@given(
    st.lists(st.tuples(st.sampled_from((0.5, 0.6, 0.7)), st.integers(0, 8)), max_size=6),
    st.lists(st.sampled_from((0.1, 0.2, None)), min_size=6, max_size=6),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_a_planner_in_any_order_keeps_what_one_process_keeps(children, accuracies, wanted, chance):
    """children: reward and number of the architecture, in the order of slots."""
    final_round = FinalRound(wanted, training_as(dict(enumerate(accuracies, 1))))
    measured = []
    for slot, (reward, number) in enumerate(children):
        architecture = SPACE.decode(divmod(number, 3))
        final_round.remember(0, slot, architecture, reward)
        measured.append(MeasuredChild(reward, 0, slot, architecture.hash))
    *_, kept = final_round.run("", lambda: False)
    assert planned(measured, accuracies, wanted, chance) == kept
