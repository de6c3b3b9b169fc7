"""deploy/ as data: what Compose makes of compose.yaml, and what the image runs by itself."""

import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PROGRAMS = Path(sys.executable).parent
GIVEN = {"SITE_NAME": "cells.example", "SECRET_KEY": "made-up", "POSTGRES_PASSWORD": "made-up-too"}


@functools.cache
def program(name: str) -> str:
    """One that comes as a wheel, and runs on the systems that its wheels are for."""
    found = PROGRAMS / name
    try:
        subprocess.run([found, "version"], capture_output=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"{name} cannot run here, so its file was not looked at: {error}")
    return str(found)


def compose(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`docker compose config` with these variables and no others."""
    command = [program("docker-compose"), "-f", DEPLOY / "compose.yaml", "--env-file", os.devnull, "config", *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=30)


def services(**variables: str) -> dict[str, Any]:
    """The services of compose.yaml, with everything filled in."""
    done = compose("--format", "json", **variables)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


def instructions() -> list[tuple[str, str]]:
    """(instruction, what it says) of the Dockerfile, in order."""
    lines = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(name, said) for name, _, said in (line.partition(" ") for line in lines.splitlines() if line)]


def image_command() -> list[str]:
    """What a container runs that is told nothing."""
    command: list[str] = json.loads(dict(instructions())["CMD"])
    return command


def image_environment() -> dict[str, str]:
    """What the last stage of the image sets, without its PATH."""
    last = [name for name, _ in instructions()].count("FROM")
    stage, found = 0, {}
    for name, said in instructions():
        stage += name == "FROM"
        if name == "ENV" and stage == last:
            found |= dict(each.split("=", 1) for each in said.split())
    return {name: value for name, value in found.items() if name != "PATH"}
