"""What the API answers, as values: the parts of it that the client gives names to. A test holds them to the API.

Times are seconds since 1970. What a field means stands in /api/docs under the name in the docstring.
"""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Reply(BaseModel):
    """Fields that a later server adds are no error."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class SearchFacts(Reply):
    """SearchReply. done: children with a verdict, of `total`; with shared weights, steps_told epochs of `epochs`."""

    id: UUID
    name: str
    url: str
    state: str
    reason: str
    created: float
    ended: float | None
    total: int
    done: int
    epochs: int
    steps_told: int
    best_reward: float | None
    fingerprint: str
    last_event: int


class ChildPlace(Reply):
    """ChildPlace."""

    search: UUID
    step: int
    slot: int


class TrainingFacts(Reply):
    """TrainingReply. On text there are perplexities in place of accuracies, and lower is better."""

    id: UUID
    name: str
    url: str
    state: str
    reason: str
    created: float
    ended: float | None
    epochs: int
    epochs_done: int
    hash: str
    parameters: int
    mult_adds: int
    test_accuracy: float | None
    held_out_accuracy: float | None
    test_perplexity: float | None
    held_out_perplexity: float | None
    child: ChildPlace | None
    last_event: int


class ChildFacts(Reply):
    """ChildReply. reward: None for a child that was lost."""

    step: int
    slot: int
    reward: float | None
    reason: str
    hash: str
    parameters: int | None
    mult_adds: int | None
    seconds: float | None
    accuracy: float | None
    perplexity: float | None
    off_policy: bool
    url: str


class ArchitectureFacts(Reply):
    """ArchitectureReply. id: None for a published one; name: of the catalogue, "" for one of yours."""

    id: UUID | None
    name: str
    title: str
    kind: str
    hash: str
    url: str


class FileFacts(Reply):
    """ArtifactReply."""

    id: UUID
    label: str
    filename: str
    media_type: str
    size: int
    sha256: str
    url: str


class Range(Reply):
    """Range."""

    low: int
    high: int


class Cost(Reply):
    """CostReply. seconds: None until a worker has measured its speed."""

    children: int | None
    seconds: float | None
    workers: int | None
    parameters: Range | None
    mult_adds: Range | None
    memory_bytes: int | None
    disk_bytes: int | None
    notes: list[str]


class Link(Reply):
    """LinkReply. expires: None for never."""

    id: UUID
    created: float
    expires: float | None


class Share(Reply):
    """ShareReply. role: "reader" or "co-owner"."""

    user: str
    role: str
    created: float


class StreamFacts(Reply):
    """StreamReply: a search or a training, as a list shows it. done of total, in `unit`; result: for people."""

    id: UUID
    kind: str
    name: str
    url: str
    state: str
    done: int
    total: int
    unit: str
    seconds_left: float | None
    result: str
    best: float | None
    owner: str
    role: str
    tags: list[str]
    notes: str
    archived: float | None
    created: float
    ended: float | None


class OwnDataFacts(Reply):
    """OwnDataReply. name: by which a configuration names it, "" before it is ready."""

    id: UUID
    kind: str
    name: str
    sha256: str
    title: str
    state: str
    size: int
    received: int
    piece_bytes: int
    progress: dict[str, int]
    report: dict[str, Any]


class WorkerFacts(Reply):
    """WorkerReply. job: what it does, None when it is idle."""

    name: str
    host: str
    device: str
    is_here: bool
    is_drained: bool
    job: str | None
    stream: UUID | None
    stream_name: str


class HostFacts(Reply):
    """HostReply."""

    name: str
    is_drained: bool
    is_set_aside: bool
    why: str
