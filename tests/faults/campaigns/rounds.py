"""The same searches once undisturbed and then under harm, in one application, and their comparison."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.faults import aftermath, streams, told
from tests.faults.application import Application
from tests.faults.campaigns.campaign import Run

LONGEST_SECONDS = 900.0  # A round that takes longer stands still.


@dataclass(frozen=True)
class Quiet:
    """What the searches and trainings of these names come to when nothing happens to them."""

    names: tuple[str, ...]
    seed: int
    logs: dict[str, told.Events]
    fingerprints: dict[str, str]
    problems: list[str]

    def line(self) -> Run:
        return Run(what="undisturbed", counts={"searches and trainings": len(self.names)}, problems=self.problems)


def quiet_round(application: Application, names: Iterable[str], seed: int) -> Quiet:
    ids = streams.start(application, names, seed)
    problems = aftermath.waited(ids.values(), LONGEST_SECONDS) + aftermath.problems(application)
    return Quiet(tuple(ids), seed, aftermath.logs(ids), aftermath.fingerprints_of(ids), problems)


def started(application: Application, quiet: Quiet) -> dict[str, str]:
    """The same once more; the identifiers by name."""
    return streams.start(application, quiet.names, quiet.seed)


def harmed_round(
    application: Application,
    quiet: Quiet,
    ids: dict[str, str],
    what: str,
    harm: Callable[[], None],
    counts: Callable[[], dict[str, int | float]],
) -> Run:
    """Until these have ended, compared. harm: called again and again meanwhile; counts: what it did, at the end."""
    problems = aftermath.waited(ids.values(), LONGEST_SECONDS, harm)
    if not problems:
        problems = aftermath.compared(ids, quiet.logs, quiet.fingerprints)
    problems += aftermath.problems(application)
    told_of = {"searches and trainings compared": len(ids), "losses in their logs": aftermath.lost(ids.values())}
    return Run(what=what, counts=told_of | counts(), problems=problems)


def ended(application: Application, what: str, counts: dict[str, int | float], problems: list[str]) -> Run:
    """The application is stopped, and nothing of it is left."""
    left = [f"A process is left: {each}" for each in application.stop()]
    return Run(what=what, counts=counts, problems=left + problems)
