"""What happens in a search or a training, as numbered facts that never change.

Every event is self-contained: whoever reads it needs no other row to draw it. Progress below an epoch is no event.
`version` grows when the meaning of a payload changes; readers know every version that was ever written.
"""

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Bound = Literal["parameters", "mult_adds", "latency"]


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    version: Literal[1] = 1

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def _only_where_there() -> Any:
    """A field that is left out of the JSON form where it has no value, so that events without it stay as they were."""
    return Field(default=None, exclude_if=lambda value: value is None)


class Latency(BaseModel):
    """A measured time: the median of `repeats` forward passes of one batch on a device, after `warm_up` passes.

    Another run measures another time: this is no reproducible figure.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    ms: float
    batch: int
    repeats: int
    warm_up: int
    device: str


class DecisionShown(BaseModel):
    """One decision of a space as the page names it: "normal 1 input 1" and the names of its options."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    options: tuple[str, ...]


class ProposalShown(BaseModel):
    """An architecture that was drawn: its place in the step, its decisions and under which probability.

    off_policy: it was not drawn, but proposed by a person; see strategies.base.Proposal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    slot: int
    decisions: tuple[int, ...]
    log_probability: float
    architecture: dict[str, Any]
    hash: str
    off_policy: Literal[True] | None = _only_where_there()


class SearchStarted(_Event):
    """The first event of a search. children: how many it will try; data: what the images are, with origin and hash.

    epochs: shared epochs, which are the steps of a search with shared weights; only there. Its children are the
    candidates that it derives in the end, all in one step.
    """

    kind: Literal["search_started"] = "search_started"
    config: dict[str, Any]
    decisions: tuple[DecisionShown, ...]
    data: dict[str, Any]
    children: int
    step_size: int
    epochs: int | None = _only_where_there()


class StepProposed(_Event):
    """A step was drawn.

    policy[i][j]: mean over the step's draws of the conditional probability of option j in decision i.
    entropies[i]: mean conditional entropy of decision i, in nats; entropy: their sum.
    """

    kind: Literal["step_proposed"] = "step_proposed"
    step: int
    policy: tuple[tuple[float, ...], ...]
    entropies: tuple[float, ...]
    entropy: float
    proposals: tuple[ProposalShown, ...]


class ChildStarted(_Event):
    """A worker began, or after a loss began again, to train a child."""

    kind: Literal["child_started"] = "child_started"
    step: int
    slot: int
    worker: str
    attempt: int = 1


class EpochEnded(_Event):
    """A child or a training saw all its images, or read all its text, once more.

    accuracy: on held-out images, None where not measured. perplexity: on the validation part of a text; only there.
    """

    kind: Literal["epoch_ended"] = "epoch_ended"
    step: int | None = None
    slot: int | None = None
    epoch: int
    epochs: int
    loss: float
    accuracy: float | None = None
    perplexity: float | None = _only_where_there()
    learning_rate: float
    seconds: float


class ChildFinished(_Event):
    """The verdict on a child, once and for all.

    reward: what the strategy is told: the accuracy on the held-out images in [0, 1], or with cost weighed in more than
        0; None when the child was lost to the infrastructure.
    accuracy: on the held-out images, only where the reward is another figure.
    reason: why there is no measured reward ("diverged", "out of memory", "lost"), None when there is one.
    over: which bound the network is over, if one; the child was not trained, and reason says by how much.
    times: its cost as a multiple of that bound, above 1; only with over.
    latency: of the network that bounds and cost are about, only where it is measured.
    twin: (step, slot) of the isomorphic child whose reward was copied.
    mult_adds: of one image, forward, convolutions and linear layers only; of one word on text.
    perplexity: of a candidate of a search on text with shared weights; only there.
    """

    kind: Literal["child_finished"] = "child_finished"
    step: int
    slot: int
    reward: float | None
    reason: str | None = None
    twin: tuple[int, int] | None = None
    parameters: int
    mult_adds: int
    seconds: float
    accuracy: float | None = _only_where_there()
    over: Bound | None = _only_where_there()
    times: float | None = _only_where_there()
    latency: Latency | None = _only_where_there()
    perplexity: float | None = _only_where_there()


class SharedEpochEnded(_Event):
    """The shared weights saw all training images, or read the training text, once more, each minibatch another way.

    step: of the search, from 0; epochs: how many it has. loss: mean over the minibatches, in nats. accuracy and
    perplexity: over the training minibatches, each under its own architecture, as it was before learning from it; on
    images the one, on text the other (None too where e^loss is no number). learning_rate: of the last minibatch.
    architecture: the one of the last minibatch, with its hash.
    """

    kind: Literal["shared_epoch_ended"] = "shared_epoch_ended"
    step: int
    epochs: int
    minibatches: int
    loss: float
    accuracy: float | None = _only_where_there()
    perplexity: float | None = _only_where_there()
    learning_rate: float
    architecture: dict[str, Any]
    hash: str
    seconds: float


class ArchitectureScored(BaseModel):
    """An architecture with the reward that shared weights gave it on one validation minibatch."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    architecture: dict[str, Any]
    hash: str
    reward: float


