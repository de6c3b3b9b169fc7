"""A generator in a for loop that keeps what it returned, which the loop alone would drop."""

from collections.abc import Generator, Iterator
from typing import Generic, TypeVar

Y = TypeVar("Y")
R = TypeVar("R")


class Returning(Generic[Y, R]):
    """Gives what the generator yields. `returned` is there once it has ended, and not before."""

    returned: R

    def __init__(self, steps: Generator[Y, None, R]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[Y]:
        self.returned = yield from self._steps
