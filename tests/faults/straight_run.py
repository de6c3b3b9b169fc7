"""What a search under faults is compared with: `search_engine.runner.run` of the same configuration, in one process."""

from collections.abc import Generator, Iterator, Sequence, Set
from typing import Any

from search_engine.config.changes import Change, read_changes
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.evaluators.base import Evaluator
from search_engine.evaluators.reusing import Reusing
from search_engine.events import ChildFinished, ControllerUpdated, Event, FinalistFinished, FinalistShown, ResultKept
from search_engine.final_round import FinalRound
from search_engine.runner import run
from search_engine.strategies.base import Evaluation, Proposal
from tests.faults import fake_shared
from tests.faults.fake_engine import FakeEvaluator
from tests.faults.jobs import read_enas
from webapp.searches import leases, live_state
from webapp.searches.models import Child, Finalist, Search, Stream, Training

# Reward, reason, twin, accuracy, bound.
Verdict = tuple[float | None, str | None, tuple[int, int] | None, float | None, str | None]


def compared(stream: Stream, engine: Any) -> Iterator[str]:
    """Whether a search computed what one process without faults computes, as far as it got."""
    if stream.kind != Stream.Kind.SEARCH:
        training = Training.objects.get(pk=stream.pk)
        curve = [point[0] for point in live_state.state_at(stream)["curve"]]
        if stream.state == Stream.State.FINISHED and curve != list(range(1, training.config["recipe"]["epochs"] + 1)):
            yield f"The curve has the epochs {curve}."
        return
    search = Search.objects.get(pk=stream.pk)
    if search.epochs:
        yield from _compared_shared(search)
        return
    config = read_config(SearchConfig, search.config)
    lost = set(Child.objects.filter(search=search, reason=leases.LOST).values_list("step", "slot"))
    lost_finalists = set(Finalist.objects.filter(search=search, reason=leases.LOST).values_list("rank", flat=True))
    changes = read_changes(search.changes, config)
    fingerprints, verdicts = straight(config, lost, engine, lost_finalists, changes)
    last = len(fingerprints) if search.finals == Search.Finals.KEPT else search.steps_told
    if search.fingerprint != (fingerprints[last - 1] if last > 0 else ""):
        yield f"The fingerprint after {search.steps_told} steps is not that of the straight run."
    for child in Child.objects.filter(search=search, is_final=True, step__lt=max(search.steps_told, 0)):
        twin = None if child.twin_step is None else (child.twin_step, child.twin_slot)
        told = child.reward, child.reason or None, twin, child.accuracy, child.over or None
        if told != verdicts[child.step, child.slot]:
            yield f"Child {child.step}.{child.slot} has another verdict than in the straight run."


def _compared_shared(search: Search) -> Iterator[str]:
    straight = fake_shared.straight_fingerprints(read_enas({"config": search.config, "changes": search.changes}))
    last = -1 if search.state == Stream.State.FINISHED else search.steps_told
    if search.fingerprint != straight[last]:
        yield f"The fingerprint after {search.steps_told} epochs is not that of the straight run."


def straight(
    config: SearchConfig, lost: set[tuple[int, int]], engine: Any, lost_finalists: Set[int] = frozenset(),
    changes: Sequence[Change] = (),
) -> tuple[list[str], dict[tuple[int, int], Verdict]]:  # fmt: skip
    """Fingerprints by step, then of the final round, and verdicts by place, of `runner.run` in one process."""
    losing = Losing(config, lost, lost_finalists)
    evaluator: Evaluator = losing
    final_round = FinalRound(config.finals.children, losing.train_finalist) if config.finals.children else None
    if config.budget.reuse == "copy":
        evaluator = Reusing(evaluator, lookahead=config.strategy.lookahead)
    fingerprints, verdicts = [], {}
    events = run(
        engine.build_strategy(config, changes), evaluator, final_round=final_round, should_stop=lambda: False,
        save=lambda strategy, fingerprint: None,
    )  # fmt: skip
    for event in events:
        if isinstance(event, ControllerUpdated | ResultKept):
            fingerprints.append(event.fingerprint)
        elif isinstance(event, ChildFinished):
            verdicts[event.step, event.slot] = (event.reward, event.reason, event.twin, event.accuracy, event.over)
    return fingerprints, verdicts


class Losing(FakeEvaluator):
    """Gives up the same children that were given up under faults: what was decided once is not decided again."""

    def __init__(self, config: SearchConfig, lost: set[tuple[int, int]], finalists: Set[int]) -> None:
        super().__init__(config)
        self._lost = lost
        self._lost_finalists = finalists

    def evaluate(self, proposal: Proposal) -> Generator[Any, None, Evaluation]:
        if (proposal.step, proposal.slot) in self._lost:
            return Evaluation(proposal.step, proposal.slot, None, leases.LOST)
        return (yield from super().evaluate(proposal))

    def train_finalist(self, finalist: FinalistShown) -> Generator[Event, None, FinalistFinished]:
        if finalist.rank in self._lost_finalists:
            return FinalistFinished(
                rank=finalist.rank, accuracy=None, reason=leases.LOST, parameters=0, mult_adds=0, seconds=0.0
            )
        return (yield from super().train_finalist(finalist))
