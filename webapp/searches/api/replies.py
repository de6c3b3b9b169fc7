"""What the API asks for and answers, as models: the pages, programs and /api/docs read the same."""

import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SkipValidation, StrictBool, StrictFloat, StrictInt

from search_engine.config.language import LanguageTrainingConfig
from search_engine.config.searches import AnySearchConfig
from search_engine.config.training import TrainingConfig
from search_engine.errors import UserError
from search_engine.events import Latency
from webapp.searches.costs.estimate import Cost


class Body(BaseModel):
    """What is sent. Unknown names are refused, so that a typing error is not silently left out."""

    model_config = ConfigDict(extra="forbid")


LARGEST_PLACE = 2**31 - 1  # Of a step, or of a child in it; a row holds no larger one.
LARGEST_SIZE = 2**53  # Bytes; what a program in a browser can count.
# What has a limit of its own, with a sentence of its own, is held off here only where it is absurd.
ShortText = Annotated[str, Field(max_length=1000)]
Workers = Annotated[StrictInt, Field(ge=1, le=10_000)]
Hours = Annotated[StrictFloat, Field(ge=0.01, le=100_000)]


class FirstLimits(Body):
    """Limits of a search from its start: workers at a time, and hours of running in all. None stands for no limit."""

    workers: Workers | None = None
    hours: Hours | None = None


class NewSearch(Body):
    """A search to start. companion: uniform random search of the same settings runs beside it, in the same group.

    limits: of the search, and of its companion as well; they are no part of the configuration and can be changed.
    """

    # Checked when its method is known, which decides which of the models is right.
    config: Annotated[AnySearchConfig, SkipValidation]
    companion: StrictBool = False
    limits: FirstLimits = FirstLimits()


class TrainingSettings(TrainingConfig):
    """A training's configuration; the architecture may be left out where the body names a child."""

    architecture: dict[str, Any] | None = None  # type: ignore[assignment]


class TextTrainingSettings(LanguageTrainingConfig):
    """The same for a recurrent architecture, which is trained on text."""

    architecture: dict[str, Any] | None = None  # type: ignore[assignment]


class NamedArchitecture(Body):
    """Which architecture: a child (search, step and slot), a published one (name), one of yours (id), or its JSON."""

    search: uuid.UUID | None = None
    step: Annotated[int, Field(ge=0, le=LARGEST_PLACE)] | None = None
    slot: Annotated[int, Field(ge=0, le=LARGEST_PLACE)] | None = None
    name: ShortText | None = None
    id: uuid.UUID | None = None
    architecture: dict[str, Any] | None = None


class NewTraining(NamedArchitecture):
    """A training to start. The architecture may be named here, or stand in config.architecture."""

    # Checked when the architecture is known, whose kind decides which of the two, and which layout, is right.
    config: Annotated[TrainingSettings | TextTrainingSettings, SkipValidation]


class Unchecked(NamedArchitecture):
    """What might be started, complete or not: what is wrong with it is part of the answer."""

    config: dict[str, Any]


class SearchToWeigh(Body):
    """A search that might be started, complete or not, with its companion or without."""

    config: dict[str, Any]
    companion: StrictBool = False


class Problem(BaseModel):
    """field: dotted path inside the configuration, "" when it is not about one value. message: a sentence."""

    field: str
    message: str


class Refusal(BaseModel):
    errors: list[Problem]


class Started(BaseModel):
    """url: its page."""

    id: uuid.UUID
    url: str


class StateReply(BaseModel):
    id: uuid.UUID
    state: str


Priority = Literal["first", "normal", "later"]


class Outlook(BaseModel):
    """What deleting would do, in sentences."""

    goes: list[str]
    stays: list[str]


class Range(BaseModel):
    low: int
    high: int


class CostReply(BaseModel):
    """Before a start. Figures are null while errors is not empty; seconds also until a worker has measured its speed.

    parameters, mult_adds: from the smallest to the largest hundredth of children. memory_bytes: of the largest
    hundredth. disk_bytes: at most, before the daily sweep. epoch_seconds: of an epoch of shared weights with the
    controller phase behind it, where there are such; children are the candidates there.
    """

    children: int | None = None
    seconds: float | None = None
    child_seconds: float | None = None
    epoch_seconds: float | None = None
    workers: int | None = None
    parameters: Range | None = None
    mult_adds: Range | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    notes: list[str] = Field(default_factory=list)
    errors: list[Problem] = Field(default_factory=list)

    @classmethod
    def of(cls, cost: Cost, over: Sequence[UserError] = ()) -> "CostReply":
        """over: the quotas that it would be refused for, which the notes say first."""
        return cls(
            children=cost.children,
            seconds=cost.seconds,
            child_seconds=cost.child_seconds,
            epoch_seconds=cost.epoch_seconds,
            workers=cost.workers,
            parameters=Range(low=cost.parameters[0], high=cost.parameters[1]),
            mult_adds=Range(low=cost.mult_adds[0], high=cost.mult_adds[1]),
            memory_bytes=cost.memory_bytes,
            disk_bytes=cost.disk_bytes,
            notes=[*(error.message for error in over), *cost.notes],
        )


