"""What nobody finishes is cleared away: uploads that stopped, checks whose process died, folders without a row."""

from webapp.searches import clock
from webapp.searches.datasets import checking, quarantine
from webapp.searches.models import OwnData

ARRIVING_SECONDS = 3600.0  # Without a new piece.
CHECKED_SECONDS = 7 * 24 * 3600.0  # Until somebody uses it.
INTERRUPTED = "The check was interrupted when the server stopped. Upload it again."


def end_interrupted_checks() -> None:
    """A check says how far it is as long as it lives; one that outlived its time is over."""
    state, before = OwnData.State.CHECKING, clock.now() - checking.SECONDS - 60.0
    for row in OwnData.objects.filter(state=state, touched__lt=before):
        report = {"error": INTERRUPTED}
        if OwnData.objects.filter(pk=row.pk, state=state).update(state=OwnData.State.REFUSED, report=report):
            quarantine.clear(row.pk)


def clear_what_nobody_finishes() -> None:
    """Rows that were left, with their folders; then folders that no row knows."""
    waits = {OwnData.State.ARRIVING: ARRIVING_SECONDS, OwnData.State.CHECKED: CHECKED_SECONDS}
    for state, seconds in waits.items():
        OwnData.objects.filter(state=state, touched__lt=clock.now() - seconds).delete()
    there = quarantine.all_ids()
    needed = OwnData.objects.filter(pk__in=there, state__in=OwnData.IN_QUARANTINE)
    for data_id in set(there) - set(needed.values_list("pk", flat=True)):
        quarantine.clear(data_id)
