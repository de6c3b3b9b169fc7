"""What workers compute on. No GPU is here: what PyTorch would say of some is put in its place."""

import contextlib
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.core.management import CommandError, call_command

from tests.running_application import ROOT, environment_of
from tests.web.slow_sizes import long
from webapp import one_machine
from webapp.celery import app
from webapp.searches.models import Worker
from webapp.searches.workers import devices, tasks
from webapp.searches.workers.devices import Device, NoSuchDevices, chosen
from webapp.searches.workers.trainer_process import TrainerProcess
from webapp.searches.workers.worker import Presence
from webapp.supervisor import broker

GIGABYTE = 1 << 30
TELL = """
import json, os, sys
names = ("CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG", "CUDA_DEVICE_ORDER")
device = sys.argv[sys.argv.index("--device") + 1]
print(json.dumps({"device": device, **{name: os.environ.get(name) for name in names}}), flush=True)
sys.stdin.read()
"""

# Celery's processes of a machine with two GPUs, whose trainers compute on the CPU.
TWO_GPUS = """
import dataclasses, django; django.setup()
from django.core.management import call_command
from webapp.searches.workers import devices
devices.may_have_some, cuda = (lambda: True), devices._cuda
devices.ask = lambda: {"cuda": [1 << 30, 1 << 30], "mps": False}
devices._cuda = lambda number, memory: dataclasses.replace(cuda(number, memory), argument="cpu")
call_command("worker", devices="auto")
"""


@pytest.fixture(autouse=True)
def no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """As PyTorch would tell of a machine with two."""
    monkeypatch.setattr(devices, "may_have_some", lambda: True)
    monkeypatch.setattr(devices, "ask", lambda: {"cuda": [24 * GIGABYTE, 80 * GIGABYTE], "mps": False})


def names(wanted: str, cpus: int = 3) -> list[str]:
    return [device.name for device in chosen(wanted, cpus)]


def test_without_a_gpu_there_is_a_worker_for_each_core_and_pytorch_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(devices, "_SIGNS", ())
    monkeypatch.setattr(devices, "ask", lambda: pytest.fail("It takes seconds."))
    for wanted in ("auto", "cpu", "3", "cpu,cpu,cpu"):
        assert chosen(wanted, 3) == [Device()] * 3
    assert names("2") == ["cpu"] * 2


def test_each_gpu_has_one_worker(two_gpus: None) -> None:
    assert names("auto") == ["cuda:0", "cuda:1"]
    assert [device.memory for device in chosen("auto", 3)] == [24 * GIGABYTE, 80 * GIGABYTE]
    assert names("cuda:1") == ["cuda:1"]
    assert names("cuda:1, cpu,cuda:0") == ["cuda:1", "cpu", "cuda:0"]
    assert names("cpu") == ["cpu"] * 3 and names("2") == ["cpu"] * 2


def test_a_trainer_sees_its_own_gpu_alone_before_it_starts(two_gpus: None, tmp_path: Path) -> None:
    for place, device in enumerate(chosen("cuda:0,cuda:1,cpu", 1)):
        trainer = TrainerProcess(
            spool=tmp_path / "spool", data_sets=tmp_path, log=tmp_path / "log", threads=1, device=device.argument,
            variables=device.variables, program=(sys.executable, "-c", TELL),
        )  # fmt: skip
        told = trainer.receive(20)
        trainer.kill()
        if device.name == "cpu":
            assert told == dict.fromkeys(told or {}) | {"device": "cpu"}
            continue
        assert told == {
            "device": "cuda:0", "CUDA_VISIBLE_DEVICES": str(place), "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        }  # fmt: skip


def test_gpus_that_an_administrator_left_us_are_counted_among_themselves(
    two_gpus: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-8d5e")
    assert [device.variables["CUDA_VISIBLE_DEVICES"] for device in chosen("auto", 1)] == ["3", "GPU-8d5e"]


def test_gpus_that_were_hidden_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_SIGNS", ("/",))
    assert devices.may_have_some()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not devices.may_have_some()


def test_apples_gpu_is_used_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "ask", lambda: {"cuda": [], "mps": True})
    (device,) = chosen("mps", 3)
    assert (device.name, device.argument, dict(device.variables)) == ("mps", "mps", {})


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("cuda:2", "There is no cuda:2 here: PyTorch sees cuda:0, cuda:1."),
        ("cuda:0,mps", "There is no mps here: PyTorch sees cuda:0, cuda:1."),
        ("cuda:1,cuda:1", "A GPU is named twice: one worker computes on it."),
        ("0", "There are 0 workers; must be between 1 and 256."),
        ("257", "There are 257 workers; must be between 1 and 256."),
        ("gpu", "Devices are 'gpu'; must be auto, cpu, a number of CPU workers, or names such as cuda:0,cuda:1."),
        ("cuda:0,", "Devices are ''; must be auto, cpu, a number of CPU workers, or names such as cuda:0,cuda:1."),
    ],
)
def test_what_cannot_be_had_is_told_in_a_sentence(two_gpus: None, wanted: str, sentence: str) -> None:
    with pytest.raises(NoSuchDevices) as refused:
        chosen(wanted, 3)
    assert str(refused.value) == sentence


