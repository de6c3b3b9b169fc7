"""The broker is emptied, loses its files, and is away for a while: the queue carries rings alone, so nothing is lost.

Moving again is measured with work that nobody has begun: a search that is started just then, while all workers are idle
and wait for a ring. The supervisor, which would start a dead broker again at once, is stopped while it is away.
"""

import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import redis
from django.conf import settings

from tests.faults import aftermath, streams
from tests.faults.application import PARTS, Application, start_application
from tests.faults.campaigns.campaign import Campaign, Run, Size
from tests.faults.campaigns.rounds import Quiet, ended, harmed_round, quiet_round, started
from webapp.searches.models import Event, Job
from webapp.supervisor import broker

MOVING_SECONDS = 5.0  # Wanted: from the broker's return to the first job that is taken.
LONGEST_SECONDS = 300.0


def run(seed: int, size: Size, folder: Path) -> Iterator[Run]:
    is_large = size == "large"
    absence = 60.0 if is_large else 5.0
    draws = random.Random(f"broker {seed}")
    application = start_application(settings.DATA_FOLDER)
    moving: dict[str, float] = {}
    try:
        quiet = quiet_round(application, streams.STREAMS if is_large else ("random",), seed)
        yield quiet.line()
        for harm, times in ((Emptied, 10), (Robbed, 3), (CutOff, 3), (Absent, 3)):
            for _ in range(times if is_large else 1):
                one = harm(application, draws.randint(4, 14), absence)
                yield one.round(quiet)
                moving[harm.what] = max(one.seconds, moving.get(harm.what, 0.0))
    finally:
        figures = {f"most seconds until moving: {what}": round(seconds, 1) for what, seconds in moving.items()}
        late = [f"{what}: {seconds}, wanted {MOVING_SECONDS:g}." for what, seconds in figures.items()
                if is_large and seconds > MOVING_SECONDS]  # fmt: skip
        last = ended(application, "all rounds together", dict(figures), late)
    yield last


class Harm:
    """One round: searches begin while the broker is harmed, and it is harmed again in the middle of their work."""

    what = ""

    def __init__(self, application: Application, again_after: int, absence: float) -> None:
        """again_after: events before the second time; absence: seconds, where the broker is away."""
        self.application, self.absence = application, absence
        self.seconds = 0.0  # From the broker's return until somebody worked.
        self.times = 0
        self._again_after = again_after

    def round(self, quiet: Quiet) -> Run:
        ids = self.begin(quiet)
        returned = time.monotonic()
        while not Job.objects.filter(stream_id__in=ids.values(), fence__gt=0).exists():
            assert time.monotonic() < returned + LONGEST_SECONDS, f"nobody works{self.application.logs()}"
            time.sleep(0.05)
        self.seconds = time.monotonic() - returned
        self._ids = [*ids.values()]
        return harmed_round(self.application, quiet, ids, self.what, self._once_more, self._counts)

    def begin(self, quiet: Quiet) -> dict[str, str]:
        """Harm the broker, start everything, and return as soon as the broker answers again."""
        raise NotImplementedError

    def strike(self) -> None:
        """The second time."""
        raise NotImplementedError

    def _once_more(self) -> None:
        if self.times == 1 and Event.objects.filter(stream_id__in=self._ids).count() > self._again_after:
            self.strike()

    def _counts(self) -> dict[str, int | float]:
        return {f"times that {self.what}": self.times, "seconds until moving": round(self.seconds, 1)}

    def _answers_again(self) -> None:
        until = time.monotonic() + LONGEST_SECONDS
        while not broker.answers(_socket()):
            assert time.monotonic() < until, f"the broker does not come back{self.application.logs()}"
            time.sleep(0.02)


class Emptied(Harm):
    """Rings that were sent are gone. The workers hang on a list that is emptied under their hands."""

    what = "the broker is emptied"

    def begin(self, quiet: Quiet) -> dict[str, str]:
        ids = started(self.application, quiet)
        self.strike()
        return ids

    def strike(self) -> None:
        self.times += 1
        with redis.Redis(unix_socket_path=str(_socket())) as client:
            assert client.flushall()


class Robbed(Harm):
    """The folder of the broker's socket is removed: it lives, and nobody new can reach it."""

    what = "the broker's files are removed"

    def begin(self, quiet: Quiet) -> dict[str, str]:
        self.strike()
        ids = started(self.application, quiet)
        self._answers_again()
        return ids

    def strike(self) -> None:
        self.times += 1
        shutil.rmtree(_socket().parent)


class Absent(Harm):
    """It is gone, and whoever would start it again sleeps."""

    what = "the broker is absent"

    def begin(self, quiet: Quiet) -> dict[str, str]:
        self.application.supervisor.send_signal(signal.SIGSTOP)
        try:
            self.strike()
            ids = started(self.application, quiet)
            time.sleep(self.absence)
        finally:
            self.application.supervisor.send_signal(signal.SIGCONT)
        self._answers_again()
        return ids

    def strike(self) -> None:
        """In the middle of work it is killed, and comes back by itself."""
        self.times += 1
        self.application.process(PARTS["broker"]).kill()

    def _counts(self) -> dict[str, int | float]:
        return super()._counts() | {"seconds absent": self.absence}


class CutOff(Absent):
    """It dies between a worker's hearing of a ring and its saying so. Afterwards the worker must still hear rings."""

    what = "the broker dies with a ring in hand"

    def begin(self, quiet: Quiet) -> dict[str, str]:
        forked = self.application.processes(PARTS["worker"], forked=True)
        self.application.supervisor.send_signal(signal.SIGSTOP)
        for each in forked:
            each.suspend()  # Their main process has the rings then, and waits for them to begin.
        ids = started(self.application, quiet)
        time.sleep(2.0)
        self.strike()
        for each in forked:
            each.resume()
        time.sleep(1.0)
        self.application.supervisor.send_signal(signal.SIGCONT)
        self._answers_again()
        late = aftermath.waited(ids.values(), LONGEST_SECONDS)
        assert not late, f"{late}{self.application.logs()}"
        return started(self.application, quiet)

    def _counts(self) -> dict[str, int | float]:
        return Harm._counts(self)


def _socket() -> Path:
    return broker.socket_path(settings.DATA_FOLDER)


CAMPAIGN = Campaign(
    harm="The broker is emptied, the folder of its socket is removed, and it is absent for a minute, each while work is"
    " due and again in the middle of work.",
    holds="Fingerprint and event log are those of the undisturbed run; work moves again within 5 s of its return.",
    run=run,
    minutes=25,
)
