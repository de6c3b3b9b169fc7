"""The steps that a strategy has drawn and not yet been told: which there are, how large, and when the next is due."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from search_engine.config.changes import Change, child_totals
from search_engine.config.controller import ControllerConfig
from search_engine.config.step_sizes import StepSizes
from search_engine.config.strategy import StrategyConfig
from search_engine.errors import CheckpointError
from search_engine.spaces.bans import Banned, banned_at, check_changes
from search_engine.spaces.base import Space
from search_engine.spaces.proposals import proposed_at
from search_engine.strategies.base import DrawnStep, Evaluation, Proposal
from search_engine.strategies.screening import Screening

Draw = Callable[[int, int, Banned], DrawnStep]
Rate = Callable[[Sequence[Sequence[int]]], list[float]]


class PendingSteps:
    """The budget in steps: as large and drawn when StepSizes says.

    draw: makes the step of a number and a size, without what is banned in it; called once per step, in order.
    rate: joint log-probabilities of given decisions under the policy as it is, for what people propose.
    screening: which of what is drawn belongs to the step; None for all of it.
    """

    def __init__(
        self,
        space: Space,
        config: StrategyConfig,
        *,
        children: int,
        changes: Sequence[Change],
        draw: Draw,
        rate: Rate,
        screening: Screening | None,
    ) -> None:
        check_changes(space.decisions, changes)
        self._step_size = config.step_size
        self._rate = rate
        self._screening = screening
        self._space = space
        self._changes = changes
        self._sizes = StepSizes(
            children, step_size=config.step_size, lookahead=config.lookahead, changes=child_totals(changes)
        )
        self._draw = draw
        self._told = 0
        self._pending: tuple[DrawnStep, ...] = ()
        self._draw_due()

    @property
    def is_finished(self) -> bool:
        return not self._pending

    @property
    def drawn(self) -> tuple[DrawnStep, ...]:
        return self._pending

    def banned(self, step: int) -> Banned:
        """What must not be drawn in a step."""
        return banned_at(self._space.decisions, self._changes, step)

    def first(self) -> DrawnStep:
        """The step to be told next; raises ValueError when the budget is spent."""
        if not self._pending:
            raise ValueError("the budget is spent: there is no step to be told.")
        return self._pending[0]

    def answered_by(self, evaluations: Sequence[Evaluation]) -> DrawnStep:
        """The first step, if these are its evaluations by slot; else ValueError."""
        step = self.first()
        wanted = [(proposal.step, proposal.slot) for proposal in step.proposals]
        given = [(evaluation.step, evaluation.slot) for evaluation in evaluations]
        if given != wanted:
            raise ValueError(f"evaluations are of {given}; must be of {wanted}, in this order.")
        return step

    def advance(self) -> None:
        """The first step has been learned from: leave it behind and draw what is due now."""
        self._told += 1
        self._pending = self._pending[1:]
        self._draw_due()

    def to_json(self) -> dict[str, Any]:
        return {"told": self._told, "pending": [_step_to_json(step) for step in self._pending]}

    def load_json(self, value: Mapping[str, Any]) -> None:
        """Raises CheckpointError where the changes would have had other steps drawn."""
        due = [(step, self._sizes.size(step)) for step in self._sizes.drawn_at(value["told"])]
        drawn = [(step["step"], len(step["proposals"])) for step in value["pending"]]
        if drawn != due or not all(map(self._is_as_changed, value["pending"])):
            raise CheckpointError("changes", "contradict what was drawn already; start a new search instead.")
        self._told = value["told"]
        self._pending = tuple(self._step_from_json(step) for step in value["pending"])

    def _draw_due(self) -> None:
        for step in self._sizes.drawn_at(self._told)[len(self._pending) :]:
            drawn = self._screened(step, self._sizes.size(step))
            proposed = proposed_at(self._space, self._changes, step)
            rated = list(zip(proposed, self._rate(proposed), strict=True)) if proposed else []
            self._pending = (
                *self._pending,
                replace(drawn, proposals=(*drawn.proposals, *self._off_policy(step, rated))),
            )

    def _screened(self, step: int, size: int) -> DrawnStep:
        if self._screening is None:
            return self._draw(step, size, self.banned(step))
        return self._screening.screened(self._draw(step, size * self._screening.drawn, self.banned(step)))

    def _off_policy(self, step: int, rated: Sequence[Any]) -> tuple[Proposal, ...]:
        """rated: (decisions, log-probability) of each. Their slots begin where a whole step ends, so they say it."""
        return tuple(
            replace(proposal_of(self._space, step, self._step_size + place, *each), off_policy=True)
            for place, each in enumerate(rated)
        )

    def _is_as_changed(self, step: Mapping[str, Any]) -> bool:
        proposed = tuple(tuple(decisions) for decisions, _ in step.get("proposed", ()))
        wanted = proposed_at(self._space, self._changes, step["step"])
        return _banned_in(step) == self.banned(step["step"]) and proposed == wanted

    def _step_from_json(self, value: Mapping[str, Any]) -> DrawnStep:
        step = value["step"]
        return DrawnStep(
            step=step,
            proposals=tuple(
                proposal_of(self._space, step, slot, decisions, log_probability)
                for slot, (decisions, log_probability) in enumerate(value["proposals"])
            )
            + self._off_policy(step, value.get("proposed", ())),
            policy=tuple(map(tuple, value["policy"])),
            entropies=tuple(value["entropies"]),
            banned=_banned_in(value),
        )


def proposal_of(space: Space, step: int, slot: int, decisions: Sequence[int], log_probability: float) -> Proposal:
    """The proposal that these decisions make."""
    return Proposal(step, slot, tuple(decisions), log_probability, space.decode(decisions))


def made_for(
    space: Space,
    config: StrategyConfig,
    controller: ControllerConfig | None,
    *,
    children: int,
    seed: int,
    screening: Screening | None,
) -> dict[str, Any]:
    """What a saved state belongs to: it must be the same in the strategy that goes on from it."""
    decisions = [[decision.name, decision.family, *decision.options] for decision in space.decisions]
    made = {"strategy": config.model_dump(mode="json"), "decisions": decisions, "children": children, "seed": seed}
    if screening is not None:
        made["drawn for each"] = screening.drawn
    return made if controller is None else made | {"controller": controller.model_dump(mode="json")}


def _banned_in(step: Mapping[str, Any]) -> Banned:
    return tuple(map(tuple, step.get("banned", ())))


def _step_to_json(step: DrawnStep) -> dict[str, Any]:
    banned = {"banned": [list(options) for options in step.banned]} if step.banned else {}
    proposed = [[list(each.decisions), each.log_probability] for each in step.proposals if each.off_policy]
    return (
        banned
        | ({"proposed": proposed} if proposed else {})
        | {
            "step": step.step,
            "proposals": [[list(proposal.decisions), proposal.log_probability] for proposal in step.drawn],
            "policy": [list(options) for options in step.policy],
            "entropies": list(step.entropies),
        }
    )
