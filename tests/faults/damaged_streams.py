"""Streams that are worked off by a trainer in memory, and one byte of whose files is flipped on the way."""

import random
from collections.abc import Callable
from pathlib import Path

from tests.faults import fake_engine
from tests.faults.memory_trainer import MemoryTrainer
from tests.faults.straight_run import compared
from webapp.searches import artifacts, checker, event_log
from webapp.searches.models import Job, Search, Stream
from webapp.searches.workers.trainer_process import Message, TrainerGone
from webapp.searches.workers.worker import WorkingProcess


class DyingTrainer(MemoryTrainer):
    """Dies before it gives out a message for which `dies` says so, once."""

    dies: Callable[[Message], bool] = staticmethod(lambda message: False)

    def receive(self, timeout_seconds: float) -> Message | None:
        message = super().receive(timeout_seconds)
        if message is not None and DyingTrainer.dies(message):
            DyingTrainer.dies = staticmethod(lambda message: False)
            raise TrainerGone("the trainer was killed by SIGKILL")
        return message


def flip(sha256: str, chance: random.Random | None = None) -> None:
    """One bit of the file, anywhere."""
    path = artifacts.local_path(sha256)
    content, chance = bytearray(path.read_bytes()), chance or random.Random(sha256)
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def work(folder: Path, until: Callable[[], bool] = lambda: False) -> list[Message]:
    """A worker works, and ends before the next job where `until` says so; what its trainers were asked."""
    trainers: list[DyingTrainer] = []

    def start_trainer(threads: int) -> DyingTrainer:
        trainers.append(DyingTrainer(folder / "spool" / "w", threads))
        return trainers[-1]

    worker = WorkingProcess(name="w:1", spool=folder / "spool" / "w", start_trainer=start_trainer, is_stopping=until)
    worker.look()
    worker.end()
    return [request for trainer in trainers for request in trainer.requests]


def problems() -> list[str]:
    stream = Stream.objects.exclude(state="deleting").get()
    return [stream.state, *checker.check(stream), *compared(stream, fake_engine)]


def damages() -> list[tuple[str, bool]]:
    events = event_log.read(Stream.objects.get().pk, 0, 10_000)
    return [(event["what"], event["is_anew"]) for event in events if event["kind"] == "file_damaged"]


def let_them_be_long() -> None:
    """Four epochs or rounds each, so that there are two checkpoints before the last."""
    for search in Search.objects.filter(epochs=0):
        search.config["recipe"]["epochs"] = search.config["finals"]["epochs"] = 4
        search.save(update_fields=["config"])
    for search in Search.objects.exclude(epochs=0):
        search.config["phases"]["rounds"] = 4
        search.save(update_fields=["config"])


def work_until_a_second_checkpoint(folder: Path, job_kind: str) -> Job:
    """A long job of this kind whose trainer died when it had left two checkpoints."""
    let_them_be_long()

    def has_checkpoints(message: Message) -> bool:
        return Job.objects.filter(kind=job_kind, state="leased").exclude(checkpoint_before="").exists()

    DyingTrainer.dies = staticmethod(has_checkpoints)
    work(folder, until=lambda: Job.objects.filter(attempts=1).exists())
    job = Job.objects.exclude(checkpoint_before="").get()
    assert job.kind == job_kind and job.checkpoint != job.checkpoint_before
    return job


def gone_on_from(requests: list[Message], job: Job) -> str | None:
    """The checkpoint that came with the first request for this job."""

    def is_for_it(request: Message) -> bool:
        place = request.get("step", job.step), request.get("slot", job.slot)
        rank = request.get("finalist", {"rank": job.slot})["rank"]
        return request["do"] == job.kind and place == (job.step, job.slot) and rank == job.slot

    checkpoint: str | None = next(filter(is_for_it, requests))["checkpoint"]
    return checkpoint
