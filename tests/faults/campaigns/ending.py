"""`kill -9` in the middle of a deletion, a backup and a restore, at seeded moments.

Each is done by a forked process, with the product's own function and real files, and is killed somewhere between its
begin and a little after the time that it takes undisturbed. Then it is looked at what is left, and it is done again.
"""

import json
import os
import random
import shutil
import signal
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from tests.faults.campaigns.campaign import Campaign, Run, Size
from tests.faults.small_streams import start
from tests.faults.steady_worker import work_off
from webapp.accounts.models import User
from webapp.searches import artifacts, backups, checker, deletion, mending
from webapp.searches.models import Child, Event, Job, Stream
from webapp.searches.workers import reconciler

KILLS = {"small": {"delete": 12, "backup": 10, "restore": 3}, "large": {"delete": 400, "backup": 400, "restore": 100}}
KINDS = ("search", "training", "shared search")
BEYOND = 1.2  # Of the time that it takes undisturbed: some are killed too late, which does no harm.


def run(seed: int, size: Size, folder: Path) -> Iterator[Run]:
    owner = User.objects.create(name="owner")
    for kind in KINDS:  # What must stay: neighbours of what is deleted, and what a backup holds.
        start(kind, owner=owner)
        work_off(folder / "spool", jobs=5)
    for number, (what, kill) in enumerate((("delete", deletions), ("backup", backed_up), ("restore", restored))):
        chance = random.Random(f"ending:{seed}:{number}")
        counts: Counter[str] = Counter()
        problems = list(kill(chance, KILLS[size][what], folder, counts))
        yield Run(what=f"kill -9 in the middle of a {what}", counts=dict(counts), problems=problems)


def deletions(chance: random.Random, kills: int, folder: Path, counts: Counter[str]) -> Iterator[str]:
    """A deletion that is killed goes on, and ends without a row and without a file of its own."""
    owner = User.objects.get()
    let_files_age()
    artifacts.sweep(0.0)
    files, rows = stored(), Stream.objects.count()
    long = 0.0
    with patch.object(deletion, "EVENTS_AT_ONCE", 3):
        for number in range(kills + 1):
            stream = start(chance.choice(KINDS), owner=owner)
            work_off_alone(stream, folder / "spool", chance.randint(1, 12))
            deletion.delete(stream.pk)
            let_files_age()
            if number == 0:
                long = seconds_of(deletion.remove_deleted)
            else:
                killed = struck(deletion.remove_deleted, chance.uniform(0, BEYOND * long))
                counts["killed" if killed else "was over before"] += 1
                counts["went on"] += deletion.remove_deleted()
            if Stream.objects.count() != rows or any(
                model.objects.filter(**{field: stream.pk}).exists()
                for model, field in ((Event, "stream_id"), (Job, "stream_id"), (Child, "search_id"))
            ):
                yield f"deletion {number}: rows are left"
            artifacts.sweep(0.0)
            if stored() != files:
                yield f"deletion {number}: files are left or gone: {sorted(stored() ^ files)}"
    for stream in Stream.objects.all():
        yield from checker.check(stream)


def backed_up(chance: random.Random, kills: int, folder: Path, counts: Counter[str]) -> Iterator[str]:
    """Under the name of a backup there is none, or a whole one; and the next one is whole."""
    target = folder / "backups" / "backup.zip"
    target.parent.mkdir()
    long = seconds_of(lambda: backups.write(target))
    for number in range(kills):
        if chance.random() < 0.3:
            target.unlink(missing_ok=True)
        was_there = target.exists()
        killed = struck(lambda: backups.write(target), chance.uniform(0, BEYOND * long))
        counts["killed" if killed else "was over before"] += 1
        if was_there and not target.exists():
            yield f"backup {number}: the backup that was there is gone"
        if target.exists():
            counts["whole ones looked at"] += 1
            yield from (f"backup {number}: {problem}" for problem in _archive_problems(target))
    backups.write(target)
    yield from _archive_problems(target)
    let_files_age()
    reconciler.sweep()
    if left := [path.name for path in settings.ARTIFACTS_DIR.glob("backup-*")]:
        yield f"the sweep leaves folders of backups that were killed: {left}"


