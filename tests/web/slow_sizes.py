"""How much is tried: a sample in `make test`, and a large number in `make slow`, which sets CELLWRIGHT_SLOW."""

import os

import pytest

IS_SLOW = os.environ.get("CELLWRIGHT_SLOW") == "1"
# What takes long, and of which `make test` tries something much alike; it has twenty-five minutes.
long = pytest.mark.skipif(not IS_SLOW, reason="make slow does it")


def size(quick: int, slow: int) -> int:
    return slow if IS_SLOW else quick
