"""The loop of ENAS (section 2.2), as generators that can be left anywhere and gone on with to the bit.

A step is a shared epoch, in which the weights learn under architectures of a policy that stays as it is, and a
controller phase, in which the policy learns from scores under weights that stay as they are. After the last step
candidates are drawn from the policy and scored. Nothing here knows files, rows or processes.
"""

import math
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

from search_engine.architectures.reading import Architecture
from search_engine.checkpoints import digest
from search_engine.config.changes import Change, epochs_at, epochs_in_all
from search_engine.config.searches import AnyEnasSearchConfig
from search_engine.errors import ConfigError
from search_engine.events import (
    ArchitectureScored,
    ChildFinished,
    ControllerPhaseEnded,
    DecisionShown,
    Event,
    SearchStarted,
    SharedEpochEnded,
    extend_by_phase,
)
from search_engine.runner import fingerprint_after, step_proposed
from search_engine.shared_phases import EpochPosition, PhasePosition, perplexity_of_nats, scored
from search_engine.spaces.base import Space
from search_engine.spaces.build import build_space
from search_engine.strategies.base import Evaluation, Proposal, Strategy, Update
from search_engine.training.shared_weights import Score, SharedWeights, TrainedMinibatch
from search_engine.training.train import unless_out_of_memory

POLICY_DRAWS = 64  # Architectures whose mean conditional probabilities are shown as the policy after a phase.

CostOf = Callable[[Architecture], tuple[int, int]]  # (parameters, mult-adds) of an architecture trained from scratch.


def search_started(config: AnyEnasSearchConfig, data: dict[str, Any]) -> SearchStarted:
    """The first event of a search. data: what images or text are."""
    decisions = build_space(config.space).decisions
    return SearchStarted(
        config=config.model_dump(mode="json"),
        decisions=tuple(DecisionShown(name=decision.name, options=decision.options) for decision in decisions),
        data=data,
        children=config.deriving.candidates,
        step_size=config.deriving.candidates,
        epochs=config.epochs,
    )


def share_weights(
    config: AnyEnasSearchConfig,
    strategy: Strategy,
    weights: SharedWeights,
    step: int,
    position: EpochPosition = EpochPosition(),  # noqa: B008  # It is frozen.
    *,
    changes: Sequence[Change] = (),
) -> Generator[EpochPosition, None, SharedEpochEnded]:
    """The shared epoch of a step, from a position on; yields one after every minibatch.

    At every yield `weights.tensors()` and the position are a checkpoint. Every minibatch has an architecture of its
    own (M = 1 in the paper), drawn from the policy as it is. Raises ConfigError where the weights diverge or do not fit
    into memory. changes: of how many epochs there are, which the event says; no learning rate depends on that.
    """
    minibatches = weights.minibatches(step)
    drawn = strategy.sample(minibatches, purpose="share", number=step, under=step * config.phases.rounds).proposals
    training = weights.train(step, position.minibatches, [proposal.architecture for proposal in drawn])
    began = time.monotonic()
    while (trained := unless_out_of_memory(lambda: next(training, None))) is not None:
        position = position.after(_checked(trained, config, step), time.monotonic() - began)
        yield position
        began = time.monotonic()  # What whoever drives did meanwhile was no training.
    last = drawn[-1].architecture
    loss, right = position.loss / minibatches, position.guessed_right
    return SharedEpochEnded(
        step=step,
        epochs=epochs_at(config, changes, step),
        minibatches=minibatches,
        loss=loss,
        accuracy=None if right is None else right / minibatches,
        perplexity=perplexity_of_nats(loss) if right is None else None,
        learning_rate=position.learning_rate,
        architecture=last.to_json(),
        hash=last.hash,
        seconds=position.seconds,
    )


def teach_controller(
    config: AnyEnasSearchConfig,
    strategy: Strategy,
    weights: SharedWeights,
    step: int,
    *,
    fingerprint: str,
    weights_sha256: str,
    position: PhasePosition = PhasePosition(),  # noqa: B008  # It is frozen.
    changes: Sequence[Change] = (),
) -> Generator[PhasePosition, None, ControllerPhaseEnded]:
    """The controller phase of a step, from a position on; yields one after every round but the last.

    At every yield the strategy's state and the position are a checkpoint. All architectures of a round are scored on
    the same validation minibatch. fingerprint: of the steps before; weights_sha256: of the file of the weights;
    changes: of how many epochs there are, which decide whether the strategy draws another round behind this step. So
    there is no checkpoint behind the last round: a change that comes in time finds nothing drawn.
    """
    rounds = config.phases.rounds
    while position.rounds < rounds:
        began = time.monotonic()
        proposals = strategy.ask()
        scores = [
            _score(config, weights, proposal, _minibatch(config, step, position.rounds)) for proposal in proposals
        ]
        update = strategy.tell(
            [_evaluation(proposal, score) for proposal, score in zip(proposals, scores, strict=True)]
        )
        position = position.after(proposals, scores, update, rounds=rounds, seconds=time.monotonic() - began)
        if position.rounds < rounds:
            yield position
    ended = _phase_ended(config, strategy, weights, step, position, fingerprint, weights_sha256)
    return ended.model_copy(update={"epochs": epochs_at(config, changes, step)})


