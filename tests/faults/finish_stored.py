"""Brings a data folder of an earlier version to its end with today's program, and says what became of it as JSON.

    CELLWRIGHT_DATA=FOLDER DJANGO_SETTINGS_MODULE=webapp.settings python -m tests.faults.finish_stored ARITHMETIC

A program of its own, because the settings of a process name one data folder. The folder holds what make_stored.py has
packed; ARITHMETIC is the digest of this machine's. The database is migrated, pages are opened, and the work is done by
one worker with a real trainer.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django

ROUNDS = 60  # Looks of worker and reconciler; everything ends long before.


def main() -> None:
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    started = time.monotonic()
    call_command("migrate", verbosity=0, interactive=False)
    expected = json.loads((settings.DATA_FOLDER / "expected.json").read_text())
    counts: Counter[str] = Counter()
    problems = [*_page_problems("as stored", counts)]
    _finish(settings.DATA_FOLDER)
    problems += _page_problems("at its end", counts)
    problems += _problems(expected, counts)
    answer = {"problems": problems, "counts": counts, "seconds": round(time.monotonic() - started, 1)}
    json.dump(answer, sys.stdout)


def _finish(folder: Path) -> None:
    """Resume what is paused; one worker and one reconciler take turns until nothing is open."""
    from webapp.searches import lifecycle
    from webapp.searches.models import Stream
    from webapp.searches.workers import reconciler
    from webapp.searches.workers.trainer_process import TrainerProcess
    from webapp.searches.workers.worker import WorkingProcess

    def start_trainer(threads: int) -> TrainerProcess:
        return TrainerProcess(
            spool=folder / "spool" / "w", data_sets=folder, log=folder / "trainer.log", threads=threads, device="cpu"
        )

    WorkingProcess._measure = lambda self: None  # type: ignore[method-assign]
    worker = WorkingProcess(
        name="w:1", spool=folder / "spool" / "w", start_trainer=start_trainer, is_stopping=lambda: False
    )
    for stream in Stream.objects.filter(state=Stream.State.PAUSED):
        lifecycle.resume(stream.pk)
    for _ in range(ROUNDS):
        reconciler.expire_leases()
        reconciler.plan_what_stands_still()
        worker.look()
        if not Stream.objects.filter(state__in=Stream.OPEN).exists():
            break
    worker.end()


def _page_problems(when: str, counts: Counter[str]) -> Iterator[str]:
    """Every page and every answer of the API about what is stored opens."""
    from django.test import Client

    from webapp.accounts.models import User

    browser = Client(headers={"host": "localhost"})
    browser.force_login(User.objects.get())
    for address in _addresses():
        counts["pages opened"] += 1
        try:
            status = browser.get(address).status_code
        except Exception as error:  # A page that fails is a finding; the others are looked at all the same.
            status = repr(error)
        if status != 200:
            yield f"{when}: {address} answers {status}."


def _addresses() -> Iterator[str]:
    from webapp.searches.models import Child, Search, Training

    yield from ("/", "/searches/new", "/architectures", "/data", "/api/searches", "/api/trainings")
    for search in Search.objects.order_by("created"):
        yield from (f"/searches/{search.pk}", f"/api/searches/{search.pk}", f"/api/searches/{search.pk}/events")
        for child in Child.objects.filter(search=search).order_by("step", "slot")[:2]:
            place = f"{search.pk}/children/{child.step}/{child.slot}"
            yield from (f"/searches/{place}", f"/api/searches/{place}")
    for training in Training.objects.order_by("created"):
        yield from (
            f"/trainings/{training.pk}", f"/api/trainings/{training.pk}", f"/api/trainings/{training.pk}/events",
        )  # fmt: skip


def _problems(expected: dict[str, Any], counts: Counter[str]) -> Iterator[str]:
    """Whether all has ended as the version that began it would have ended it, and rows and files are sound."""
    from webapp.searches import artifacts, mending
    from webapp.searches.models import Search, Stream, Training

    artifacts.sweep(0.0)  # Replaced checkpoints wait for it, and on a slow machine fsck would find them first.
    yield from mending.findings()
    is_same_machine = expected["arithmetic"] == sys.argv[1]
    for stream in Stream.objects.order_by("created"):
        counts[f"{stream.kind} {stream.state}"] += 1
        wanted = expected["undisturbed"].get(stream.name)
        if wanted is None:
            continue  # A candidate that a search had trained.
        state = "stopped" if stream.name.startswith("stopped") else "finished"
        if stream.state != state:
            yield f"{stream.name}: it is {stream.state} ({stream.reason}), not {state}."
        elif state == "finished" and not is_same_machine:
            counts["not compared: this machine computes otherwise"] += 1
        elif state == "finished":
            counts["compared"] += 1
            row = (Search if stream.kind == Stream.Kind.SEARCH else Training).objects.get(pk=stream.pk)
            found = {name: getattr(row, name) for name in wanted}
            if found != wanted:
                yield f"{stream.name}: it ends with {found}, and undisturbed with {wanted}."


if __name__ == "__main__":
    main()