class SearchReply(BaseModel):
    """A search. done: children with a verdict; finalists_chosen, finalists_done: in the final round, 0 before it and
    without one; best_accuracy: of the child with the best reward, only where cost weighs in it; created, ended: seconds
    since 1970; fingerprint: of what it computed.

    total, epochs, max_workers, max_hours: the limits in force; null for none.
    epochs: of shared weights, 0 where every child is trained by itself. With them, epochs_shared and steps_told count
    shared epochs and controller phases that are over, and the children are the candidates at the end; best_perplexity
    is of the best one, on text alone.
    """

    id: uuid.UUID
    name: str
    url: str
    state: str
    reason: str
    priority: Priority
    created: float
    ended: float | None
    total: int
    done: int
    epochs: int
    epochs_shared: int
    max_workers: int | None
    max_hours: float | None
    finalists_chosen: int
    finalists_done: int
    best_reward: float | None
    best_accuracy: float | None
    best_perplexity: float | None
    steps_told: int
    fingerprint: str
    last_event: int
    code_version: str


class SearchDetail(SearchReply):
    config: dict[str, Any]


class SearchList(BaseModel):
    searches: list[SearchReply]
    total: int


class EventList(BaseModel):
    """events: {"n", "at", "kind", ...}, in order, after the asked number; last: the newest number there is."""

    events: list[dict[str, Any]]
    last: int


class ChildReply(BaseModel):
    """A child. reward: what the strategy was told, null until the verdict and for a lost one.

    twin: (step, slot) whose reward was copied. accuracy: where the reward is another figure, because cost weighs in it.
    perplexity: of a candidate on text, whose reward is made of it.
    over: the bound that its network is over, "" otherwise; latency: {ms, batch, repeats, warm_up, device} where it was
    measured, which no other run repeats. off_policy: a person proposed it, and the controller learns nothing from it.
    """

    step: int
    slot: int
    is_final: bool
    reward: float | None
    reason: str
    twin: tuple[int, int] | None
    hash: str
    parameters: int | None
    mult_adds: int | None
    seconds: float | None
    accuracy: float | None
    perplexity: float | None
    over: str
    latency: Latency | None
    off_policy: bool
    url: str
    picture: str


class ChildDetail(ChildReply):
    decisions: list[int]
    log_probability: float
    architecture: dict[str, Any]


class ChildList(BaseModel):
    """One page of children. total: of all pages."""

    children: list[ChildReply]
    page: int
    pages: int
    size: int
    total: int


class ChildPlace(BaseModel):
    search: uuid.UUID
    step: int
    slot: int


class TrainingReply(BaseModel):
    """A training. test_accuracy: of the one look at the test images, at its end; checkpoint: SHA-256 of the weights.

    On text there are perplexities in place of accuracies (lower is better), and test_examples are tokens.
    child, published, imported: where its architecture comes from, as far as that is still there. for_meter: it was
    trained for the honesty meter of its child's search.
    """

    id: uuid.UUID
    name: str
    url: str
    state: str
    reason: str
    priority: Priority
    created: float
    ended: float | None
    epochs: int
    epochs_done: int
    for_meter: bool
    hash: str
    parameters: int
    mult_adds: int
    test_accuracy: float | None
    test_examples: int | None
    held_out_accuracy: float | None
    test_perplexity: float | None
    held_out_perplexity: float | None
    seconds: float | None
    checkpoint: str
    child: ChildPlace | None
    published: str
    imported: uuid.UUID | None
    last_event: int
    code_version: str


class TrainingDetail(TrainingReply):
    config: dict[str, Any]


class TrainingList(BaseModel):
    trainings: list[TrainingReply]
    total: int


class ArtifactReply(BaseModel):
    """A file. url: where it is downloaded."""

    id: uuid.UUID
    label: str
    filename: str
    media_type: str
    size: int
    sha256: str
    created: float
    url: str


class ArtifactList(BaseModel):
    artifacts: list[ArtifactReply]


class TrainingFiles(ArtifactList):
    """bundle: "there"; "absent", "waiting", "making" or "failed"; "impossible" without a finished network."""

    bundle: str


class BundleAsked(BaseModel):
    """bundle: as in TrainingFiles."""

    id: uuid.UUID
    bundle: str
