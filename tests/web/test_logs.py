"""Log lines as JSON: one object a line whatever is in it, with the search, job, attempt and worker that it is about."""

import io
import json
import logging
import logging.config
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.web.example_search import a_search
from webapp import logs
from webapp.accounts.models import User
from webapp.searches import leases
from webapp.searches.models import Job
from webapp.searches.workers import life_locks, orphaned_jobs, reconciler
from webapp.searches.workers.trainer_process import TrainerGone
from webapp.searches.workers.worker import WorkingProcess

log = logging.getLogger("webapp.tests")
Lines = Callable[[], list[dict[str, Any]]]


def formatter() -> logging.Formatter:
    formatters = logs.configuration("json")["formatters"]
    return logging.config.DictConfigurator({"version": 1}).configure_formatter(formatters["json"])


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What was logged since, read back."""
    handler = logging.StreamHandler(stream := io.StringIO())
    handler.setFormatter(formatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def test_a_line_is_one_object_whatever_is_in_it() -> None:
    # Formatted and not logged: half a character cannot go from one process of pytest to the other.
    record = log.makeRecord(log.name, logging.WARNING, "", 0, "first\nsecond \u2028 %s", ("\udcff \x85 ü",), None)
    (text,) = formatter().format(record).splitlines()
    line = json.loads(text)
    assert list(line) == ["time", "level", "logger", "message"]
    assert line["message"] == "first\nsecond \u2028 \udcff \x85 ü"
    assert (line["level"], line["logger"]) == ("WARNING", "webapp.tests")
    assert line["time"].endswith("+00:00")


def test_a_traceback_is_in_its_line(lines: Lines) -> None:
    try:
        raise ValueError("a reason")
    except ValueError:
        log.exception("It failed")
    (line,) = lines()
    assert line["error"].startswith("Traceback") and line["error"].endswith("ValueError: a reason")


def test_what_a_block_is_about_is_in_its_lines_and_in_no_others(lines: Lines) -> None:
    with logs.about(search="a"):
        with logs.about(job=7):
            log.info("inner")
            elsewhere = threading.Thread(target=log.info, args=["elsewhere"])
            elsewhere.start()
            elsewhere.join()
        log.info("outer")
    log.info("behind")
    about = {line["message"]: {key: line[key] for key in ("search", "job") if key in line} for line in lines()}
    assert about == {"inner": {"search": "a", "job": 7}, "elsewhere": {}, "outer": {"search": "a"}, "behind": {}}


def test_text_is_as_it_was_and_only_json_takes_over_the_lines_of_libraries() -> None:
    text, made = logs.configuration("text"), logs.configuration("json")
    assert text["handlers"]["stderr"]["formatter"] == "text" and "loggers" not in text
    assert text["formatters"]["text"] == {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    assert made["handlers"]["stderr"]["formatter"] == "json" and "uvicorn.error" in made["loggers"]


def test_addresses_that_are_asked_for_stay_out_of_the_log() -> None:
    """They hold sign-in links. What uvicorn set up before must stand behind our configuration as well."""
    code = """
import logging.config, uvicorn
from webapp import logs
uvicorn.Config("none", access_log=False, log_level="warning")
logging.config.dictConfig(logs.configuration("json"))
logging.getLogger("uvicorn.access").info("/sign-in/hunter2")
logging.getLogger("uvicorn.error").info("Started")
logging.getLogger("uvicorn.error").warning("Slow")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert [json.loads(line)["message"] for line in done.stderr.splitlines()] == ["Slow"]
    assert done.stdout == ""


@pytest.mark.django_db(transaction=True)
def test_what_a_worker_says_of_a_job_names_it(
    owner: User, lines: Lines, tmp_path: Any, store: Any, settings: Any
) -> None:
    class Gone:
        threads = 1

        def send(self, request: Any) -> None:
            raise TrainerGone("the trainer was killed by SIGKILL")

        def has_ended(self) -> bool:
            return False

        def kill(self) -> None:
            pass

    search = a_search(owner)
    process = WorkingProcess(
        name="here:1", spool=tmp_path / "spool", start_trainer=lambda threads: Gone(),  # type: ignore[arg-type, return-value]
        is_stopping=lambda: bool(Job.objects.filter(attempts__gt=1).exists()),
    )  # fmt: skip
    process.look()
    lost = [line for line in lines() if "was lost" in line["message"]]
    (job,) = Job.objects.filter(stream=search)
    told = {"search": str(search.pk), "job": job.pk, "worker": "here:1"}
    assert len(lost) == 2
    for attempt, line in enumerate(lost, start=1):
        assert {key: line[key] for key in (*told, "attempt")} == told | {"attempt": attempt}


@pytest.mark.django_db
def test_what_the_reconciler_says_of_a_job_names_it(
    owner: User, lines: Lines, time: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    search = a_search(owner)
    monkeypatch.setattr(reconciler._clock, "was_steady_for", lambda seconds: True)
    monkeypatch.setattr(reconciler, "_trouble", float("-inf"))
    claim = leases.claim("here:1", [Job.Kind.LEARN])
    assert claim is not None
    time[0] += leases.LEASE_SECONDS + 1
    reconciler.expire_leases()
    assert leases.claim("here:2", [Job.Kind.LEARN]) is not None
    monkeypatch.setattr(life_locks, "for_each_dead", lambda act: [act("here:2")])
    orphaned_jobs.take_back()
    expired, dead = (line for line in lines() if line["message"].startswith("Job "))
    told = {"search": str(search.pk), "job": claim.job_id}
    for line, attempt, worker in ((expired, 1, "here:1"), (dead, 2, "here:2")):
        expected = told | {"attempt": attempt, "worker": worker}
        assert {key: line[key] for key in expected} == expected
