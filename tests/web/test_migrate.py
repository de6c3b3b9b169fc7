"""`migrate` killed between a migration and the note that it was applied: the next one goes on."""

import os
import subprocess
import sys
from pathlib import Path

KILLED_BEFORE_THE_NOTE = """
import os, signal, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings"
import django
django.setup()
from django.core.management import call_command
from django.db.migrations.recorder import MigrationRecorder
note = MigrationRecorder.record_applied
def killed(self, app, name):
    if (app, name[:4]) == ("searches", sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    note(self, app, name)
MigrationRecorder.record_applied = killed
call_command("migrate", verbosity=0)
"""


def test_a_migration_that_was_killed_before_it_was_noted_is_done_again(tmp_path: Path) -> None:
    environment = os.environ | {"CELLWRIGHT_DATA": str(tmp_path)}
    for number in ("0001", "0003", "0018"):
        killed = subprocess.run([sys.executable, "-c", KILLED_BEFORE_THE_NOTE, number], env=environment)
        assert killed.returncode == -9
    command = [sys.executable, "manage.py", "migrate"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "searches.0019" in done.stdout, done.stderr
    assert "No migrations to apply." in subprocess.run(command, env=environment, capture_output=True, text=True).stdout
