"""What is told to the owner of a stream when its state changes, in the transaction that changes it."""

import uuid
from collections.abc import Sequence

from webapp.notices import outbox
from webapp.searches import models

STATE_CHANGED = "state_changed"


def tell_of(stream_id: uuid.UUID, events: Sequence["models.Event"]) -> None:
    """Put into the outbox what these new events of a stream tell of its state, if its owner wants to hear of it."""
    for event in events:
        kind = _kind_of(event)
        if kind is not None:
            tell(models.Stream.objects.get(pk=stream_id), kind, event.number, event.at, event.payload["reason"] or "")


def tell(stream: "models.Stream", kind: str, number: int, at: float, text: str) -> bool:
    """kind: as Notice.KINDS; number: of the event; text: sentences. Whether anybody is told who was not before."""
    if not outbox.has_listeners(stream.owner_id, kind) or _is_part_of_another(stream):
        return False
    folder = "searches" if stream.kind == models.Stream.Kind.SEARCH else "trainings"
    name = " ".join(stream.name.split()) or f"without a name, {str(stream.pk)[:8]}"
    return outbox.tell(
        stream.owner_id,
        kind,
        stream=stream.pk,
        number=number,
        at=at,
        title=f"{stream.kind.capitalize()} {name}: {_WORDS[kind]}.",
        text=text,
        path=f"/{folder}/{stream.pk}",
    )


_WORDS = {
    "finished": "finished", "stopped": "stopped", "failed": "failed", "paused": "paused by itself",
    "stalled": "stands still",
}  # fmt: skip


def _kind_of(event: "models.Event") -> str | None:
    """A pause with a reason is nobody's wish; one without is a person's, who knows of it."""
    if event.kind != STATE_CHANGED:
        return None
    state = event.payload["state"]
    if state == models.Stream.State.PAUSED:
        return "paused" if event.payload["reason"] else None
    return state if state in ("finished", "stopped", "failed") else None


def _is_part_of_another(stream: "models.Stream") -> bool:
    """A network of an honesty meter is a figure on its search's page."""
    return models.Training.objects.filter(pk=stream.pk, for_meter=True).exists()
