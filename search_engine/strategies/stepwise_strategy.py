"""What all strategies share: they draw and are told whole steps, and a saved state belongs to one search."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from search_engine.config.changes import Change
from search_engine.config.controller import AnyControllerConfig
from search_engine.config.strategy import StrategyConfig
from search_engine.errors import CheckpointError
from search_engine.spaces.bans import Banned
from search_engine.spaces.base import Space
from search_engine.strategies.base import DrawnStep, Proposal, Strategy
from search_engine.strategies.pending_steps import PendingSteps, made_for
from search_engine.strategies.screening import Screening


class StepwiseStrategy(Strategy):
    """A subclass makes what `_draw` needs, and then calls this constructor, which draws the first steps."""

    def __init__(
        self,
        space: Space,
        config: StrategyConfig,
        controller: AnyControllerConfig | None,
        *,
        children: int,
        seed: int,
        changes: Sequence[Change],
        screening: Screening | None,
    ) -> None:
        """controller: None for a strategy without a configured one."""
        self._space = space
        self._seed = seed
        self._made_for = made_for(space, config, controller, children=children, seed=seed, screening=screening)
        self._steps = PendingSteps(
            space, config, children=children, changes=changes, draw=self._draw, rate=self._rate, screening=screening
        )

    @property
    def is_finished(self) -> bool:
        return self._steps.is_finished

    def pending(self) -> tuple[DrawnStep, ...]:
        return self._steps.drawn

    def ask(self) -> tuple[Proposal, ...]:
        return self._steps.first().proposals

    @abstractmethod
    def _draw(self, step: int, size: int, banned: Banned) -> DrawnStep:
        """The step of this number and size, without what is banned in it; called once per step, in order."""

    @abstractmethod
    def _rate(self, decisions: Sequence[Sequence[int]]) -> list[float]:
        """Joint log-probabilities under the policy as it is, of decisions that a person proposes."""

    def _must_be_ours(self, state: Mapping[str, Any]) -> None:
        """Raises CheckpointError where a state was saved under another configuration."""
        if state.get("made_for") != self._made_for:
            raise CheckpointError("strategy", "was saved under another configuration; start a new search instead.")
