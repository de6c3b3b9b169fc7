"""The outbox is emptied: each notice goes to each of its targets, with patience, and what went is never sent again.

Whoever sends says so first: the row is theirs for SENDING_SECONDS. If they are killed behind the sending and before the
note of it, it is sent once more under the same id, which receivers can tell; the world allows no better.
"""

import logging
from collections.abc import Callable

from django.db.models import Q, QuerySet

from webapp.notices import mail, webhook
from webapp.notices.models import Delivery, Target
from webapp.notices.webhook import NotDelivered

PAUSES_SECONDS = (30.0, 120.0, 600.0, 3600.0, 6 * 3600.0)  # Before the second try, and so on; then it is given up.
SENDING_SECONDS = 60.0  # Longer than any try takes.
NEVER_SECONDS = 24 * 3600.0  # Nothing waits so long: it was written before the clock was set back.
BROWSER_SECONDS = 24 * 3600.0  # So long a notice waits for an open page.
BROKE_OFF = "The program was ended again and again while it was sending this."
NO_PAGE = "No page was open in that browser for a day."

log = logging.getLogger(__name__)


def deliver_due(now: Callable[[], float]) -> int:
    """Try everything that is due by e-mail and webhook, one after another; how many were tried. now: the time."""
    tried = 0
    _give_up_on_closed_browsers(now())
    while (delivery := _next(now())) is not None:
        _try(delivery, now)
        tried += 1
    return tried


def take(target: Target, now: float) -> list[Delivery]:
    """What an open page of this browser shall show now; nobody else gets it."""
    waiting = Delivery.objects.filter(target=target, state=Delivery.State.DUE).select_related("notice")
    return [
        each
        for each in waiting.order_by("notice__at")[:20]
        if Delivery.objects.filter(pk=each.pk, state=Delivery.State.DUE).update(
            state=Delivery.State.SENT, sent_at=now, attempts=1
        )
    ]


def _next(now: float) -> Delivery | None:
    """The one that waits longest, now ours: its attempt is counted before anything is sent."""
    is_due = Q(next_at__lte=now) | Q(next_at__gt=now + NEVER_SECONDS)
    due = is_due & Q(state__in=(Delivery.State.DUE, Delivery.State.SENDING))
    rows = Delivery.objects.filter(due).exclude(target__kind=Target.Kind.BROWSER).order_by("next_at", "pk")
    for row in rows.select_related("notice", "target__owner")[:10]:
        held = Delivery.objects.filter(pk=row.pk, state=row.state, attempts=row.attempts, next_at=row.next_at)
        if row.attempts > len(PAUSES_SECONDS):
            held.update(state=Delivery.State.FAILED, error=row.error or BROKE_OFF)
            continue
        row.attempts += 1
        if held.update(state=Delivery.State.SENDING, attempts=row.attempts, next_at=now + SENDING_SECONDS):
            return row
    return None


def _try(delivery: Delivery, now: Callable[[], float]) -> None:
    try:
        if delivery.target.kind == Target.Kind.EMAIL:
            mail.send(delivery)
        else:
            webhook.post(delivery, now())
    except NotDelivered as failure:
        _note_failure(delivery, failure, now())
        return
    _held(delivery).update(state=Delivery.State.SENT, sent_at=now(), error="")


def _note_failure(delivery: Delivery, failure: NotDelivered, now: float) -> None:
    log.warning("Notice %s was not delivered, try %d: %s", delivery.pk, delivery.attempts, failure)
    if failure.for_good or delivery.attempts > len(PAUSES_SECONDS):
        _held(delivery).update(state=Delivery.State.FAILED, error=str(failure))
        return
    pause = PAUSES_SECONDS[delivery.attempts - 1]
    _held(delivery).update(state=Delivery.State.DUE, error=str(failure), next_at=now + pause)


def _held(delivery: Delivery) -> QuerySet[Delivery]:
    """The row, while nobody took it over meanwhile."""
    return Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.SENDING, attempts=delivery.attempts)


def _give_up_on_closed_browsers(now: float) -> None:
    waiting = Delivery.objects.filter(target__kind=Target.Kind.BROWSER, state=Delivery.State.DUE)
    waiting.filter(next_at__lt=now - BROWSER_SECONDS).update(state=Delivery.State.FAILED, error=NO_PAGE)
