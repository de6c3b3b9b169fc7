"""From files to tokens: the embedded texts, and a user's own in one file or in three."""

import gzip
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search_engine.config.language import OWN, TextDataConfig
from search_engine.data.own_text import read_own_text
from search_engine.data.texts import Level, TextDescription, describe_text, level_of
from search_engine.errors import DataError

UNKNOWN = "<unk>"
END = "<eos>"  # Of a sentence, which is a line.
PARTS = ("train", "valid", "test")

Tokens = NDArray[np.int64]
_EMBEDDED = Path(__file__).parent / "embedded"
_HEADING = re.compile(r"^=== \S+ (train|valid|test) ===\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Text:
    """A text in numbers. vocabulary: what each number stands for; train, valid, test: [tokens]."""

    description: TextDescription
    vocabulary: tuple[str, ...]
    train: Tokens
    valid: Tokens
    test: Tokens


def read_text(config: TextDataConfig, folder: Path, *, vocabulary: tuple[str, ...] | None = None) -> Text:
    """Read a text, cut its vocabulary to what is asked for, and number its tokens.

    folder: where a user's own texts are kept. vocabulary: of a network that was trained elsewhere; else it is made
    from the training part alone, the most frequent first. Raises ConfigError for an unknown name or a level that the
    text does not have, DataError where a file cannot be had, is not UTF-8 or leaves a part empty.
    """
    level = level_of(config)
    parts, description = _own(config, level, folder) if config.name == OWN else _embedded(config, level)
    for name, symbols in zip(PARTS, parts, strict=True):
        if len(symbols) < 2:
            raise DataError("data.name", f"has {len(symbols)} tokens in its part {name}; at least 2 are needed.")
    largest = config.vocabulary if config.name == OWN else min(config.vocabulary, description.vocabulary)
    vocabulary = vocabulary or _vocabulary(parts[0], level, largest)
    numbers = {symbol: number for number, symbol in enumerate(vocabulary)}
    train, valid, test = (_numbered(symbols, numbers) for symbols in parts)
    return Text(replace(description, vocabulary=len(vocabulary)), vocabulary, train, valid, test)


def unigram_perplexity(train: Tokens, part: Tokens, vocabulary: int) -> float:
    """The perplexity of guessing by frequency alone: what a network must beat.

    Each token of the vocabulary counts once more than it occurs in the training part, so that none is impossible.
    """
    counts = np.bincount(train, minlength=vocabulary) + 1
    nats = -np.log(counts / counts.sum())
    return math.exp(float(nats[part].mean()))


def _embedded(config: TextDataConfig, level: Level) -> tuple[list[list[str]], TextDescription]:
    description = describe_text(config.name)
    if level == "words":
        texts = [_unpacked(f"sotu_1900.{part}.txt.gz") for part in PARTS]
    else:
        found = _HEADING.split(_unpacked("sotu_1900.raw.txt.gz"))  # "", part, address, part, address, ...
        addresses = list(zip(found[1::2], found[2::2], strict=True))
        texts = ["".join(address for part, address in addresses if part == wanted) for wanted in PARTS]
    return [_symbols(text, level) for text in texts], description


def _own(config: TextDataConfig, level: Level, folder: Path) -> tuple[list[list[str]], TextDescription]:
    texts = read_own_text(config.own, folder)
    parts = [_symbols(text, level) for text in texts]
    split = "the three files"
    if len(parts) == 1:
        parts = _cut(parts[0], config.held_out_share)
        split = f"one file: its last {config.held_out_share:.0%} are the test, as much before them is validation"
    train, valid, test = map(len, parts)
    description = TextDescription(
        name=OWN,
        title=f"Own text {config.own[:8]}",
        level=level,
        vocabulary=0,  # Known once the training part is counted; read_text fills it in.
        train_tokens=train,
        valid_tokens=valid,
        test_tokens=test,
        split=split,
        origin="local",
        licence="its owner's",
        sha256=config.own,
    )
    return parts, description


def _cut(symbols: list[str], share: float) -> list[list[str]]:
    """Three contiguous pieces; nothing is drawn at random, because neighbouring sentences are alike."""
    held_out = int(len(symbols) * share)
    first, second = len(symbols) - 2 * held_out, len(symbols) - held_out
    return [symbols[:first], symbols[first:second], symbols[second:]]


def _unpacked(file: str) -> str:
    return gzip.decompress((_EMBEDDED / file).read_bytes()).decode()


def _symbols(text: str, level: Level) -> list[str]:
    """Characters as they are; or what stands between spaces, and an end after every line that is not blank."""
    if level == "characters":
        return list(text)
    return [word for line in text.split("\n") if (words := line.split()) for word in (*words, END)]


def _vocabulary(symbols: Sequence[str], level: Level, size: int) -> tuple[str, ...]:
    """<unk>, for words the end of a sentence, and then the most frequent; of equally frequent ones the alphabet's."""
    always = (UNKNOWN, END) if level == "words" else (UNKNOWN,)
    counts = Counter(symbols)
    others = sorted((symbol for symbol in counts if symbol not in always), key=lambda symbol: (-counts[symbol], symbol))
    return (*always, *others[: size - len(always)])


def _numbered(symbols: Sequence[str], numbers: dict[str, int]) -> Tokens:
    unknown = numbers[UNKNOWN]
    return np.fromiter((numbers.get(symbol, unknown) for symbol in symbols), np.int64, len(symbols))
