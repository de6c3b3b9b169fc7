"""The trainer as a process: lines in and out, how it ended, and that it never outlives the worker."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.searches.workers.trainer_process import TrainerGone, TrainerProcess, as_trainer

ROOT = Path(__file__).resolve().parents[2]
ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"


class Started:
    """Starts trainers with another program, and ends them after the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.all: list[TrainerProcess] = []

    def __call__(self, code: str) -> TrainerProcess:
        program = (sys.executable, "-c", code)
        trainer = TrainerProcess(
            spool=self.folder / "spool",
            data_sets=self.folder / "data",
            log=self.folder / "logs/trainer.log",
            threads=2,
            device="cpu",
            program=program,
        )
        self.all.append(trainer)
        return trainer


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Started]:
    started = Started(tmp_path)
    yield started
    for trainer in started.all:
        trainer.kill()


def test_what_is_sent_is_answered_line_by_line(start: Started) -> None:
    trainer = start(ECHO)
    big = {"numbers": list(range(50_000))}
    for message in ({"do": "measure"}, {"text": "two\nlines, and é"}, big):
        trainer.send(message)
    assert [trainer.receive(10), trainer.receive(10), trainer.receive(10)] == [
        {"do": "measure"},
        {"text": "two\nlines, and é"},
        big,
    ]
    assert trainer.receive(0.05) is None


def test_half_a_line_is_no_message_yet(start: Started) -> None:
    code = (
        "import sys, time; w = lambda t: (sys.stdout.write(t), sys.stdout.flush());"
        "w('{\"progress\":'); time.sleep(0.3); w(' 1}\\n{\"progress\": 2}\\n'); time.sleep(60)"
    )
    trainer = start(code)
    assert trainer.receive(0.1) is None
    assert trainer.receive(5) == {"progress": 1}
    assert trainer.receive(5) == {"progress": 2}


def test_what_it_said_before_it_died_is_heard_first(start: Started) -> None:
    trainer = start("import sys; print('{\"progress\": 1}', flush=True); sys.exit(3)")
    assert trainer.receive(5) == {"progress": 1}
    with pytest.raises(TrainerGone, match="ended with status 3"):
        trainer.receive(5)


def test_a_killed_one_is_noticed_at_once(start: Started) -> None:
    trainer = start("import os, time; time.sleep(0.3); os.kill(os.getpid(), 9)")
    began = time.monotonic()
    with pytest.raises(TrainerGone, match="killed by SIGKILL"):
        trainer.receive(30)
    assert time.monotonic() - began < 5


def test_sending_to_a_dead_one_says_how_it_ended(start: Started) -> None:
    trainer = start("import sys; sys.exit(7)")
    with pytest.raises(TrainerGone, match="status 7"):
        for _ in range(100):
            trainer.send({"do": "measure"})
            time.sleep(0.02)


@pytest.mark.parametrize("line", ["not json", "[1, 2]", "12", '"text"'])
def test_nonsense_ends_the_trust_in_it(start: Started, line: str) -> None:
    trainer = start(f"import time; print({line!r}, flush=True); time.sleep(60)")
    with pytest.raises(TrainerGone, match="trainer sent"):
        trainer.receive(10)


def test_killing_ends_its_children_too(start: Started) -> None:
    code = (
        "import subprocess, sys, json, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(json.dumps({'pid': child.pid}), flush=True); time.sleep(60)"
    )
    trainer = start(code)
    message = trainer.receive(10)
    assert message is not None
    trainer.kill()
    assert _ends(message["pid"])
    trainer.kill()  # A second time does no harm.


def test_its_errors_go_to_its_log_and_its_threads_and_memory_are_set(start: Started) -> None:
    names = ("OMP_NUM_THREADS", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")
    found = f"{{'set': [os.environ[name] for name in {names!r}]}}"
    trainer = start(f"import os, sys, json; print('oh', file=sys.stderr); print(json.dumps({found}))")
    message = trainer.receive(10)
    assert message is not None and message["set"][0] == "2" and all(int(value) > 1 for value in message["set"])
    assert (start.folder / "logs/trainer.log").read_text() == "oh\n"


def test_what_was_set_of_the_c_library_stays_in_a_trainer() -> None:
    theirs = as_trainer({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=2"}, threads=1)["GLIBC_TUNABLES"]
    assert theirs == "glibc.malloc.hugetlb=2:glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children with their parent")
def test_it_dies_with_its_worker_however_that_dies(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from webapp.searches.workers.trainer_process import TrainerProcess
folder = Path({str(tmp_path)!r})
trainer = TrainerProcess(spool=folder / "s", data_sets=folder, log=folder / "l", threads=1, device="cpu",
                         program=(sys.executable, "-c", "import time; time.sleep(60)"))
print(trainer.pid, flush=True)
time.sleep(60)
"""
    worker = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    pid = int(worker.stdout.readline())
    worker.kill()
    worker.communicate()
    assert _ends(pid)


def _ends(pid: int) -> bool:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False
