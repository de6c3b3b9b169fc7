"""SQLite is one machine's: another one is refused in a sentence, whatever both are called."""

import contextlib
import fcntl
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from webapp import one_machine
from webapp.celery import app
from webapp.searches.workers import reconciler

WHAT_TO_SET = (
    "Set DATABASE_URL to a PostgreSQL (postgresql://user:password@host:5432/name) and REDIS_URL to redis://host:6379/0 "
    "on every machine."
)


class Machines:
    """Which one we are on, and what runs there."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.database = folder / "cellwright.sqlite3"
        self.database.touch()
        self._folder, self._patch = folder, monkeypatch
        self.running: list[Any] = []
        monkeypatch.setattr(one_machine, "WATCH_SECONDS", 0.3)
        monkeypatch.setattr(one_machine, "SOCKET_SECONDS", 0.1)
        monkeypatch.setattr(one_machine, "TOUCH_SECONDS", 0.05)
        monkeypatch.setitem(connections["default"].settings_dict, "NAME", str(self.database))
        monkeypatch.setitem(connections["default"].settings_dict, "ENGINE", "django.db.backends.sqlite3")
        monkeypatch.setattr(one_machine, "_touch", lambda file: None)

    def on(self, kernel: str, host: str) -> None:
        """Be a process of this machine, in a container or not."""
        start = self._folder / f"boot_id of {kernel}"
        start.write_text(f"{kernel}\n")
        self._patch.setattr(one_machine, "KERNEL_START", start)
        self._patch.setattr(socket, "gethostname", lambda: host)
        self._patch.setattr(one_machine, "_held", None)

    def start(self, **how: bool) -> None:
        one_machine.hold(**how)
        self.running.append(one_machine._held)

    def end_all(self) -> None:
        """Whatever ran on any machine is no more."""
        for file in self.running:
            file.close()
        self.running.clear()


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Machines]:
    settings.REDIS_URL = "redis://localhost"
    machines = Machines(tmp_path, monkeypatch)
    yield machines
    machines.end_all()


@contextlib.contextmanager
def living(machines: Machines) -> Iterator[None]:
    """Inside, what was started last says that it lives."""
    file, is_over = machines.running[-1], threading.Event()

    def touch() -> None:
        while not is_over.wait(0.02):
            one_machine.os.utime(file.fileno())

    thread = threading.Thread(target=touch)
    thread.start()
    yield
    is_over.set()
    thread.join()


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system whose locks do not reach other machines."""
    monkeypatch.setattr(fcntl, "flock", lambda file, how: None)


@pytest.mark.parametrize("name", ["another", "first"])
@pytest.mark.parametrize("how", [{}, {"moves_here": True}])
def test_another_machine_is_refused_whatever_it_is_called(machines: Machines, name: str, how: dict[str, bool]) -> None:
    machines.on("kernel-1", "first")
    machines.start(moves_here=True)
    machines.on("kernel-2", name)
    with pytest.raises(one_machine.NotHere) as refused:
        machines.start(**how)
    assert str(refused.value) == (
        f"The database {machines.database} is SQLite, which serves one machine, and first is at it. {WHAT_TO_SET}"
    )


def test_containers_of_one_machine_share_it_whatever_they_are_called(machines: Machines) -> None:
    for host in ("first", "4f2a9c", "first"):
        machines.on("kernel-1", host)
        machines.start()


def test_after_a_start_of_the_machine_it_goes_on_at_once(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    machines.on("kernel-1", "first")
    machines.start()
    machines.end_all()
    machines.on("kernel-2", "first")
    monkeypatch.setattr(one_machine, "WATCH_SECONDS", 600.0)
    machines.start(moves_here=True)
    machines.on("kernel-2", "first")
    machines.start()  # The parts that it starts.


def test_a_folder_that_moved_or_a_container_that_came_back_under_another_name_is_taken_over(
    machines: Machines,
) -> None:
    machines.on("kernel-1", "first")
    machines.start()
    machines.end_all()
    machines.on("kernel-2", "another")
    machines.start()
    machines.on("kernel-1", "first")
    with pytest.raises(one_machine.NotHere, match="another is at it"):
        machines.start()


def test_where_locks_reach_nobody_who_lives_is_seen_by_his_touch(machines: Machines, without_locks: None) -> None:
    machines.on("kernel-1", "first")
    machines.start()
    machines.on("kernel-2", "another")
    with living(machines), pytest.raises(one_machine.NotHere, match="first is at it"):
        machines.start()
    machines.start()


def test_a_system_without_numbers_of_starts_goes_by_its_name(machines: Machines, tmp_path: Path, monkeypatch) -> None:
    for host, is_refused in (("first", False), ("first", False), ("another", True)):
        machines.on("kernel", host)
        monkeypatch.setattr(one_machine, "KERNEL_START", tmp_path / "nothing")
        if is_refused:
            with pytest.raises(one_machine.NotHere):
                machines.start()
        else:
            machines.start()


def test_a_machine_that_has_no_such_database_is_told_so(machines: Machines) -> None:
    machines.on("kernel-2", "another")
    machines.database.unlink()
    with pytest.raises(one_machine.NotHere) as refused:
        machines.start()
    assert str(refused.value).startswith(f"There is no database {machines.database}: ")
    assert str(refused.value).endswith(WHAT_TO_SET) and not list(machines.database.parent.glob("*.machine"))


def test_a_socket_that_is_not_here_is_told_so_also_with_another_database(
    machines: Machines, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(connections["default"].settings_dict, "ENGINE", "django.db.backends.postgresql")
    monkeypatch.chdir(tmp_path)
    settings.REDIS_URL = f"unix://{tmp_path}/valkey.sock?db=0"
    with pytest.raises(one_machine.NotHere) as refused:
        one_machine.hold()
    assert str(refused.value) == (
        f"REDIS_URL names the socket {tmp_path}/valkey.sock, which is not on this machine. {WHAT_TO_SET}"
    )
    with socket.socket(socket.AF_UNIX) as broker:
        broker.bind("valkey.sock")
        one_machine.hold()  # PostgreSQL serves any number of machines.
    assert not list(tmp_path.glob("*.machine"))


@pytest.mark.parametrize("command", ["worker", "reconcile"])
def test_the_commands_end_with_the_sentence(machines: Machines, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    never: Callable[..., None] = lambda *_: pytest.fail("It must not start.")  # noqa: E731
    monkeypatch.setattr(app, "worker_main", never)
    monkeypatch.setattr(reconciler, "run_until_stopped", never)
    machines.on("kernel-1", "first")
    machines.start()
    machines.on("kernel-2", "another")
    with pytest.raises(
        CommandError, match="SQLite, which serves one machine, and first is at it. Set DATABASE_URL"
    ) as e:
        call_command(command)
    assert e.value.returncode == 1


def test_whoever_holds_it_touches_it(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    path = machines.database.with_name("touched")
    path.touch()
    one_machine.os.utime(path, (0, 0))
    monkeypatch.setattr(one_machine, "TOUCH_SECONDS", 60.0)
    file = path.open()
    threading.Thread(target=one_machine._touch, args=(file,), daemon=True).start()
    while path.stat().st_mtime == 0:
        time.sleep(0.01)
