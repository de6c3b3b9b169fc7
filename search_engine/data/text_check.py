"""What the throw-away process finds in a text that somebody sent: counts, its first lines, and what must be beaten.

The text is read as a training would read it, so what is said here is what a training will meet. No PyTorch.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from search_engine.config.language import OWN, TextDataConfig
from search_engine.data.own_text import keep_contents, read_own_text
from search_engine.data.symbols import UNKNOWN, Met, Symbols
from search_engine.data.text_reading import read_parts, unigram_perplexity
from search_engine.data.texts import Level
from search_engine.errors import DataError

FEWEST: dict[Level, int] = {"words": 1_000, "characters": 10_000}  # Of all parts together; one of both is enough.
SHOWN_LINES = 8
_LONGEST_LINE = 160

Progress = Callable[[int, int], None]  # Steps done, of how many.


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCounts:
    """A text as it is read at one level, cut into parts as a training's default settings cut it.

    tokens: of train, validation and test part. different: of the training part, <unk> and line ends with them.
    vocabulary: what of them the default settings keep. unknown: the share of <unk> in each part. unigram: the
    perplexity of guessing by frequency, on the validation and the test part.
    """

    tokens: tuple[int, int, int]
    different: int
    vocabulary: int
    unknown: tuple[float, float, float]
    unigram: tuple[float, float]

    @staticmethod
    def from_json(value: dict[str, Any]) -> "LevelCounts":
        train, valid, test = map(int, value["tokens"])
        unknown_train, unknown_valid, unknown_test = map(float, value["unknown"])
        unigram_valid, unigram_test = map(float, value["unigram"])
        return LevelCounts(
            tokens=(train, valid, test),
            different=int(value["different"]),
            vocabulary=int(value["vocabulary"]),
            unknown=(unknown_train, unknown_valid, unknown_test),
            unigram=(unigram_valid, unigram_test),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRecord:
    """What is known of a text that was checked. files: 1, or 3 for train, valid and test; bytes: of all of them.

    levels: by "words" and "characters", those at which every part has two tokens at least. lines: the first ones of
    each file.
    """

    files: int
    bytes: int
    levels: dict[Level, LevelCounts]
    lines: tuple[tuple[str, ...], ...]

    @staticmethod
    def from_json(value: dict[str, Any]) -> "TextRecord":
        levels = {level: LevelCounts.from_json(value["levels"][level]) for level in FEWEST if level in value["levels"]}
        lines = tuple(tuple(str(line)[:_LONGEST_LINE] for line in part[:SHOWN_LINES]) for part in value["lines"][:3])
        return TextRecord(files=int(value["files"]), bytes=int(value["bytes"]), levels=levels, lines=lines)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def take_text(files: Sequence[tuple[str, bytes]], folder: Path, on_step: Progress) -> tuple[str, TextRecord]:
    """Keep a text in a folder and count it; returns the SHA-256 that names it, too.

    files: names and contents, the one or train, valid and test. Raises DataError where they are no text to train on.
    """
    for name, content in files:
        if b"\0" in content:
            raise DataError("files", f"{name} is no text: it has bytes that are zero.")
    sha256 = keep_contents(files, folder)
    lengths: dict[Level, int] = {}
    levels: dict[Level, LevelCounts] = {}
    for done, level in enumerate(FEWEST):
        on_step(done, len(FEWEST))
        config = TextDataConfig(name=OWN, own=sha256, level=level)
        symbols, parts, _ = read_parts(config, folder)
        lengths[level] = sum(map(len, parts))
        if min(map(len, parts)) >= 2:
            levels[level] = _counts(symbols, parts, config.vocabulary)
    on_step(len(FEWEST), len(FEWEST))
    if all(lengths[level] < fewest for level, fewest in FEWEST.items()):
        told = " and ".join(f"{lengths[level]:,} {level}" for level in FEWEST)
        wanted = " or ".join(f"{fewest:,} {level}" for level, fewest in FEWEST.items())
        raise DataError("files", f"The text has {told}, line ends among them; a text to train on has {wanted}.")
    lines = tuple(_first_lines(text) for text in read_own_text(sha256, folder))
    size = sum(len(content) for _, content in files)
    return sha256, TextRecord(files=len(files), bytes=size, levels=levels, lines=lines)


def _counts(symbols: Symbols, parts: list[Met], largest: int) -> LevelCounts:
    every = symbols.most_frequent(parts[0], len(parts[0]) + 2)
    kept = every[:largest]
    train, valid, test = symbols.numbered(parts, kept)
    unknown = kept.index(UNKNOWN)
    shares = [float((part == unknown).mean()) for part in (train, valid, test)]
    return LevelCounts(
        tokens=(len(train), len(valid), len(test)),
        different=len(every),
        vocabulary=len(kept),
        unknown=(shares[0], shares[1], shares[2]),
        unigram=(unigram_perplexity(train, valid, len(kept)), unigram_perplexity(train, test, len(kept))),
    )


def _first_lines(text: str) -> tuple[str, ...]:
    """Those that are not blank, for people: without what cannot be seen, and not too long."""
    lines: list[str] = []
    for line in text.split("\n"):
        if len(lines) == SHOWN_LINES:
            break
        if line.strip():
            seen = line[: _LONGEST_LINE + 1]
            shown = "".join(c if c.isprintable() else " " for c in seen[:_LONGEST_LINE])
            lines.append(shown[:-1] + "…" if len(seen) > _LONGEST_LINE else shown)
    return tuple(lines)
