"""What processes left in the spool folder when they were killed."""

import shutil
import socket
from pathlib import Path

import psutil
from django.conf import settings

from webapp.searches.workers import life_locks


def dead_spools() -> list[Path]:
    """Spools of workers of this host that are no more; those of living ones, and of other hosts, are not ours."""
    ours = sorted(_folder().glob(f"{socket.gethostname()}:*"))
    return [spool for spool in ours if not _has_process(spool.name) and not life_locks.is_held(spool.name)]


def _has_process(worker: str) -> bool:
    """Among those that this container sees; a name is a host's, then a process's number."""
    pid = worker.rpartition(":")[2].partition("-")[0]
    return not pid.isdigit() or psutil.pid_exists(int(pid))


def remove_spool(worker: str) -> None:
    """Of a worker that is known to be no more."""
    shutil.rmtree(_folder() / worker, ignore_errors=True)


def _folder() -> Path:
    return Path(settings.DATA_FOLDER) / "spool"


def remove_dead_spools() -> list[Path]:
    """What was removed."""
    removed = dead_spools()
    for spool in removed:
        shutil.rmtree(spool, ignore_errors=True)
    return removed
