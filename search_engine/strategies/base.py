"""What a strategy is: ask for a step of proposals, tell it their rewards, save it at any boundary.

Steps are numbered from 0. A strategy draws step k when it has been told step k - 1 - lookahead; until a step is told,
its proposals are pending and part of the state. So `ask` may be called again and again, and what it answers never
depends on the order in which results came in.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search_engine.architectures.reading import Architecture
from search_engine.events import Bound, Latency
from search_engine.spaces.bans import Banned


@dataclass(frozen=True, slots=True)
class Proposal:
    """One architecture of one step.

    log_probability: joint, in nats, of all decisions under the policy (and bans) that drew them.
    off_policy: it was not drawn: a person proposed it. It is trained like the others, and stays out of gradient and
        baseline, because its probability under the policy, which is that without bans, says nothing of a draw.
    """

    step: int
    slot: int
    decisions: tuple[int, ...]
    log_probability: float
    architecture: Architecture
    off_policy: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What became of one proposal.

    reward: None when it was lost to the infrastructure: it stays out of gradient and baseline. An infeasible child
        (diverged, too large) carries the configuration's stated reward and a reason.
    reason: why the reward is not a measured one, else None.
    twin: (step, slot) whose reward was copied, else None.
    accuracy, over, times, latency: as in events.ChildFinished.
    """

    step: int
    slot: int
    reward: float | None
    reason: str | None = None
    twin: tuple[int, int] | None = None
    parameters: int = 0
    mult_adds: int = 0
    seconds: float = 0.0
    accuracy: float | None = None
    over: Bound | None = None
    times: float | None = None
    latency: Latency | None = None


@dataclass(frozen=True, slots=True)
class DrawnStep:
    """A step as drawn: its proposals by slot, and the policy that drew them, as events.StepProposed carries it.

    proposals: behind what was drawn, from the slot on that a whole step would end with, what people proposed for it.
    banned: what could not be drawn. It stays with the step: the policy is the one under it, and so is every ratio.
    """

    step: int
    proposals: tuple[Proposal, ...]
    policy: tuple[tuple[float, ...], ...]
    entropies: tuple[float, ...]
    banned: Banned = ()

    @property
    def drawn(self) -> tuple[Proposal, ...]:
        """The proposals that the policy drew."""
        return tuple(proposal for proposal in self.proposals if not proposal.off_policy)


@dataclass(frozen=True, slots=True)
class Update:
    """What a strategy did with the rewards of a step. None where a strategy has no such figure.

    loss: of the last epoch; divergence: mean of old minus new joint log-probability, in nats;
    clipped: part of the children whose ratio left the clip range in the last epoch.
    state_sha256: digest of the whole state after learning.
    """

    step: int
    mean_reward: float | None
    baseline: float | None
    loss: float | None
    divergence: float | None
    clipped: float | None
    state_sha256: str


class Strategy(ABC):
    """Proposes architectures and learns from rewards."""

    @property
    @abstractmethod
    def is_finished(self) -> bool:
        """True when the last step of the budget in force has been told."""

    @abstractmethod
    def pending(self) -> tuple[DrawnStep, ...]:
        """The steps that were drawn and not yet told, in order."""

    @abstractmethod
    def ask(self) -> tuple[Proposal, ...]:
        """The proposals of the first pending step, by slot; the same until it is told."""

    @abstractmethod
    def tell(self, evaluations: Sequence[Evaluation]) -> Update:
        """Learn from the first pending step, one evaluation per proposal by slot, and draw what is due next.

        Raises ValueError when the evaluations are not those of that step: this is our bug, never a user's.
        """

    @abstractmethod
    def sample(self, count: int, *, purpose: str, number: int, under: int | None = None) -> DrawnStep:
        """Draw from the policy as it is, outside every step: slots 0 to count - 1 of the "step" that is `number`.

        Random by (seed, purpose, number) alone; nothing changes. purpose: a fixed word of the caller's, not "ask".
        under: the step whose bans hold; None for no bans.
        """

    @abstractmethod
    def state_dict(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """(tensors by name, a JSON object): everything that `load_state_dict` needs to go on as if never stopped."""

    @abstractmethod
    def load_state_dict(self, tensors: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Go on from a saved state. Raises CheckpointError when it was saved under another configuration."""