def derive(
    config: AnyEnasSearchConfig,
    strategy: Strategy,
    weights: SharedWeights,
    cost_of: CostOf,
    fingerprint: str,
    changes: Sequence[Change] = (),
) -> Generator[Event, None, str]:
    """Draw the candidates from the final policy and score all of them on one validation minibatch (section 2.3).

    fingerprint: of all steps. changes: of how many there are. Returns the fingerprint of the whole search.
    """
    epochs = epochs_in_all(config, changes)
    under = epochs * config.phases.rounds  # What was banned by the end holds for the candidates.
    drawn = strategy.sample(config.deriving.candidates, purpose="derive", number=0, under=under)
    yield step_proposed(drawn)
    minibatch = _minibatch(config, epochs, 0)  # The one behind those that the controller learned from last.
    evaluations = []
    for proposal in drawn.proposals:
        began = time.monotonic()
        score = _score(config, weights, proposal, minibatch)
        evaluations.append(_evaluation(proposal, score))
        yield _candidate_finished(proposal, score, cost_of(proposal.architecture), time.monotonic() - began)
    unchanged = Update(
        step=epochs, mean_reward=None, baseline=None, loss=None, divergence=None, clipped=None,
        state_sha256=digest(*strategy.state_dict()),
    )  # fmt: skip
    return fingerprint_after(fingerprint, drawn.proposals, evaluations, unchanged)


def _checked(trained: TrainedMinibatch | str, config: AnyEnasSearchConfig, step: int) -> TrainedMinibatch:
    """The minibatch; raises ConfigError at the setting to change where it failed."""
    if isinstance(trained, str):
        size = config.shared.batch_size
        raise ConfigError("shared.batch_size", f"is {size}; ran out of memory in shared epoch {step + 1}.")
    if trained.loss is None:
        rate = config.shared.learning_rate
        raise ConfigError(
            "shared.learning_rate", f"is {rate:g}; the shared weights diverged in epoch {step + 1}: the loss ceased to "
            "be finite.",
        )  # fmt: skip
    return trained


def _phase_ended(
    config: AnyEnasSearchConfig,
    strategy: Strategy,
    weights: SharedWeights,
    step: int,
    position: PhasePosition,
    fingerprint: str,
    weights_sha256: str,
) -> ControllerPhaseEnded:
    drawn = strategy.sample(POLICY_DRAWS, purpose="policy", number=step, under=step * config.phases.rounds)
    sampled = drawn.proposals[0]
    score = _score(config, weights, sampled, _minibatch(config, step, config.phases.rounds - 1))
    assert position.best is not None, "a phase has at least one round"
    state = digest(*strategy.state_dict())
    rounds, scores = position.rounds, position.scores
    return ControllerPhaseEnded(
        step=step,
        epochs=config.epochs,
        rounds=rounds,
        policy=drawn.policy,
        entropies=drawn.entropies,
        entropy=math.fsum(drawn.entropies),
        family_entropies=_by_family(build_space(config.space), drawn.entropies),
        curve=tuple(total / count for total, count in position.curve),
        mean_reward=position.mean_reward,
        best_reward=position.best["reward"],
        baseline=position.baseline,
        loss=None if position.loss is None else position.loss / rounds,
        divergence=None if position.divergence is None else position.divergence / rounds,
        accuracy=None if position.accuracy is None else position.accuracy / scores,
        perplexity=_perplexity(position),
        best=ArchitectureScored(**position.best),
        sampled=scored(sampled, score),
        state_sha256=state,
        weights_sha256=weights_sha256,
        fingerprint=extend_by_phase(fingerprint, step, state, weights_sha256),
        seconds=position.seconds,
    )


def _by_family(space: Space, entropies: Sequence[float]) -> dict[str, float]:
    """Mean entropy in nats of the decisions of each family, in the order in which families first occur."""
    families: dict[str, list[float]] = {}
    for decision, entropy in zip(space.decisions, entropies, strict=True):
        families.setdefault(decision.family, []).append(entropy)
    return {family: math.fsum(found) / len(found) for family, found in families.items()}


def _perplexity(position: PhasePosition) -> float | None:
    """Over the scores of a phase; None on images, and where one of them was not finite."""
    if position.accuracy is not None or position.nats is None:
        return None
    return perplexity_of_nats(position.nats / position.scores)


def _minibatch(config: AnyEnasSearchConfig, step: int, number: int) -> int:
    """Which validation minibatch a round is scored on: the next one in each round, over all steps."""
    return step * config.phases.rounds + number


def _score(config: AnyEnasSearchConfig, weights: SharedWeights, proposal: Proposal, minibatch: int) -> Score:
    score = unless_out_of_memory(lambda: weights.score(proposal.architecture, minibatch))
    if isinstance(score, str):
        size = config.phases.score_batch
        raise ConfigError("phases.score_batch", f"is {size}; scoring an architecture ran out of memory.")
    return score


def _evaluation(proposal: Proposal, score: Score) -> Evaluation:
    return Evaluation(step=proposal.step, slot=proposal.slot, reward=score.reward)


def _candidate_finished(proposal: Proposal, score: Score, cost: tuple[int, int], seconds: float) -> ChildFinished:
    """The verdict on a candidate: its score, and what it costs as it would be trained from scratch."""
    parameters, mult_adds = cost
    return ChildFinished(
        step=proposal.step,
        slot=proposal.slot,
        reward=score.reward,
        parameters=parameters,
        mult_adds=mult_adds,
        seconds=seconds,
        perplexity=perplexity_of_nats(score.nats),
    )
