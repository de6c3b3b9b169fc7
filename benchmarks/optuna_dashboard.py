"""Optuna's dashboard with 10,000 trials, for scale: what its page asks for at its start, and again and again at rest.

It is installed into an environment of its own in a temporary folder, and removed with it; the program does without.
Ten categorical parameters and five intermediate values a trial, in SQLite, as `add_trials` writes them.
"""

import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.web_process import cpu_seconds
from tests.running_application import free_port

PACKAGES = ("optuna==4.9.0", "optuna-dashboard==0.21.0")
TRIALS = 10_000
LONGEST_INSTALL, LONGEST_FILL, LONGEST_START = 300, 900, 60  # Seconds.
FILL = """
import random, sys, optuna
from optuna.distributions import CategoricalDistribution
optuna.logging.set_verbosity(optuna.logging.WARNING)
dice, options = random.Random(1), CategoricalDistribution(("a", "b", "c", "d"))
study = optuna.create_study(storage=sys.argv[1], direction="maximize")
study.add_trials([
    optuna.trial.create_trial(
        params={f"p{place}": dice.choice("abcd") for place in range(10)},
        distributions={f"p{place}": options for place in range(10)},
        value=dice.random(), intermediate_values={epoch: dice.random() for epoch in range(5)},
    )
    for _ in range(int(sys.argv[2]))
])
"""


class CannotInstall(Exception):
    """One sentence why it could not be installed here."""


def measure(trials: int = TRIALS) -> dict[str, Any]:
    """bytes, seconds, cpu_seconds of the study's first answer, and poll_bytes, poll_cpu_seconds of one at rest.

    Raises CannotInstall.
    """
    with tempfile.TemporaryDirectory() as folder:
        programs = _installed(Path(folder))
        storage = f"sqlite:///{folder}/study.sqlite3"
        fill = [str(programs / "python"), "-c", FILL, storage, str(trials)]
        subprocess.run(fill, check=True, stdout=subprocess.DEVNULL, timeout=LONGEST_FILL)
        port = free_port()
        server = psutil.Popen([programs / "optuna-dashboard", storage, "--port", str(port)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
                _wait_for(client)
                return _asked(client, server, trials)
        finally:
            server.terminate()
            server.wait(timeout=30)


def _installed(folder: Path) -> Path:
    """The folder of its programs."""
    venv.create(folder / "environment", with_pip=True)
    programs = folder / "environment" / "bin"
    command = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=LONGEST_INSTALL)
    except subprocess.TimeoutExpired as error:
        raise CannotInstall(f"pip did not install it within {LONGEST_INSTALL} s.") from error
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise CannotInstall(f"pip could not install it: {said}") from error
    return programs


def _wait_for(client: httpx.Client) -> None:
    until = time.monotonic() + LONGEST_START
    while True:
        try:
            client.get("/api/studies").raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


def _asked(client: httpx.Client, server: psutil.Process, trials: int) -> dict[str, Any]:
    first, seconds, used = _timed(client, server, "/api/studies/1")
    poll, _, polled = _timed(client, server, f"/api/studies/1?after={trials}")
    return {
        "bytes": first,
        "seconds": seconds,
        "cpu_seconds": used,
        "poll_bytes": poll,
        "poll_cpu_seconds": polled,
    }


def _timed(client: httpx.Client, server: psutil.Process, path: str) -> tuple[int, float, float]:
    """Bytes of the answer, seconds until it was there, and seconds of the server's processor."""
    used, began = cpu_seconds(server), time.monotonic()
    answer = client.get(path).raise_for_status()
    return answer.num_bytes_downloaded, time.monotonic() - began, cpu_seconds(server) - used


if __name__ == "__main__":
    print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else TRIALS))
