"""A real worker is killed: what it held is taken from it because it is dead, not because its lease ran out."""

from pathlib import Path
from typing import Any

import pytest

from tests.faults import streams
from tests.faults.application import PARTS, start_application
from webapp.searches.workers.orphaned_jobs import REASON

pytestmark = pytest.mark.processes

Events = list[dict[str, Any]]
LONG = {"budget": {"children": 4}, "recipe": {"epochs": 200, "batch_size": 50}}  # It is not waited for.


def lost(events: Events) -> list[dict[str, Any]]:
    return [event for event in events if event["kind"] == "job_lost"]


def goes_on(events: Events) -> bool:
    """Whether the job that was lost last was computed since."""
    kinds = [event["kind"] for event in reversed(events)]
    return "epoch_ended" in kinds[: kinds.index("job_lost")]


def test_the_job_of_a_killed_worker_is_lost_because_its_process_ended_and_goes_on(tmp_path: Path) -> None:
    application = start_application(tmp_path, workers=1)
    search = application.start_search(streams.SEARCHES["random"] | LONG)
    application.wait_for(search, lambda events: any(each["kind"] == "epoch_ended" for each in events), seconds=60)
    for losses, is_forked in ((1, True), (2, False)):  # By Celery's main process, and by the supervisor, replaced.
        application.process(PARTS["worker"], forked=is_forked).kill()
        application.wait_for(search, lambda events, losses=losses: len(lost(events)) == losses, seconds=60)
        application.wait_for(search, goes_on, seconds=60)
    assert [event["reason"] for event in lost(application.events(search))] == [REASON, REASON]
    assert application.stop() == []
