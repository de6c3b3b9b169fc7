"""Where somebody asks for traces, each job and each request is one; else nothing of OpenTelemetry is even loaded.

What sends traces lies in a folder of its own beside the other packages (see Makefile): redis-py loads a part of it
wherever it finds it, and every process of every other test would begin later by that.
"""

import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.faults import small_streams
from tests.faults.memory_trainer import MemoryTrainer
from webapp import traces
from webapp.searches.models import Job, Stream
from webapp.searches.workers.trainer_process import Message, TrainerGone
from webapp.searches.workers.worker import WorkingProcess

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = str(Path(sys.prefix) / "traces")
COLLECTOR = "http://collector.invalid:4318"


class Exported:
    """What was sent. `spans` sends what is still to be sent."""

    def __init__(self) -> None:
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        self.exporter = InMemorySpanExporter()

    def spans(self) -> list[Any]:
        if traces._provider is not None:
            traces._provider.force_flush()
        return list(self.exporter.get_finished_spans())


@pytest.fixture
def exported(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exported]:
    """Traces are asked for, and sent into the memory of the test."""
    monkeypatch.setattr(sys, "path", [*sys.path, PACKAGES])
    found = Exported()
    settings.TRACES_TO = COLLECTOR
    settings.MIDDLEWARE = ["webapp.traces.Traced", *settings.MIDDLEWARE]
    monkeypatch.setattr(traces, "_exporter", lambda: found.exporter)
    monkeypatch.setattr(traces, "_provider", None)
    yield found
    traces.end()


def worker(folder: Path, trainer: Any = MemoryTrainer, is_stopping: Any = lambda: False) -> WorkingProcess:
    spool = folder / "spool"
    made = WorkingProcess(
        name="here:1", spool=spool, start_trainer=lambda threads: trainer(spool, threads), is_stopping=is_stopping
    )
    made._speed = []  # It need not measure itself.
    return made


# --- Jobs. ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_every_job_is_one_trace_of_claim_training_and_commits(exported: Exported, store: Path, tmp_path: Path) -> None:
    search = small_streams.start("search")
    worker(tmp_path).look()
    spans = exported.spans()
    jobs = [span for span in spans if span.parent is None]
    assert {span.name for span in jobs} == {"job"}
    assert len({span.context.trace_id for span in spans}) == len(jobs) == Job.objects.filter(state="done").count() > 4
    for job in jobs:
        told = dict(job.attributes or {})
        row = Job.objects.get(pk=told.pop("job"))
        assert told == {
            "search": str(search.pk), "kind": row.kind, "step": row.step, "slot": row.slot, "attempt": 1,
            "worker": "here:1",
        }  # fmt: skip
        inside = {span.name: span for span in spans if span.parent and span.parent.span_id == job.context.span_id}
        assert set(inside) == {"claim", "train"}
        assert job.start_time == inside["claim"].start_time <= inside["claim"].end_time <= inside["train"].start_time
        commits = [span for span in spans if span.parent and span.parent.span_id == inside["train"].context.span_id]
        assert {span.name for span in commits} == {"commit"}
        assert {dict(span.attributes or {})["what"] for span in commits} <= {
            "record_started", "record_epoch", "record_child", "record_step", "record_finalist",
        }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_job_whose_trainer_dies_says_so_in_its_trace(exported: Exported, store: Path, tmp_path: Path) -> None:
    class Dying(MemoryTrainer):
        def send(self, request: Message) -> None:
            raise TrainerGone("the trainer was killed by SIGKILL")

    small_streams.start("training")
    worker(tmp_path, Dying, lambda: Job.objects.filter(attempts__gt=0).exists()).look()
    (train,) = [span for span in exported.spans() if span.name == "train"]
    assert train.status.status_code.name == "ERROR"
    assert "killed by SIGKILL" in str(train.status.description)
    assert Stream.objects.get().state == "running"


@pytest.mark.django_db(transaction=True)
def test_who_finds_nothing_to_do_makes_no_trace(exported: Exported, tmp_path: Path) -> None:
    worker(tmp_path).look()
    assert exported.spans() == []