class ControllerPhaseEnded(_Event):
    """The strategy learned from the rounds of a step, while the shared weights stayed as they were.

    policy, entropies, entropy: as in StepProposed, of a sample of the policy after the phase; family_entropies: mean of
        `entropies` over the decisions of each family, in nats.
    curve: mean rewards of up to 40 equal stretches of the phase; mean_reward: of all its scores; best_reward: of them.
    baseline: after the last round; loss, divergence: means over the rounds, None where a strategy has no such figure.
    accuracy, perplexity: over all scores of the phase, on validation minibatches (e to the mean of their nats).
    best: the best score of the phase; sampled: a fresh architecture of the policy, scored as in the last round.
    state_sha256: of the strategy's state; weights_sha256: of the file of the shared weights; fingerprint: see
        `extend_by_phase`.
    """

    kind: Literal["controller_phase_ended"] = "controller_phase_ended"
    step: int
    epochs: int
    rounds: int
    policy: tuple[tuple[float, ...], ...]
    entropies: tuple[float, ...]
    entropy: float
    family_entropies: dict[str, float]
    curve: tuple[float, ...]
    mean_reward: float
    best_reward: float
    baseline: float | None
    loss: float | None
    divergence: float | None
    accuracy: float | None = _only_where_there()
    perplexity: float | None = _only_where_there()
    best: ArchitectureScored
    sampled: ArchitectureScored
    state_sha256: str
    weights_sha256: str
    fingerprint: str
    seconds: float


class ControllerUpdated(_Event):
    """The strategy learned from a step.

    mean_reward: over the children that count; the other figures as in strategies.base.Update; fingerprint: see
    `extend_fingerprint`.
    """

    kind: Literal["controller_updated"] = "controller_updated"
    step: int
    mean_reward: float | None
    baseline: float | None
    loss: float | None = None
    divergence: float | None = None
    clipped: float | None = None
    state_sha256: str
    fingerprint: str


class StateChanged(_Event):
    """A search or training was paused, resumed, stopped, finished, failed or is being deleted; reason is a sentence,
    or None."""

    kind: Literal["state_changed"] = "state_changed"
    state: Literal["running", "paused", "stopped", "finished", "failed", "deleting"]
    reason: str | None = None


class LimitsChanged(_Event):
    """Limits of a search were changed while it was open.

    limits: the new value of each that was changed, None for no limit: children or epochs (totals), workers (at a time),
    hours (of running in all). from_step: the first step that is drawn, or shared epoch that is begun, under a new
    total; only with one. by: a person, or the time when the hours were over. proposals_left_out: how many
    architectures that people proposed wait for a step that is not drawn under the new total; only where there are any.
    """

    kind: Literal["limits_changed"] = "limits_changed"
    limits: dict[Literal["children", "epochs", "workers", "hours"], int | float | None]
    from_step: int | None = _only_where_there()
    by: Literal["person", "time"] = "person"
    proposals_left_out: int | None = _only_where_there()


class SearchSteered(_Event):
    """A person banned options of an open search, or took that back.

    bans: by place, see config.changes.Change; () for what is free again. from_step: the first step that is drawn, or
    shared epoch that is begun, under it.
    """

    kind: Literal["search_steered"] = "search_steered"
    bans: dict[str, tuple[str, ...]]
    from_step: int


class ArchitectureProposed(_Event):
    """A person proposed an architecture to an open search: it is trained beside what is drawn in a step."""

    kind: Literal["architecture_proposed"] = "architecture_proposed"
    architecture: dict[str, Any]
    hash: str
    from_step: int


class JobLost(_Event):
    """A worker went away with a job, which will be done again. what: "child 3.7", "update 4", "training"."""

    kind: Literal["job_lost"] = "job_lost"
    what: str
    worker: str
    reason: str
    attempt: int


class FileDamaged(_Event):
    """A file to go on from was damaged or gone. what: "checkpoint of child 3.7"; is_anew: no earlier one was there."""

    kind: Literal["file_damaged"] = "file_damaged"
    what: str
    is_anew: bool


