"""A real trainer whose files may not be larger than the system allows: the search waits, goes on, and ends the same."""

import sys
from pathlib import Path
from typing import Any

import pytest

from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from tests.faults.test_real_trainer import LEARNING, in_one_process
from webapp.accounts.models import User
from webapp.searches import checker, event_log, storage_pauses
from webapp.searches.models import Stream
from webapp.searches.start import start_search
from webapp.searches.workers import reconciler
from webapp.searches.workers.trainer_process import TRAINER, TrainerProcess
from webapp.searches.workers.worker import WorkingProcess

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
SMALL = LEARNING | {"budget": {"children": 5}, "finals": {"children": 0}, "strategy": {"kind": "ppo", "step_size": 3}}
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
import search_engine.trainer
search_engine.trainer.main(sys.argv[1:])
"""


def test_a_limit_on_the_size_of_files_pauses_a_search_which_then_computes_the_same(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ARTIFACTS_DIR = tmp_path / "artifacts"
    monkeypatch.setattr(storage_pauses, "WAIT_SECONDS", 0.0)
    config = read_config(SearchConfig, SMALL)
    search = start_search(User.objects.create(name="owner"), config)
    programs = [(sys.executable, "-c", LIMITED), TRAINER]

    def start_trainer(threads: int) -> TrainerProcess:
        return TrainerProcess(
            spool=tmp_path / "spool" / "w", data_sets=tmp_path, log=tmp_path / "trainer.log", threads=threads,
            device="cpu", program=programs.pop(0),
        )  # fmt: skip

    worker = WorkingProcess(
        name="test:1", spool=tmp_path / "spool" / "w", start_trainer=start_trainer, is_stopping=lambda: False
    )
    try:
        worker.look()
        stream = Stream.objects.get(pk=search.pk)
        reason = "A file would be larger than the system allows. It goes on by itself when files can be written again."
        assert (stream.state, stream.reason) == ("paused", reason)
        assert checker.check(stream) == []
        reconciler.watch_storage()
        worker.look()
    finally:
        worker.end()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", in_one_process(config, tmp_path))
    assert checker.check(Stream.objects.get(pk=search.pk)) == []
    assert "job_lost" not in [event["kind"] for event in event_log.read(search.pk, 0, 1000)]
