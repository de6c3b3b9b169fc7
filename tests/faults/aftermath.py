"""What is looked at when everything has ended: rows, files, leases and processes, through the product's own checker."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tests.faults import told
from tests.faults.application import Application, command_line, processes_with
from tests.running_application import ROOT
from webapp.searches import artifacts, checker, event_log, mending
from webapp.searches.models import Job, Search, Stream, Training
from webapp.searches.workers.spools import dead_spools

EVERYTHING = 10**6  # More events than any of these streams has.

SUCCESSOR_SECONDS = 60.0  # What dies again and again starts later each time.

Logs = Mapping[str, told.Events]


def waited(ids: Iterable[str], seconds: float, meanwhile: Callable[[], None] = lambda: None) -> list[str]:
    """Wait until these streams and whatever they started have ended; what had not by then, a sentence each."""
    until = time.monotonic() + seconds
    while still := _open(ids):
        if time.monotonic() > until:
            return [
                f"The {each.kind} {each.name} is {each.state} after {seconds:.0f} s: {each.reason}" for each in still
            ]
        meanwhile()
        time.sleep(0.1)
    return []


def logs(ids: Mapping[str, str]) -> dict[str, told.Events]:
    """The whole logs by name; of a training that a search started, under the name of the search."""
    names = dict(ids) | {f"training of {name}": str(pk) for name, of in ids.items() for pk in _trainings_of(of)}
    return {name: [_by_weights(event) for event in event_log.read(pk, 0, EVERYTHING)] for name, pk in names.items()}


def _by_weights(event: dict[str, Any]) -> dict[str, Any]:
    """A trained network's file says how many seconds it took, so that its name differs; its weights do not."""
    file = event.get("checkpoint")
    return event | {"checkpoint": weights_digest(file)} if file else event


def weights_digest(sha256: str) -> str:
    """The SHA-256 of all tensors of a safetensors file with their names and shapes; "gone" where the file is."""
    try:
        content = artifacts.local_path(sha256).read_bytes()
    except artifacts.ArtifactMissing:
        return "gone"
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header.pop("__metadata__", None)
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode() + content[end:]).hexdigest()


def compared(ids: Mapping[str, str], undisturbed: Logs, fingerprints: Mapping[str, str]) -> list[str]:
    """In what these streams ended otherwise than without harm, a sentence each."""
    found = [f"{name}: {text}" for name, text in _other_logs(logs(ids), undisturbed)]
    for name, fingerprint in fingerprints_of(ids).items():
        if fingerprint != fingerprints[name]:
            found.append(f"{name}: the fingerprint is {fingerprint}, and undisturbed {fingerprints[name]}.")
    return found


def _other_logs(found: Logs, undisturbed: Logs) -> Iterator[tuple[str, str]]:
    for name in sorted(found.keys() | undisturbed.keys()):
        if name not in found or name not in undisturbed:
            yield name, "it is there in only one of the two runs."
        else:
            for difference in told.differences(undisturbed[name], found[name]):
                yield name, difference


def fingerprints_of(ids: Mapping[str, str]) -> dict[str, str]:
    """Of searches their fingerprint, of trainings the digest of their weights, by name."""
    searches = {
        str(pk): text for pk, text in Search.objects.filter(pk__in=ids.values()).values_list("pk", "fingerprint")
    }
    trained = Training.objects.filter(pk__in=ids.values()).values_list("pk", "checkpoint")
    both = searches | {str(pk): weights_digest(file) for pk, file in trained}
    return {name: both[stream] for name, stream in ids.items()}


def problems(application: Application) -> list[str]:
    """Everything that is wrong with what is there now, where nothing is under way any more."""
    _wait_for_successors()
    artifacts.sweep(older_than_seconds=0.0)
    found = [
        *mending.findings(),
        *(f"The file {path.name} is left after the sweep." for path in artifacts.forgotten(0.0)),
    ]
    found += [f"{stream.name}: {text}" for stream in Stream.objects.all() for text in checker.check(stream)]
    found += [f"The {job.what} of {job.stream_id} is still {job.state}." for job in _undone()]
    return list(dict.fromkeys([*found, *_strays(application)]))


def _wait_for_successors() -> None:
    """A worker process that is killed at the very end leaves its folder to the one that begins in its place."""
    until = time.monotonic() + SUCCESSOR_SECONDS
    while dead_spools() and time.monotonic() < until:
        time.sleep(0.2)


def fsck_problems(environment: Mapping[str, str]) -> list[str]:
    """What `manage.py fsck --mend` finds with these variables beside ours.

    A file without a row is what a commit that failed leaves; it goes with the sweep. Anything else is a problem.
    """
    command = [sys.executable, "manage.py", "fsck", "--mend"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | dict(environment), capture_output=True, text=True)
    told = [line for line in done.stdout.splitlines() if not line.startswith(("Mended: ", "All is sound: "))]
    problems = [f"fsck: {line}" for line in told if not line.endswith("is named by no row.")]
    if done.returncode and not told:  # It found nothing and did not end well either.
        problems.append(f"fsck: {done.stderr.strip()[-300:]}")
    return problems


def lost(ids: Iterable[str]) -> int:
    """How many losses these streams tell of."""
    return sum(event["kind"] == "job_lost" for pk in ids for event in event_log.read(pk, 0, EVERYTHING))


def _undone() -> Iterator[Job]:
    jobs = Job.objects.filter(state__in=(Job.State.DUE, Job.State.LEASED))
    yield from jobs.exclude(stream__state__in=Stream.OPEN)


def _strays(application: Application) -> Iterator[str]:
    """Processes of the application that its supervisor knows nothing of."""
    until = time.monotonic() + 10
    while True:
        known = {application.supervisor.pid, *(each.pid for each in application.family())}
        strays = [each for each in processes_with(application.folder) if each.pid not in known]
        if not strays or time.monotonic() > until:
            break
        time.sleep(0.2)
    yield from (f"A process is left that nobody watches: {command_line(each)}" for each in strays)


def _open(ids: Iterable[str]) -> list[Stream]:
    wanted = [*ids]
    all_of_them = [*wanted, *(pk for of in wanted for pk in _trainings_of(of))]
    return list(Stream.objects.filter(pk__in=all_of_them, state__in=Stream.OPEN))


def _trainings_of(search: str) -> list[str]:
    return [str(pk) for pk in Training.objects.filter(child__search_id=search).values_list("pk", flat=True)]
