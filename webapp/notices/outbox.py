"""Notices are written in the transaction of what they tell of: both are there, or neither."""

import uuid
from typing import Any

from webapp.notices.models import Delivery, Notice, Target

KEPT_SECONDS = 30 * 24 * 3600.0  # So long people can look back.


def has_listeners(owner_id: uuid.UUID, kind: str) -> bool:
    """Whether this person wants to be told of this kind of notice anywhere."""
    return bool(_listening(owner_id, kind))


def tell(owner_id: uuid.UUID, kind: str, *, stream: uuid.UUID, number: int, at: float, **said: Any) -> bool:
    """Put a notice in the outbox for every target that wants it; whether there is any that was not told before.

    said: title, text and path. To be called inside the transaction of what happened.
    """
    targets = _listening(owner_id, kind)
    if not targets:
        return False
    notice, is_new = Notice.objects.get_or_create(
        stream=stream, number=number, kind=kind, defaults={"owner_id": owner_id, "at": at, **said}
    )
    if is_new:
        Delivery.objects.bulk_create(Delivery(notice=notice, target=target, next_at=at) for target in targets)
    return is_new


def test(target: Target, at: float) -> None:
    """Tell one target that it can be reached."""
    notice = Notice.objects.create(
        owner_id=target.owner_id,
        kind=Notice.TEST,
        title="This is a test.",
        text="When something of yours ends, fails or stands still, you are told here.",
        path="/notices",
        at=at,
    )
    Delivery.objects.create(notice=notice, target=target, next_at=at)


def forget(now: float) -> None:
    """Notices of long ago. One in times to come was written before the clock was set back."""
    Notice.objects.exclude(at__range=(now - KEPT_SECONDS, now + KEPT_SECONDS)).delete()


def _listening(owner_id: uuid.UUID, kind: str) -> list[Target]:
    """SQLite finds nothing inside a JSON list, and there are ten targets at most."""
    targets = Target.objects.filter(owner_id=owner_id)
    return [target for target in targets if Notice.KINDS[kind] in target.topics]
