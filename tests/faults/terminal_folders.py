"""A command of the terminal in a folder, as a person gives it, and what it says at its end."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MOST_SECONDS = 300
FIGURES = ("test_accuracy", "test_examples", "held_out_accuracy", "parameters", "mult_adds")  # Of a training.


def said(arguments: Sequence[str], folder: Path, program: Path) -> dict[str, Any]:
    """The fingerprint of a search, or the figures of a training; program: the folder of the version that does it.

    Raises CalledProcessError where it fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", "search_engine", *arguments], cwd=folder, env={"PYTHONPATH": str(program)}, check=True,
        capture_output=True, text=True, timeout=MOST_SECONDS,
    )  # fmt: skip
    if arguments[0] == "train":
        found = json.loads(done.stdout)
        return {name: found[name] for name in FIGURES}
    told = re.search(r"^fingerprint (\w{64})$", done.stdout, re.MULTILINE)
    assert told is not None, done.stdout
    return {"fingerprint": told[1]}
