"""When nobody harms a stream any more: leases run out, what is paused goes on, and a steady worker does the rest."""

import uuid
from pathlib import Path

from tests.faults.legal_commands import state_of
from tests.faults.simulation import World
from tests.faults.steady_worker import work_off
from webapp.searches import deletion, leases, lifecycle
from webapp.searches.models import Stream
from webapp.searches.workers import reconciler

SILENT_SECONDS = 30.0  # Longer than any lease.
ENDS = {"deleting": "gone", "stopped": "stopped"}  # What a stream comes to that is this now; any other finishes.


def brought_to_its_end(world: World, stream_id: uuid.UUID, held_on: str, folder: Path) -> tuple[str, list[str]]:
    """What the stream became in the end, and a sentence where it should have become something else.

    held_on: what it was after the last command; folder: for the worker's files.
    """
    world.now += SILENT_SECONDS
    leases.expire()
    reconciler.plan_what_stands_still()
    for paused in Stream.objects.filter(state=Stream.State.PAUSED):
        lifecycle.resume(paused.pk)
    work_off(folder)
    world.now += SILENT_SECONDS
    deletion.remove_deleted()
    ended, wanted = state_of(stream_id), ENDS.get(held_on, "finished")
    return ended, [] if ended == wanted else [f"it was {held_on} and ended {ended}, not {wanted}"]
