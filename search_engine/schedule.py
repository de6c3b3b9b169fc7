"""What is due next in a search: one pure function of what is known.

`runner.run` follows it step by step in one process; the web's planner turns its answer into job rows. Both therefore
do the same work in an order that never changes a result.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class KnownChild:
    """What is known of one child.

    hash: canonical hash of its architecture.
    is_final: its evaluation is decided (measured, infeasible, lost or copied).
    is_measured: it has a reward that was measured for itself, which a twin may copy.
    """

    hash: str
    is_final: bool = False
    is_measured: bool = False


@dataclass(frozen=True, slots=True)
class KnownFinals:
    """What is known of the final round.

    decided: for each finalist, best first, whether its training has come to an end; None before they were chosen.
    is_kept: the best of them was kept, with which the search ends.
    """

    decided: tuple[bool, ...] | None = None
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a search.

    children: by step, then by slot; a step is there from the moment it was drawn. Slots may leave gaps: what people
    propose stands behind a whole step, also where the last step is a shorter one.
    steps_told: how many steps the strategy has learned from; -1 before it has drawn anything.
    steps: how many steps the search has in all.
    lookahead, reuse: from the configuration.
    finals: the final round, None where the search ends with its last step.
    """

    steps_told: int
    steps: int
    lookahead: int
    reuse: bool
    children: Mapping[int, Mapping[int, KnownChild]] = field(default_factory=dict)
    finals: KnownFinals | None = None


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Train this child and measure its reward."""

    step: int
    slot: int


@dataclass(frozen=True, slots=True)
class Copy:
    """Give this child the reward of its twin, which is (step, slot)."""

    step: int
    slot: int
    twin: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Learn:
    """Tell the strategy this step and draw what follows; step -1 draws the first steps and tells nothing."""

    step: int


@dataclass(frozen=True, slots=True)
class Choose:
    """Choose the finalists among the children of all steps, by `best_children`."""


@dataclass(frozen=True, slots=True)
class Retrain:
    """Train this finalist from scratch. rank: from 1, which had the best reward."""

    rank: int


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep the best finalist."""


Due = Evaluate | Copy | Learn | Choose | Retrain | Keep


def due(known: Known) -> tuple[Due, ...]:
    """Everything that can be done now, most urgent first; () when the search is finished.

    What waits for something else (a twin of the same step, the rest of a step) is left out. Work that is already
    under way is in the answer too: this function knows results, not workers.
    """
    if known.steps_told < 0:
        return (Learn(-1),)
    if known.steps_told >= known.steps:
        return _due_at_the_end(known.finals)
    found: list[Due] = []
    for step in sorted(known.children):
        if step < known.steps_told:
            continue
        children = known.children[step]
        if step == known.steps_told and all(child.is_final for child in children.values()):
            found.append(Learn(step))
        for slot, child in sorted(children.items()):
            if not child.is_final:
                found.extend(_due_of(known, step, slot))
    return tuple(found)


def _due_at_the_end(finals: KnownFinals | None) -> tuple[Due, ...]:
    if finals is None or finals.is_kept:
        return ()
    if finals.decided is None:
        return (Choose(),)
    undecided = tuple(Retrain(rank) for rank, is_decided in enumerate(finals.decided, 1) if not is_decided)
    return undecided or (Keep(),)


def _due_of(known: Known, step: int, slot: int) -> tuple[Due, ...]:
    twin = twin_of(known, step, slot)
    if twin is None:
        return (Evaluate(step, slot),)
    original = known.children[twin[0]][twin[1]]
    return (Copy(step, slot, twin),) if original.is_final else ()


def twin_of(known: Known, step: int, slot: int) -> tuple[int, int] | None:
    """The (step, slot) whose reward this child copies, or None where it is trained itself.

    The first isomorphic child with a measured reward among the steps that the ask of this step could see, else among
    the lower slots of the same step, where one that is not final is waited for. So who finished first never matters.
    """
    if not known.reuse:
        return None
    wanted = known.children[step][slot].hash
    for other_step in sorted(known.children):
        if other_step < step - known.lookahead:
            for other_slot, other in sorted(known.children[other_step].items()):
                if other.hash == wanted and other.is_measured:
                    return other_step, other_slot
    for other_slot, other in sorted(known.children[step].items()):
        if other_slot < slot and other.hash == wanted and (other.is_measured or not other.is_final):
            return step, other_slot
    return None


@dataclass(frozen=True, slots=True)
class MeasuredChild:
    """A child whose reward was measured for itself: what the choice of finalists looks at.

    accuracy: only where the reward is another figure; the choice does not look at it.
    """

    reward: float
    step: int
    slot: int
    hash: str
    accuracy: float | None = None


def best_children(measured: Iterable[MeasuredChild], count: int) -> tuple[MeasuredChild, ...]:
    """The finalists (NASNet, A.3): different architectures, best reward first, of equal ones who was drawn first.

    An architecture that was drawn and measured several times stands where its best reward puts it.
    """
    chosen: dict[str, MeasuredChild] = {}
    for child in sorted(measured, key=lambda child: (-child.reward, child.step, child.slot)):
        if len(chosen) == count:
            break
        chosen.setdefault(child.hash, child)
    return tuple(chosen.values())
