"""What processes left in the spool folder when they were killed."""

import shutil
import socket
from pathlib import Path

import psutil
from django.conf import settings


def dead_spools() -> list[Path]:
    """Spools of workers of this host that are no more; those of living ones, and of other hosts, are not ours."""
    folder = Path(settings.DATA_FOLDER) / "spool"
    named = ((spool, spool.name.rpartition(":")[2]) for spool in sorted(folder.glob(f"{socket.gethostname()}:*")))
    return [spool for spool, pid in named if pid.isdigit() and not psutil.pid_exists(int(pid))]


def remove_dead_spools() -> list[Path]:
    """What was removed."""
    removed = dead_spools()
    for spool in removed:
        shutil.rmtree(spool, ignore_errors=True)
    return removed
