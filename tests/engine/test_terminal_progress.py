import io
import sys
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest

from search_engine.events import (
    ChildFinished,
    ControllerUpdated,
    EpochEnded,
    Event,
    FinalistEpochEnded,
    FinalistFinished,
    FinalistsChosen,
    FinalistShown,
    ResultKept,
    StateChanged,
    TrainingFinished,
)
from search_engine.terminal.progress import follow_search, follow_training


@dataclass
class Folder:
    """As much of a search folder as progress looks at."""

    events: tuple[Event, ...] = ()
    children: int = 4


def finished(slot: int, reward: float | None) -> ChildFinished:
    reason = "lost" if reward is None else None
    return ChildFinished(step=0, slot=slot, reward=reward, reason=reason, parameters=1, mult_adds=1, seconds=1.0)


def updated(mean: float | None) -> ControllerUpdated:
    return ControllerUpdated(step=0, mean_reward=mean, baseline=None, state_sha256="", fingerprint="")


def epoch(number: int) -> EpochEnded:
    return EpochEnded(epoch=number, epochs=3, loss=0.5, accuracy=0.25, learning_rate=0.1, seconds=1.0)


def given_out(events: list[Event], taken: list[Event]) -> Generator[Event, None, None]:
    for event in events:
        taken.append(event)
        yield event


def search(events: list[Event], folder: Any = None, *, is_interrupted: bool = False) -> list[Event]:
    taken: list[Event] = []
    follow_search(folder or Folder(), given_out(events, taken), lambda: is_interrupted)
    return taken


def test_a_search_that_is_not_watched_prints_a_line_per_step(capsys: pytest.CaptureFixture[str]) -> None:
    search([finished(0, 0.25), finished(1, 0.75), finished(2, None), updated(0.5), StateChanged(state="finished")])
    assert capsys.readouterr().err == "step 0: 3 of 4 children, mean 0.5000, best 0.7500\n"


def test_a_step_without_a_reward_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    search([finished(0, None), updated(None)])
    assert capsys.readouterr().err == "step 0: 1 of 4 children, every child was lost, no reward yet\n"


def test_a_search_that_goes_on_counts_what_was_done_before(capsys: pytest.CaptureFixture[str]) -> None:
    search([finished(1, 0.25), updated(0.25)], Folder((finished(0, 0.75),)))
    assert capsys.readouterr().err == "step 0: 2 of 4 children, mean 0.2500, best 0.7500\n"


def test_an_interrupted_search_stops_at_the_next_event_but_lets_a_told_step_be_saved() -> None:
    assert len(search([finished(0, 0.5), finished(1, 0.5)], is_interrupted=True)) == 1
    assert len(search([updated(0.5), StateChanged(state="paused")], is_interrupted=True)) == 2


def test_a_training_prints_a_line_per_epoch_and_stops_at_the_next_one(capsys: pytest.CaptureFixture[str]) -> None:
    taken: list[Event] = []
    follow_training(3, given_out([epoch(1), epoch(2), epoch(3)], taken), lambda: len(taken) == 2)
    assert capsys.readouterr().err == (
        "epoch 1 of 3: loss 0.5000, accuracy 0.2500\nepoch 2 of 3: loss 0.5000, accuracy 0.2500\n"
    )


def test_an_interruption_after_the_last_epoch_comes_too_late() -> None:
    taken: list[Event] = []
    result = TrainingFinished(test_accuracy=0.5, test_examples=9, held_out_accuracy=0.5, checkpoint="", seconds=1.0)
    follow_training(3, given_out([epoch(3), result], taken), lambda: True)
    assert taken[-1] == result


def test_a_watched_search_shows_a_bar_and_no_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    class Watched(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Watched()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    search([finished(0, 0.25), finished(1, 0.75), updated(0.5)])
    assert "2/4" in screen.getvalue() and "best 0.7500" in screen.getvalue()
    assert "step 0:" not in screen.getvalue()


def final_round() -> list[Event]:
    """Of two: the first diverges, the second is kept."""
    finalists = tuple(
        FinalistShown(rank=rank, step=0, slot=rank, reward=0.5, architecture={}, hash=str(rank)) for rank in (1, 2)
    )
    none = {"parameters": 1, "mult_adds": 1, "seconds": 1.0}
    return [
        updated(0.5),
        FinalistsChosen(finalists=finalists),
        FinalistFinished(rank=1, accuracy=None, reason="diverged", **none),
        FinalistEpochEnded(rank=2, epoch=1, epochs=1, loss=1.0, accuracy=0.875, learning_rate=0.1, seconds=1.0),
        FinalistFinished(rank=2, accuracy=0.875, **none),
        ResultKept(rank=2, accuracy=0.875, checkpoint=None, fingerprint=""),
        StateChanged(state="finished"),
    ]


def test_the_final_round_has_lines_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    search(final_round())
    assert capsys.readouterr().err.splitlines()[1:] == [
        "final round: 2 finalists are trained again",
        "final round: 1 of 2 finalists, no accuracy yet",
        "final round: 2 of 2 finalists, best 0.8750",
    ]


def test_an_interrupted_final_round_stops_at_its_next_event_but_lets_the_result_be_saved() -> None:
    events = final_round()
    assert len(search(events[:1] + events[1:4], is_interrupted=True)) == 3
    assert len(search([*events[:2], *events[5:]], is_interrupted=True)) == 4


def test_children_over_a_bound_are_counted_apart(capsys: pytest.CaptureFixture[str]) -> None:
    over = finished(1, 0.0).model_copy(update={"reason": "over the bound", "over": "parameters"})
    search([finished(0, 0.25), over, updated(0.125)])
    assert capsys.readouterr().err == "step 0: 2 of 4 children, mean 0.1250, best 0.2500, 1 over bounds\n"