def test_pytorch_is_asked_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its place is one that knows of two GPUs."""
    (tmp_path / "torch.py").write_text(
        "from types import SimpleNamespace as S\n"
        "cuda = S(device_count=lambda: 2, get_device_properties=lambda n: S(total_memory=n + 1))\n"
        "backends = S(mps=S(is_available=lambda: False))\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert devices.ask() == {"cuda": [1, 2], "mps": False}
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so.12: cannot open shared object file')")
    with pytest.raises(
        NoSuchDevices, match="does not tell which GPUs there are: OSError: libcudart.so.12: cannot open"
    ):
        devices.ask()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What Celery was asked to start, in place of doing so."""
    started: list[Any] = []
    monkeypatch.setattr(app, "worker_main", started.append)
    monkeypatch.setattr(one_machine, "hold", lambda: None)
    monkeypatch.setattr(tasks, "_devices", ())
    return started


def test_the_command_starts_a_process_for_each_device(two_gpus: None, settings: Any, started: list[Any]) -> None:
    settings.REDIS_URL = "redis://localhost"
    for wanted, count in (("auto", "2"), ("cpu", "5"), ("3", "3"), ("cuda:1", "1")):
        call_command("worker", devices=wanted, processes=5)
        arguments = started.pop()
        assert arguments[arguments.index("--concurrency") + 1] == count
        assert [device.name for device in tasks._devices] == names(wanted, 5)
    with pytest.raises(CommandError, match="There is no cuda:7 here"):
        call_command("worker", devices="cuda:7")
    assert started == []


@pytest.mark.django_db
def test_the_row_of_a_worker_says_its_device_and_that_ones_memory(
    two_gpus: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\ntest "$3 $4" = "-i 1" && echo 1024\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    first, second = chosen("auto", 1)
    for number, device in enumerate((first, second, Device()), 1):
        Presence(f"host:{number}", "host", device.name, number, device.told).say()
    rows = list(Worker.objects.order_by("name").values_list("device", "memory", "memory_used"))
    assert rows[:2] == [("cuda:0", 24 * GIGABYTE, None), ("cuda:1", 80 * GIGABYTE, GIGABYTE)]
    assert rows[2][0] == "cpu" and rows[2][1] > rows[2][2] > 0
    assert all(worker.own_memory > 0 for worker in Worker.objects.all())


@long
@pytest.mark.processes
def test_a_process_that_takes_the_place_of_another_computes_on_its_gpu(tmp_path: Path) -> None:
    address = tmp_path / "s"
    environment = environment_of(tmp_path) | {"REDIS_URL": f"unix://{address}"}
    environment["DJANGO_SETTINGS_MODULE"] = "webapp.settings"
    server = subprocess.Popen(broker.server_command(address), stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    main = psutil.Popen([sys.executable, "-c", TWO_GPUS], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        first, second = seen(main)
        assert (first[1], second[1]) == ("0", "1")
        psutil.Process(second[0]).kill()
        while (found := seen(main)) == [first, second] or len(found) < 2:
            time.sleep(0.1)
        assert found[0] == first and found[1][1] == "1" and found[1][0] != second[0]
    finally:
        main.terminate()
        main.wait(30)
        server.kill()
        server.wait()


def seen(main: psutil.Popen) -> list[tuple[int, str]]:
    """Processes of this main process that have a trainer, each with what that sees of the GPUs, by GPU."""
    until, found = time.monotonic() + 60, []
    while len(found) < 2:
        assert time.monotonic() < until and main.is_running(), found
        with contextlib.suppress(psutil.Error):
            trainers = [each for each in main.children(recursive=True) if "search_engine.trainer" in each.cmdline()]
            found = [(each.ppid(), each.environ()["CUDA_VISIBLE_DEVICES"]) for each in trainers]
        time.sleep(0.1)
    return sorted(found, key=lambda each: each[1])


def test_nobody_here_imports_pytorch() -> None:
    code = "import sys, json; from webapp.searches.workers import devices; devices.chosen('auto', 1); "
    code += "print(json.dumps('torch' in sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(told.stdout) is False
