"""The final round: what is decided in it, by pure functions, and how one process goes through it."""

from collections.abc import Callable, Generator, Iterable, Sequence

from search_engine.architectures.reading import Architecture
from search_engine.events import (
    Event,
    FinalistFinished,
    FinalistsChosen,
    FinalistShown,
    FinalistStarted,
    ResultKept,
    extend_by_finals,
)
from search_engine.schedule import MeasuredChild, best_children

# Trains one finalist from scratch, telling its epochs, and returns its verdict. Failing is a verdict too.
TrainFinalist = Callable[[FinalistShown], Generator[Event, None, FinalistFinished]]


class FinalRound:
    """The final round of a search that runs in one process."""

    def __init__(self, wanted: int, train: TrainFinalist) -> None:
        """wanted: how many finalists there are at most."""
        self._wanted = wanted
        self._train = train
        self._measured: dict[tuple[int, int], tuple[MeasuredChild, Architecture]] = {}

    def remember(
        self, step: int, slot: int, architecture: Architecture, reward: float, accuracy: float | None = None
    ) -> None:
        """Note a child with a measured reward; a resumed search does so for every child it already has.

        accuracy: only where the reward is another figure.
        """
        child = MeasuredChild(reward, step, slot, architecture.hash, accuracy)
        self._measured[step, slot] = child, architecture

    def run(self, fingerprint: str, should_stop: Callable[[], bool]) -> Generator[Event, None, ResultKept | None]:
        """Choose, train one after the other, keep the best. fingerprint: of all steps.

        should_stop: looked at between finalists; the answer is None where it says yes.
        """
        best = best_children((child for child, _ in self._measured.values()), self._wanted)
        chosen = FinalistsChosen(finalists=tuple(self._shown(rank, child) for rank, child in enumerate(best, 1)))
        yield chosen
        verdicts = []
        for finalist in chosen.finalists:
            if should_stop():
                return None
            yield FinalistStarted(rank=finalist.rank, worker="this process")
            verdict = yield from self._train(finalist)
            yield verdict
            verdicts.append(verdict)
        result = result_kept(fingerprint, [(each.step, each.slot) for each in chosen.finalists], verdicts)
        yield result
        return result

    def _shown(self, rank: int, child: MeasuredChild) -> FinalistShown:
        _, architecture = self._measured[child.step, child.slot]
        return finalist_shown(rank, child, architecture.to_json())


def finalist_shown(rank: int, child: MeasuredChild, architecture: dict[str, object]) -> FinalistShown:
    """The event's form of a chosen child."""
    return FinalistShown(
        rank=rank, step=child.step, slot=child.slot, reward=child.reward, accuracy=child.accuracy, hash=child.hash,
        architecture=architecture,
    )  # fmt: skip


def result_kept(
    fingerprint: str, places: Sequence[tuple[int, int]], verdicts: Sequence[FinalistFinished]
) -> ResultKept:
    """What the final round ends with. fingerprint: of all steps; places: (step, slot) by rank, as the verdicts are."""
    best = best_finalist(verdicts)
    accuracies = [(step, slot, each.accuracy) for (step, slot), each in zip(places, verdicts, strict=True)]
    return ResultKept(
        rank=best.rank if best else None,
        accuracy=best.accuracy if best else None,
        checkpoint=best.checkpoint if best else None,
        fingerprint=extend_by_finals(fingerprint, accuracies),
    )


def best_finalist(verdicts: Iterable[FinalistFinished]) -> FinalistFinished | None:
    """The highest held-out accuracy; of equal ones the better rank. Whoever has no accuracy is not the best."""
    ended = [(verdict.accuracy, -verdict.rank, verdict) for verdict in verdicts if verdict.accuracy is not None]
    return max(ended, key=lambda each: each[:2])[2] if ended else None
