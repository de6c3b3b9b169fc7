"""What a search under faults is compared with: `search_engine.runner.run` of the same configuration, in one process."""

from collections.abc import Generator, Iterator
from typing import Any

from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.evaluators.base import Evaluator
from search_engine.evaluators.reusing import Reusing
from search_engine.events import ChildFinished, ControllerUpdated
from search_engine.runner import run
from search_engine.strategies.base import Evaluation, Proposal
from tests.faults.fake_engine import FakeEvaluator
from webapp.searches import leases, live_state
from webapp.searches.models import Child, Search, Stream, Training

Verdict = tuple[float | None, str | None, tuple[int, int] | None]


def compared(stream: Stream, engine: Any) -> Iterator[str]:
    """Whether a search computed what one process without faults computes, as far as it got."""
    if stream.kind != Stream.Kind.SEARCH:
        training = Training.objects.get(pk=stream.pk)
        curve = [point[0] for point in live_state.state_at(stream)["curve"]]
        if stream.state == Stream.State.FINISHED and curve != list(range(1, training.config["recipe"]["epochs"] + 1)):
            yield f"The curve has the epochs {curve}."
        return
    search = Search.objects.get(pk=stream.pk)
    config = read_config(SearchConfig, search.config)
    lost = set(Child.objects.filter(search=search, reason=leases.LOST).values_list("step", "slot"))
    fingerprints, verdicts = straight(config, lost, engine)
    if search.fingerprint != (fingerprints[search.steps_told - 1] if search.steps_told > 0 else ""):
        yield f"The fingerprint after {search.steps_told} steps is not that of the straight run."
    for child in Child.objects.filter(search=search, is_final=True, step__lt=max(search.steps_told, 0)):
        twin = None if child.twin_step is None else (child.twin_step, child.twin_slot)
        if (child.reward, child.reason or None, twin) != verdicts[child.step, child.slot]:
            yield f"Child {child.step}.{child.slot} has another verdict than in the straight run."


def straight(
    config: SearchConfig, lost: set[tuple[int, int]], engine: Any
) -> tuple[list[str], dict[tuple[int, int], Verdict]]:
    """Fingerprints by step and verdicts by place, of `runner.run` in one process."""
    evaluator: Evaluator = Losing(config, lost)
    if config.budget.reuse == "copy":
        evaluator = Reusing(evaluator, lookahead=config.strategy.lookahead)
    fingerprints, verdicts = [], {}
    events = run(
        engine.build_strategy(config), evaluator, should_stop=lambda: False, save=lambda strategy, fingerprint: None
    )
    for event in events:
        if isinstance(event, ControllerUpdated):
            fingerprints.append(event.fingerprint)
        elif isinstance(event, ChildFinished):
            verdicts[event.step, event.slot] = (event.reward, event.reason, event.twin)
    return fingerprints, verdicts


class Losing(FakeEvaluator):
    """Gives up the same children that were given up under faults: what was decided once is not decided again."""

    def __init__(self, config: SearchConfig, lost: set[tuple[int, int]]) -> None:
        super().__init__(config)
        self._lost = lost

    def evaluate(self, proposal: Proposal) -> Generator[Any, None, Evaluation]:
        if (proposal.step, proposal.slot) in self._lost:
            return Evaluation(proposal.step, proposal.slot, None, leases.LOST)
        return (yield from super().evaluate(proposal))