class FinalistShown(BaseModel):
    """A child that the final round trains again. rank: from 1, which had the best reward.

    reward: of the search; accuracy: on its held-out images, only where the reward is another figure.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    rank: int
    step: int
    slot: int
    reward: float
    accuracy: float | None = _only_where_there()
    architecture: dict[str, Any]
    hash: str


class FinalistsChosen(_Event):
    """The last step was told, and these children go to the final round, best first; () where none was measured."""

    kind: Literal["finalists_chosen"] = "finalists_chosen"
    finalists: tuple[FinalistShown, ...]


class FinalistStarted(_Event):
    """A worker began, or after a loss began again, to train a finalist."""

    kind: Literal["finalist_started"] = "finalist_started"
    rank: int
    worker: str
    attempt: int = 1


class FinalistEpochEnded(_Event):
    """A finalist saw all its images once more. accuracy: on the held-out images."""

    kind: Literal["finalist_epoch_ended"] = "finalist_epoch_ended"
    rank: int
    epoch: int
    epochs: int
    loss: float
    accuracy: float | None
    learning_rate: float
    seconds: float


class FinalistFinished(_Event):
    """The verdict on a finalist, once and for all.

    accuracy: on the held-out images after the last epoch; None where it came to no end, and reason says why.
    checkpoint: SHA-256 of the safetensors file with its weights, None without accuracy. Only the best file is kept.
    """

    kind: Literal["finalist_finished"] = "finalist_finished"
    rank: int
    accuracy: float | None
    reason: str | None = None
    parameters: int
    mult_adds: int
    seconds: float
    checkpoint: str | None = None


class ResultKept(_Event):
    """The final round is over. rank: of the finalist that is the search's result, None where none came to an end.

    fingerprint: see `extend_by_finals`.
    """

    kind: Literal["result_kept"] = "result_kept"
    rank: int | None
    accuracy: float | None
    checkpoint: str | None
    fingerprint: str


class TrainingStarted(_Event):
    """The first event of a training. data: what the images or the text are; mult_adds: of one image or one word."""

    kind: Literal["training_started"] = "training_started"
    config: dict[str, Any]
    data: dict[str, Any]
    hash: str
    parameters: int
    mult_adds: int


class TrainingFinished(_Event):
    """A training ended: the one and only look at the test images, or at the test part of a text.

    A training has both accuracies or both perplexities. test_examples: images, or tokens that were guessed.
    checkpoint: SHA-256 of the safetensors file.
    """

    kind: Literal["training_finished"] = "training_finished"
    test_accuracy: float | None = None
    test_examples: int
    held_out_accuracy: float | None = None
    test_perplexity: float | None = _only_where_there()
    held_out_perplexity: float | None = _only_where_there()
    checkpoint: str
    seconds: float


Event = Annotated[
    SearchStarted | StepProposed | ChildStarted | EpochEnded | ChildFinished | SharedEpochEnded | ControllerPhaseEnded
    | ControllerUpdated | StateChanged | LimitsChanged | SearchSteered | ArchitectureProposed | JobLost | FileDamaged
    | FinalistsChosen | FinalistStarted | FinalistEpochEnded | FinalistFinished | ResultKept | TrainingStarted
    | TrainingFinished,
    Field(discriminator="kind"),
]  # fmt: skip
_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


def event_from_json(value: Any) -> Event:
    """Read one event; raises pydantic's ValidationError, which is our bug or a damaged log."""
    return _ADAPTER.validate_python(value)


def extend_fingerprint(
    previous: str, step: int, children: list[tuple[dict[str, Any], float | None]], state_sha256: str
) -> str:
    """The fingerprint after a step: SHA-256 over the one before and everything the step computed, in slot order.

    children: (architecture as JSON, reward) by slot; state_sha256: digest of the strategy's state after learning.
    Two runs of one configuration have equal fingerprints, however often their workers died; not so where measured
    latencies decide (SearchConfig.measures_latency), because each run measures its own. Starts from "".
    """
    text = json.dumps([previous, step, children, state_sha256], separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def extend_by_phase(previous: str, step: int, state_sha256: str, weights_sha256: str) -> str:
    """The fingerprint after a step of a search with shared weights: SHA-256 over the one before and what it left.

    state_sha256: digest of the strategy's state after the phase; weights_sha256: of the file of the shared weights.
    After the last step the candidates are hashed in by `extend_fingerprint`, as a step of their own.
    """
    text = json.dumps([previous, "phase", step, state_sha256, weights_sha256], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def extend_by_finals(previous: str, finalists: list[tuple[int, int, float | None]]) -> str:
    """The fingerprint after the final round: SHA-256 over the one of the last step and every finalist's verdict.

    finalists: (step, slot, held-out accuracy) by rank.
    """
    text = json.dumps([previous, "finals", finalists], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
