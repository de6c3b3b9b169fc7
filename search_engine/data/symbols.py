"""The different words, or characters, of a text, and its tokens in numbers. No PyTorch."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from search_engine.data.texts import Level

UNKNOWN = "<unk>"
END = "<eos>"  # Of a sentence, which is a line.

Met = NDArray[np.int32]  # [tokens], in the numbers of what was met.
Tokens = NDArray[np.int64]  # [tokens], in those of a vocabulary.


class Symbols:
    """What was met so far, in numbers of its own: four bytes a token, and each different one once."""

    def __init__(self, level: Level) -> None:
        self.level = level
        self._always = (UNKNOWN, END) if level == "words" else (UNKNOWN,)
        self._known: defaultdict[str, int] = defaultdict()
        self._known.default_factory = self._known.__len__  # What is met for the first time gets the next number.

    def read(self, text: str) -> Met:
        """Characters as they are; or what stands between spaces, and an end after every line that is not blank."""
        if self.level == "words":
            return np.fromiter(map(self._known.__getitem__, _words(text)), np.int32)
        codes = np.frombuffer(text.encode("utf-32-le"), "<i4")
        different = np.flatnonzero(np.bincount(codes))
        table = np.zeros(different.max(initial=0) + 1, np.int32)
        table[different] = [self._known[chr(code)] for code in different]
        met: Met = table[codes]
        return met

    def most_frequent(self, train: Met, size: int) -> tuple[str, ...]:
        """<unk>, for words the end of a sentence, and then the most frequent; of equal ones the alphabet's first.

        train: as `read` gave it.
        """
        counts = np.bincount(train, minlength=len(self._known)).tolist()
        met = [symbol for symbol, number in self._known.items() if counts[number] and symbol not in self._always]
        met.sort(key=lambda symbol: (-counts[self._known[symbol]], symbol))
        return (*self._always, *met[: size - len(self._always)])

    def numbered(self, parts: list[Met], vocabulary: tuple[str, ...]) -> list[Tokens]:
        """What `read` gave, in the numbers of a vocabulary; what is not in it is <unk>."""
        places = {symbol: number for number, symbol in enumerate(vocabulary)}
        unknown = places[UNKNOWN]
        table = np.fromiter((places.get(symbol, unknown) for symbol in self._known), np.int64, len(self._known))
        return [table[part] for part in parts]


def _words(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        if words := line.split():
            yield from words
            yield END
