"""The candidates of a search with shared weights: children with a score, the best of which are trained from scratch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from search_engine.config.searches import AnyEnasSearchConfig
from search_engine.config.trainings import AnyTrainingConfig
from search_engine.errors import UserError
from search_engine.events import ChildFinished, StepProposed
from search_engine.schedule import MeasuredChild, best_children
from webapp.searches import lifecycle
from webapp.searches.artifacts import ArtifactMissing
from webapp.searches.models import Child, Search
from webapp.searches.start import training_figures

LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Planned:
    """A candidate that will be trained from scratch. step, slot: of its child; figures: as `training_figures`."""

    step: int
    slot: int
    config: AnyTrainingConfig
    figures: dict[str, Any]


def planned_trainings(
    search: Search, config: AnyEnasSearchConfig, proposed: StepProposed, verdicts: Sequence[ChildFinished]
) -> tuple[tuple[Planned, ...], str]:
    """The best candidates as they will be trained, and why one of them will not be, as a sentence, or "".

    Counting and reading take a moment, so this is done before any lock.
    """
    drawn = {proposal.slot: proposal for proposal in proposed.proposals}
    scored = [
        MeasuredChild(verdict.reward, verdict.step, verdict.slot, drawn[verdict.slot].hash)
        for verdict in verdicts
        if verdict.reward is not None and verdict.reason is None
    ]
    planned, reason = [], ""
    for rank, child in enumerate(best_children(scored, config.deriving.train), 1):
        training = config.final_training(drawn[child.slot].architecture, _name(search, rank))
        try:
            planned.append(Planned(child.step, child.slot, training, training_figures(training)))
        except (UserError, ArtifactMissing) as error:  # The data is gone, or the network does not fit its layout.
            why = error.message if isinstance(error, UserError) else f"{error}."
            reason = reason or f"Candidate {child.slot} was not trained from scratch: {why}"
    return tuple(planned), reason


def start_trainings(search: Search, planned: Sequence[Planned]) -> None:
    """Each starts as a training of the search's owner, in its group; expects the lock of the search."""
    for each in planned:
        lifecycle.start_training(
            search.owner,
            each.config,
            **each.figures,
            child=Child.objects.get(search=search, step=each.step, slot=each.slot),
            group=search.group,
            priority=search.priority,
        )


def _name(search: Search, rank: int) -> str:
    """ "Best of ..." and behind it by rank."""
    which = "Best" if rank == 1 else f"Number {rank}"
    return f"{which} of {search.name or 'a search'}"[:LONGEST_NAME]
