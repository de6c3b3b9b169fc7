"""A stream with an owner, and whoever writes its events: the other end of what live pages read.

Each command is a process of its own, on the database that the environment names: `python -m tests.faults.live_stream`.
"""

import argparse
import hashlib
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402

from search_engine.events import ChildStarted, EpochEnded, Event, JobLost  # noqa: E402
from tests.faults import fake_engine  # noqa: E402
from webapp.accounts.sign_in import get_or_create_user  # noqa: E402
from webapp.searches import event_log, lifecycle, live_state  # noqa: E402
from webapp.searches.models import Stream  # noqa: E402

SLOTS = 4  # Children that are trained at the same time, for ever.


def main() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    commands.add_parser("make").set_defaults(act=lambda options: make())
    writing = commands.add_parser("write")
    writing.add_argument("stream")
    writing.add_argument("events", type=int)
    writing.add_argument("seed", type=int)
    writing.add_argument("seconds", type=float)
    writing.set_defaults(act=lambda o: write(o.stream, o.events, o.seed, o.seconds))
    comparing = commands.add_parser("compare")
    comparing.add_argument("stream")
    comparing.add_argument("frames", type=Path)
    comparing.set_defaults(act=lambda o: compare(o.stream, o.frames))
    options = parser.parse_args()
    print(json.dumps(options.act(options)))


def make() -> dict[str, Any]:
    """A database with a search, and a session of its owner."""
    call_command("migrate", verbosity=0)
    owner = get_or_create_user("owner")
    search = lifecycle.create_search(
        owner, fake_engine.small_config(), decisions=fake_engine.DECISIONS, data=fake_engine.DATA
    )
    client = Client()
    client.force_login(owner)
    return {"stream": str(search.pk), "cookie": client.cookies["sessionid"].value}


def write(stream: str, events: int, seed: int, seconds: float) -> dict[str, Any]:
    """Append so many events in transactions of any size, over about so many seconds; what the last number is."""
    chance = random.Random(f"writer:{seed}")
    made, began, last, commits = 0, time.monotonic(), 0, 0
    story = _story(chance)
    while made < events:
        wait = began + seconds * made / events - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        size = min(events - made, chance.choice((1, 1, 2, 5, 20, 60)))
        last = event_log.append(Stream(pk=stream).pk, [next(story) for _ in range(size)])
        made, commits = made + size, commits + 1
    return {"last": last, "commits": commits, "seconds": round(time.monotonic() - began, 1)}


def compare(stream: str, frames: Path) -> dict[str, Any]:
    """Digest and state of the log as it stands, and whether the page's own fold leads to the same state."""
    digest, state = hashlib.sha256(), live_state.initial("search")
    number = 0
    while page := event_log.read(Stream(pk=stream).pk, number, 500):
        for event in page:
            digest.update(json.dumps(event, sort_keys=True).encode())
        number = page[-1]["n"]
    with frames.open() as lines:
        for line in lines:
            state = live_state.apply(state, json.loads(line))
    served = live_state.state_at(Stream.objects.get(pk=stream))
    return {"last": number, "digest": digest.hexdigest(), "is_equal": served == state}


def _story(chance: random.Random) -> Iterator[Event]:
    """Children that are begun, trained and lost, without an end."""
    epoch = 0
    while True:
        epoch += 1
        for slot in range(SLOTS):
            if epoch % 50 == 1:
                yield ChildStarted(step=0, slot=slot, worker=f"worker {slot}", attempt=1)
            yield EpochEnded(
                step=0, slot=slot, epoch=epoch % 50, epochs=50, loss=chance.random(), learning_rate=0.1, seconds=1.0
            )
            if chance.random() < 0.01:
                yield JobLost(what=f"child 0.{slot}", worker=f"worker {slot}", reason="it was killed", attempt=1)


if __name__ == "__main__":
    sys.exit(main())