# --- Requests. --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_request_is_named_by_its_route_and_no_secret_of_its_address_is_told(
    exported: Exported, client: Client
) -> None:
    client.get("/sign-in/hunter2?once=hunter3")
    client.get("/nowhere/hunter4")
    link, nowhere = exported.spans()
    assert link.name == "GET /sign-in/<path:token>"
    assert dict(link.attributes or {})["http.response.status_code"] == 403
    assert nowhere.name == "GET" and dict(nowhere.attributes or {})["http.response.status_code"] in (302, 404)
    assert "hunter" not in link.to_json() + nowhere.to_json()


@pytest.mark.django_db
def test_a_request_goes_on_with_the_trace_of_its_caller(exported: Exported, client: Client) -> None:
    client.get("/sign-in", headers={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
    (span,) = exported.spans()
    assert span.context.trace_id == int("ab" * 16, 16)
    assert span.parent is not None and span.parent.span_id == int("cd" * 8, 16)


@pytest.mark.django_db
def test_what_programs_ask_every_few_seconds_is_no_trace(exported: Exported, client: Client) -> None:
    client.get("/health")
    assert exported.spans() == []


def test_a_collector_gets_them_by_http(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, self.headers["Content-Type"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.TRACES_TO = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", settings.TRACES_TO)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=attic")
        monkeypatch.setattr(sys, "path", [*sys.path, PACKAGES])
        monkeypatch.setattr(traces, "_provider", None)
        with traces.part("something", what="record_child"):
            pass
        traces.end()
        server.shutdown()
    ((path, kind, body),) = heard
    assert (path, kind) == ("/v1/traces", "application/x-protobuf")
    assert all(word in body for word in (b"something", b"record_child", b"cellwright", b"attic"))


def test_a_collector_that_does_not_answer_holds_up_nobody_who_ends(
    exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    monkeypatch.setattr(exported.exporter, "export", lambda spans: answers.wait(30))
    monkeypatch.setattr(traces, "END_SECONDS", 0.1)
    with traces.part("something"):
        pass
    traces.end()
    assert traces._provider is None and not answers.is_set()
    answers.set()


# --- Nobody asks, or what sends them is missing. ----------------------------------------------------------------------


def in_a_fresh_process(code: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    ours = {"DJANGO_SETTINGS_MODULE": "webapp.settings", "PYTHONPATH": PACKAGES}
    environment = os.environ | ours | variables
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def test_without_an_address_no_process_loads_anything_of_it(tmp_path: Path) -> None:
    loads = "import sys, webapp.asgi, webapp.searches.workers.tasks; print([n for n in sys.modules if 'opentel' in n])"
    without = in_a_fresh_process(loads, CELLWRIGHT_DATA=str(tmp_path), PYTHONPATH="").stdout.strip()
    there = in_a_fresh_process(loads.replace("opentel", "opentelemetry.exporter"), CELLWRIGHT_DATA=str(tmp_path))
    assert (without, there.stdout.strip()) == ("[]", "[]")


def test_an_address_without_the_packages_is_one_clear_sentence(tmp_path: Path) -> None:
    given = {"CELLWRIGHT_DATA": str(tmp_path), "OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR, "PYTHONPATH": ""}
    done = in_a_fresh_process("import webapp.settings", **given)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode != 0 and "ImproperlyConfigured" in last and "requirements-traces.txt" in last


def test_a_part_of_the_packages_is_not_enough(exported: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    assert traces.why_not() is None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if "exporter" in name else name)
    assert "is not installed" in str(traces.why_not())


def test_with_an_address_requests_are_traced(tmp_path: Path) -> None:
    code = "from django.conf import settings; print(settings.MIDDLEWARE.index('webapp.traces.Traced'))"
    done = in_a_fresh_process(code, CELLWRIGHT_DATA=str(tmp_path), OTEL_EXPORTER_OTLP_ENDPOINT=COLLECTOR)
    assert int(done.stdout) > 0, done.stderr
