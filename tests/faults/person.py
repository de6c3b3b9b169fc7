"""Somebody who cannot leave the buttons alone, and in the end lets everything run."""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import OperationalError

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.errors import ConfigError
from tests.faults.harm import Killed
from tests.faults.holding import MOST_DELIVERIES, Actor
from webapp.searches import deletion, hosts, lifecycle, planner
from webapp.searches.models import Search, Stream, Worker

if TYPE_CHECKING:
    from tests.faults.simulation import World

Command = Callable[..., Any]
IDENTITIES = Block((0, 1), ("identity", "identity"), "add")
# One of the space of these searches, and one that is too small for it.
PROPOSALS = tuple(
    CellArchitecture(cell, cell).to_json()
    for cell in (Cell((IDENTITIES,) * blocks, tuple(range(2, 2 + blocks))) for blocks in (5, 1))
)


def commanding(world: "World") -> Actor:
    """One command, or three at once to the same stream, each sent once or several times."""
    while world.is_wild:
        yield world.chance.uniform(1.0, 12.0)
        streams = list(Stream.objects.order_by("created", "pk").values_list("pk", flat=True))
        if not streams:
            return
        stream_id = world.chance.choice(streams)
        at_once = 3 if world.chance.random() < 0.2 else 1
        for _ in range(at_once):
            _command(world, stream_id)
        if at_once > 1:
            world.note("person", "gave three commands at once")
    yield from _letting_run(world)


def _command(world: "World", stream_id: uuid.UUID) -> None:
    chance = world.chance.random()
    if chance < 0.25:
        _send(world, lifecycle.pause, stream_id)
    elif chance < 0.55:
        _send(world, lifecycle.resume, stream_id)
    elif chance < 0.70:
        _send(world, lifecycle.change_limits, stream_id, _limits(world))
    elif chance < 0.73:
        _send(world, lifecycle.steer, stream_id, _bans(world))
    elif chance < 0.75:
        _send(world, lifecycle.propose, stream_id, world.chance.choice(PROPOSALS))
    elif chance < 0.82:
        _send(world, lifecycle.prioritise, stream_id, world.chance.choice((-1, 0, 1)))
    elif chance < 0.90:
        _send(world, drain, world.chance.choice(world.awake_workers() or [""]), world.chance.random() < 0.6)
    elif chance < 0.93:
        _send(world, lifecycle.stop, stream_id)
    else:
        world.has_deleted = True
        _send(world, deletion.delete, stream_id)


def _limits(world: "World") -> dict[str, Any]:
    """One or two of them, which may be more than can be, or of the other sort of search."""
    chance = world.chance
    wanted = {
        "children": chance.randint(1, 10), "epochs": chance.randint(1, 3), "workers": chance.choice((1, 2, None)),
        "hours": chance.choice((0.001, 0.005, None)),
    }  # fmt: skip
    return {name: wanted[name] for name in chance.sample(("children", "children", "epochs", "workers", "hours"), 2)}


def _bans(world: "World") -> dict[str, list[str]]:
    """Some options, or none again; all but one, which is to pin it, and all, which may not be."""
    where, options = world.chance.choice((("combination", ["add", "concat"]), ("operation", ["identity", "conv_3x3"])))
    return {where: world.chance.sample(options, world.chance.randint(0, len(options)))}


def _send(world: "World", command: Command, *arguments: Any) -> None:
    """Now and then several times."""
    times = world.chance.randint(2, MOST_DELIVERIES) if world.chance.random() < 0.1 else 1
    for _ in range(times):
        _give(world, command, *arguments)


def _give(world: "World", command: Command, *arguments: Any) -> None:
    try:
        world.commit("person", command, *arguments)
        world.note("person", command.__name__)
    except (lifecycle.CommandRefused, ConfigError, Search.DoesNotExist):
        world.note("person", f"may not {command.__name__}")
    except (OperationalError, Killed):
        world.note("person", "saw no answer")


def drain(name: str, is_drained: bool) -> None:
    """As the API does it."""
    worker = Worker.objects.filter(pk=name).first()
    if worker is not None:
        hosts.drain(worker, is_drained)
    if not is_drained:
        planner.call_workers(1)


def _letting_run(world: "World") -> Actor:
    """What waits for a disk goes on without this."""
    while True:
        for name in Worker.objects.filter(is_drained=True).order_by("pk").values_list("pk", flat=True):
            _give(world, drain, name, False)
        paused = Stream.objects.filter(state=Stream.State.PAUSED, reason="").order_by("created", "pk")
        for stream_id in paused.values_list("pk", flat=True):
            _give(world, lifecycle.resume, stream_id)
        yield 5.0