def _archive_problems(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        if archive.testzip() is not None:
            yield "the archive is damaged"
        manifest = json.loads(archive.read(backups.MANIFEST))
        if manifest["missing"] or {backups.FILES + name for name in manifest["files"]} - set(archive.namelist()):
            yield "files are missing in the archive"


def restored(chance: random.Random, kills: int, folder: Path, counts: Counter[str]) -> Iterator[str]:
    """A restore that was killed is repeated in the same folder, and brings everything back."""
    source = folder / "backups" / "backup.zip"
    rows = {model.__name__: model.objects.count() for model in (Stream, Event, Child, Job)}
    long = 0.0
    for number in range(kills + 1):
        place = folder / f"restored {number}"

        def restore(place: Path = place) -> None:
            _live_in(place)
            call_command("restore", str(source), verbosity=0)

        def look(place: Path = place) -> None:
            _live_in(place)
            found = {model.__name__: model.objects.count() for model in (Stream, Event, Child, Job)}
            # What a killed restore left is a finding of fsck, and goes when it mends; nothing else is found.
            others = [each for each in mending.findings() if not each.startswith("The folder restore-")]
            mending.mend()
            (place / "found.json").write_text(json.dumps([found, [*others, *mending.findings()]]))

        if number == 0:
            long = seconds_of(lambda restore=restore: struck(restore, None))
        else:
            killed = struck(restore, chance.uniform(0, BEYOND * long))
            counts["killed" if killed else "was over before"] += 1
            if killed:
                struck(restore, None)
        struck(look, None)
        found, findings = json.loads((place / "found.json").read_text())
        if found != rows or findings:
            yield f"restore {number}: there are {found} instead of {rows}; {findings}"
        shutil.rmtree(place)


def _live_in(place: Path) -> None:
    """Of a forked process: it belongs to another installation from now on."""
    place.mkdir(exist_ok=True)
    settings.DATA_FOLDER, settings.ARTIFACTS_DIR = place, place / "artifacts"
    connection.settings_dict["NAME"] = str(place / "cellwright.sqlite3")


def struck(act: Callable[[], object], after: float | None) -> bool:
    """Do it in a process of its own, killed after so many seconds, or never; whether it was killed before its end.

    Raises AssertionError where it failed by itself.
    """
    connections.close_all()
    began, begin = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.write(begin, b"x")
            act()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.read(began, 1)
    for end in (began, begin):
        os.close(end)
    if after is not None:
        time.sleep(after)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert status in (0, signal.SIGKILL), f"it ended by itself with status {status}; standard error says why"
    return status != 0


def seconds_of(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def work_off_alone(stream: Stream, folder: Path, jobs: int) -> None:
    """Some jobs of this stream; of the others none, which are paused meanwhile."""
    others = Stream.objects.filter(state=Stream.State.RUNNING).exclude(pk=stream.pk)
    waiting = list(others.values_list("pk", flat=True))
    Stream.objects.filter(pk__in=waiting).update(state=Stream.State.PAUSED)
    work_off(folder, jobs=jobs)
    Stream.objects.filter(pk__in=waiting).update(state=Stream.State.RUNNING)


def stored() -> set[str]:
    return {path.parent.name + path.name for path in settings.ARTIFACTS_DIR.glob("??/*")}


def let_files_age() -> None:
    """What was put a moment ago is not removed: somebody may be about to name it."""
    for path in settings.ARTIFACTS_DIR.rglob("*"):
        os.utime(path, (0, 0))


CAMPAIGN = Campaign(
    harm="kill -9 of the process that deletes, writes a backup or restores one, at seeded moments.",
    holds="A deletion goes on and ends without a row or a file; under the name of a backup there is a whole one or"
    " none; a restore is repeated and brings everything back.",
    run=run,
    minutes=15,
    wants_database=True,
)
