"""The real application is ended, in whatever way: no process of it is left. (Its parts are killed by campaigns.)"""

import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.faults import streams
from tests.faults.application import command_line, start_application
from tests.web.slow_sizes import long

pytestmark = pytest.mark.processes


@pytest.mark.parametrize(
    ("number", "is_busy"),
    [
        pytest.param(signal.SIGINT, False, marks=long),
        (signal.SIGTERM, True),
        pytest.param(signal.SIGHUP, False, marks=long),
        (signal.SIGKILL, True),
    ],
)
def test_whatever_ends_the_supervisor_no_process_is_left(tmp_path: Path, number: signal.Signals, is_busy: bool) -> None:
    application = start_application(tmp_path)
    if is_busy:
        search = application.start_search(streams.SEARCHES["random"])
        application.wait_for(search, lambda events: "child_started" in [each["kind"] for each in events], seconds=60)
    until = time.monotonic() + 30
    while len(family := application.family()) < 8:
        # Broker, web, reconciler, Celery, two of its processes, two trainers.
        assert time.monotonic() < until, application.logs()
        time.sleep(0.1)
    application.client.close()
    application.supervisor.send_signal(number)
    _, alive = psutil.wait_procs([application.supervisor, *family], timeout=10)
    assert alive == [], [command_line(each) for each in alive]
