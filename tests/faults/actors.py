"""Who acts in the simulation beside people: workers, their presence, and reconcilers. They use the product's functions.

An actor is a generator: every `yield` is a number of seconds that pass, and a moment at which the world may kill or
freeze it; UNTIL_RUNG is until somebody rings. `world.commit` is a moment at which a transaction may die, or its answer
be lost.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import OperationalError, connection

from tests.faults.holding import Actor, Hold
from tests.faults.jobs import DOING, asked
from webapp.searches import artifacts, clock, deletion, hosts, leases, live_state, results, storage_pauses
from webapp.searches.leases import LEASE_SECONDS, Claim, LeaseLost
from webapp.searches.models import Job, Stream, Worker
from webapp.searches.workers import reconciler, remaking
from webapp.searches.workers.reconciler import LOOK_SECONDS
from webapp.searches.workers.trainer_requests import request_for
from webapp.searches.workers.worker import BREATH_SECONDS, GIVE_BACK_SECONDS, SEEN_SECONDS

if TYPE_CHECKING:
    from tests.faults.simulation import World

KINDS = tuple(kind.value for kind in Job.Kind)
UNTIL_RUNG = -1.0


def working(world: "World", name: str) -> Actor:
    """A worker: at every ring it does what is due until nothing is; for ever."""
    world.note_birth(name)
    appear(name)
    while True:
        yield UNTIL_RUNG
        yield from looking(world, name)


def looking(world: "World", name: str) -> Actor:
    """As worker.WorkingProcess.look. After a disk refused, the disk is asked first."""
    while not (name in world.refused and storage_pauses.trouble()):
        world.refused.discard(name)
        try:
            claim = claimed(world, name)
        except OperationalError:
            return  # The task fails; what may have been claimed runs out.
        if claim is None:
            return
        yield from doing(world, name, claim)
        if name in world.refused:
            return


def claimed(world: "World", name: str) -> Claim | None:
    """Claim a job; now and then somebody else claims it in the very moment between reading and writing."""
    if not (world.is_wild and world.chance.random() < 0.1):
        claim: Claim | None = world.commit(name, leases.claim, name, KINDS)
        return claim
    rival = f"{name}+"
    rivals: list[Claim | None] = []

    def be_faster(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith('UPDATE "searches_job"') and not rivals:
            rivals.append(None)  # The rival's own statement passes here as well.
            rivals.append(leases.claim(rival, KINDS))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(be_faster):
        claim = leases.claim(name, KINDS)
    for faster in rivals:
        if faster is not None:
            world.note(rival, "was faster")
            world.start(rival, doing(world, rival, faster))
    return claim


def doing(world: "World", name: str, claim: Claim) -> Actor:
    """One job, as worker.WorkingProcess does it: handed in, given back, or left until its lease runs out."""
    hold = Hold(world, name, claim)
    try:
        yield from driving(hold)
        world.note(name, f"did {claim.kind}")
    except LeaseLost:
        world.note(name, "was refused")
    except OperationalError:
        world.note(name, "left its job")
        yield BREATH_SECONDS
    except (ValueError, LookupError, ObjectDoesNotExist, FileNotFoundError):
        if _has(claim):
            raise
        world.note(name, "failed with what was another's")
    except OSError as error:
        sentence = storage_pauses.sentence_of(error)
        if sentence is None:
            raise
        world.note(name, "gave its job back for the disk")
        world.refused.add(name)
        yield from _giving_back(hold, sentence)


def _has(claim: Claim) -> bool:
    """Whether it still holds its job. Whoever does not may meet rows and files that do not fit each other."""
    return Job.objects.filter(pk=claim.job_id, fence=claim.fence, state=Job.State.LEASED).exists()


def driving(hold: Hold) -> Actor:
    """As worker.WorkingProcess: damaged files are made again first, then the request is done."""
    world, claim = hold.world, hold.claim
    yield world.chance.uniform(0.0, 0.1)
    try:
        if claim.kind in remaking.GOES_ON_FROM_FILES:
            files = remaking.Remaking(claim, world.spool)
            for what in files.damaged():
                files.remake(what, partial(asked, world.engine, world.spool))
                world.note(hold.name, f"made the {what} again")
        request = request_for(claim)
    except (artifacts.ArtifactMissing, remaking.CannotRemake) as error:
        yield from hold.hand_in(results.record_failure, f"What it goes on from is lost: {error}.")
        return
    yield from DOING[request["do"]](hold, request)


def _giving_back(hold: Hold, sentence: str) -> Actor:
    """Until the database takes it, or somebody else has the job."""
    while True:
        try:
            hold.world.commit(
                hold.name, storage_pauses.give_back, hold.claim.job_id, hold.claim.fence, sentence
            )  # fmt: skip
        except LeaseLost:
            return
        except OperationalError:
            yield GIVE_BACK_SECONDS
        else:
            return


def being_present(world: "World") -> Actor:
    """Every few seconds all workers that live say so; one that was forgotten meanwhile is known again."""
    while True:
        there = world.awake_workers()
        if Worker.objects.filter(pk__in=there).update(seen=clock.now()) < len(there):
            for name in sorted(set(there) - set(Worker.objects.values_list("pk", flat=True))):
                appear(name)
        yield SEEN_SECONDS


def appear(name: str) -> None:
    """Two processes to a host; one that takes another's place has its number."""
    number = int(name.strip("'").removeprefix("worker "))
    row = {"host": f"host {number // 2}", "number": number % 2 + 1, "device": "cpu", "speed": [0.0, 1e-9, 0.0]}
    hosts.register(Worker(name=name, seen=clock.now(), **row))


def reconciling(world: "World") -> Actor:
    """As reconciler.look, but that what changes little between two looks is not done at each. Any act may kill it."""
    own_trouble, own_clock = float("-inf"), clock.Watch(lambda: world.now)
    remove_deleted = _removing(world)
    while True:
        acts = [reconciler.watch_clock, reconciler.watch_storage, reconciler.expire_leases]
        acts += [reconciler.end_in_time, reconciler.plan_what_stands_still, reconciler.ring]
        if world.chance.random() < 0.3:
            acts += [live_state.take_snapshots, reconciler.forget_workers]
        if world.has_deleted:
            acts.append(remove_deleted)
        for act in acts:
            reconciler._trouble, reconciler._clock = (
                own_trouble,
                own_clock,
            )  # The simulation has several in one process.
            with suppress(OperationalError):
                world.commit("reconciler", act)
            own_trouble = reconciler._trouble
            yield 0.0
        yield LOOK_SECONDS


LEASED = """
    SELECT s.id FROM searches_stream s JOIN searches_job j ON j.stream_id = s.id
    WHERE s.state = 'deleting' AND j.state = 'leased' AND j.lease_until BETWEEN %s AND %s
"""


def _removing(world: "World") -> Callable[[], None]:
    """deletion.remove_deleted, but that what is gone afterwards must have had no lease."""

    def remove_deleted() -> None:
        with connection.cursor() as cursor:
            cursor.execute(LEASED, [clock.now(), clock.now() + LEASE_SECONDS])
            leased = cursor.fetchall()
        deletion.remove_deleted()
        for (stream_id,) in leased:
            if not Stream.objects.filter(pk=stream_id).exists():
                world.problems.append("What was deleted is gone before the lease of its worker had run out.")

    return remove_deleted
