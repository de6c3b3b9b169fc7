"""The loop of the papers, as a generator of events."""

from collections.abc import Callable, Generator

from search_engine.evaluators.base import Evaluator
from search_engine.events import (
    ChildFinished,
    ChildStarted,
    ControllerUpdated,
    Event,
    ProposalShown,
    StateChanged,
    StepProposed,
    extend_fingerprint,
)
from search_engine.final_round import FinalRound
from search_engine.strategies.base import DrawnStep, Evaluation, Proposal, Strategy, Update


def run(
    strategy: Strategy,
    evaluator: Evaluator,
    *,
    fingerprint: str = "",
    shown: int = -1,
    final_round: FinalRound | None = None,
    should_stop: Callable[[], bool],
    save: Callable[[Strategy, str], None],
) -> Generator[Event, None, str]:
    """Search until the budget is spent: propose, evaluate, learn, save (NASNet, section 3 and A.3).

    fingerprint: of the steps told so far, "" for a new search; shown: the last step whose event was given out, -1 for
        a new search. A search that goes on from a saved strategy with both gives the events that were still to come.
    final_round: what follows the last step; None where nothing does, or where its result is known already.
    should_stop: looked at between steps and finalists. save: called with strategy and fingerprint after every step and
        after the final round.
    Returns the fingerprint of everything computed.
    """
    while not strategy.is_finished and not should_stop():
        for step in strategy.pending():
            if step.step > shown:
                yield step_proposed(step)
                shown = step.step
        yield from evaluator.prepare(strategy)  # Weight sharing trains its shared weights here.
        proposals = strategy.ask()
        evaluations = []
        for proposal in proposals:
            evaluations.append((yield from _evaluate(evaluator, proposal)))
            if final_round is not None:
                _remember(final_round, proposal, evaluations[-1])
        update = strategy.tell(evaluations)  # The controller learns.
        fingerprint = fingerprint_after(fingerprint, proposals, evaluations, update)
        yield controller_updated(update, fingerprint)
        save(strategy, fingerprint)  # After the event, so that a log of events is never behind the saved state.
    if strategy.is_finished and final_round is not None:
        kept = yield from final_round.run(fingerprint, should_stop)  # The best are trained again, and one is kept.
        if kept is None:
            return fingerprint
        fingerprint = kept.fingerprint
        save(strategy, fingerprint)
    if strategy.is_finished:
        yield StateChanged(state="finished")
    return fingerprint


def _evaluate(evaluator: Evaluator, proposal: Proposal) -> Generator[Event, None, Evaluation]:
    yield ChildStarted(step=proposal.step, slot=proposal.slot, worker="this process")
    evaluation = yield from evaluator.evaluate(proposal)
    yield child_finished(evaluation)
    return evaluation


def _remember(final_round: FinalRound, proposal: Proposal, evaluation: Evaluation) -> None:
    if evaluation.reward is not None and evaluation.reason is None and evaluation.twin is None:
        final_round.remember(
            proposal.step, proposal.slot, proposal.architecture, evaluation.reward, evaluation.accuracy
        )  # fmt: skip


def fingerprint_after(
    previous: str, proposals: tuple[Proposal, ...], evaluations: list[Evaluation], update: Update
) -> str:
    """The fingerprint of a step, see events.extend_fingerprint."""
    children = [
        (proposal.architecture.to_json(), evaluation.reward)
        for proposal, evaluation in zip(proposals, evaluations, strict=True)
    ]
    return extend_fingerprint(previous, update.step, children, update.state_sha256)


def step_proposed(drawn: DrawnStep) -> StepProposed:
    """The event that shows a drawn step."""
    proposals = tuple(
        ProposalShown(
            slot=proposal.slot,
            decisions=proposal.decisions,
            log_probability=proposal.log_probability,
            architecture=proposal.architecture.to_json(),
            hash=proposal.architecture.hash,
            off_policy=proposal.off_policy or None,
        )
        for proposal in drawn.proposals
    )
    return StepProposed(
        step=drawn.step,
        policy=drawn.policy,
        entropies=drawn.entropies,
        entropy=sum(drawn.entropies),
        proposals=proposals,
    )


def child_finished(evaluation: Evaluation) -> ChildFinished:
    """The event that shows a verdict."""
    return ChildFinished(
        step=evaluation.step,
        slot=evaluation.slot,
        reward=evaluation.reward,
        reason=evaluation.reason,
        twin=evaluation.twin,
        parameters=evaluation.parameters,
        mult_adds=evaluation.mult_adds,
        seconds=evaluation.seconds,
        accuracy=evaluation.accuracy,
        over=evaluation.over,
        times=evaluation.times,
        latency=evaluation.latency,
    )


def controller_updated(update: Update, fingerprint: str) -> ControllerUpdated:
    """The event that shows what the strategy learned."""
    return ControllerUpdated(
        step=update.step,
        mean_reward=update.mean_reward,
        baseline=update.baseline,
        loss=update.loss,
        divergence=update.divergence,
        clipped=update.clipped,
        state_sha256=update.state_sha256,
        fingerprint=fingerprint,
    )
