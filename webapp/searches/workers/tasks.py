"""The one task, and the life of the process that Celery forks for it.

The message says "look" and nothing else: what there is to do stands in the database.
"""

import mmap
import os
import socket
import sys
import threading
from collections.abc import Sequence
from typing import Any

from billiard import current_process
from celery.signals import worker_process_init, worker_process_shutdown, worker_shutting_down
from django.conf import settings

from webapp.celery import LOOK, app, ring_workers
from webapp.searches.workers import life_locks, orphaned_jobs
from webapp.searches.workers.devices import Device
from webapp.searches.workers.spools import remove_dead_spools
from webapp.searches.workers.trainer_process import TrainerProcess
from webapp.searches.workers.worker import Presence, WorkingProcess

# One byte that Celery's main process shares with the processes it forks: whether they shall end.
_stopping = mmap.mmap(-1, 1)
_process: WorkingProcess | None = None
_presence: Presence | None = None
_life: life_locks.LifeLock | None = None
_devices: Sequence[Device] = (Device(),)


def compute_on(devices: Sequence[Device]) -> None:
    """Before Celery forks its processes: on what each of them, in order, has its trainer compute."""
    global _devices
    _devices = devices


@app.task(name=LOOK)
def look() -> None:
    """Do what is due until nothing is. Losing this message costs two seconds, doubling it nothing.

    What a dead process held is due: whoever takes its place need not wait for the reconciler.
    """
    assert _process is not None, "look runs in a process that Celery forked for it"
    orphaned_jobs.take_back()
    _process.look()


@worker_process_init.connect
def _begin(**_: Any) -> None:
    """In each forked process, once: PyTorch is loaded by its trainer while it waits for the first message."""
    global _process, _presence, _life
    assert "torch" not in sys.modules, "a worker process must not import PyTorch"
    (name, _life), number = life_locks.named(socket.gethostname(), os.getpid()), current_process().index + 1
    spool, device = settings.DATA_FOLDER / "spool" / name, _devices[(number - 1) % len(_devices)]
    remove_dead_spools()

    def start_trainer(threads: int) -> TrainerProcess:
        log = settings.DATA_FOLDER / "logs" / f"trainer-{number}.log"
        data_sets = settings.DATA_SETS_DIR
        return TrainerProcess(
            spool=spool,
            data_sets=data_sets,
            log=log,
            threads=threads,
            device=device.argument,
            variables=device.variables,
        )

    _process = WorkingProcess(name=name, spool=spool, start_trainer=start_trainer, is_stopping=_is_stopping)
    _process.warm_up()
    _presence = Presence(name, socket.gethostname(), device.name, number, device.told)
    _presence.say()  # Before it claims anything: its place may be drained.
    _presence.start()
    # Somebody may have died in this place. In a thread: Celery kills a process that needs four seconds to begin.
    threading.Thread(target=ring_workers, name="first ring", daemon=True).start()


@worker_shutting_down.connect
def _tell_the_forked(**_: Any) -> None:
    """In Celery's main process: jobs are then given back at once, and Celery's wait for the task is short."""
    _stopping[0] = 1


@worker_process_shutdown.connect
def _end(**_: Any) -> None:
    if _presence is not None:
        _presence.end()
    if _process is not None:
        _process.end()
    if _life is not None:
        _life.release()


def _is_stopping() -> bool:
    return _stopping[0] == 1
