"""From files to tokens: the embedded texts, and a user's own in one file or in three."""

import gzip
import json
import math
import re
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import numpy as np

from search_engine.config.language import OWN, TextDataConfig
from search_engine.data.own_text import PARTS, read_own_text
from search_engine.data.symbols import Met, Symbols, Tokens
from search_engine.data.texts import Level, TextDescription, describe_text, level_of
from search_engine.errors import ConfigError, DataError

MOST_VOCABULARY_BYTES = 12 * 1024**2  # In the header of a file, in which a trained network keeps its words.

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
    from the training part alone, the most frequent first. Raises ConfigError for an unknown name, a level that the
    text does not have, or words that no file could keep; DataError where a file cannot be had, is not UTF-8 or leaves
    a part empty.
    """
    symbols, parts, description = read_parts(config, folder)
    for name, part in zip(PARTS, parts, strict=True):
        if len(part) < 2:
            raise DataError("data.name", f"has {len(part)} tokens in its part {name}; at least 2 are needed.")
    if vocabulary is None:
        largest = config.vocabulary if config.name == OWN else min(config.vocabulary, description.vocabulary)
        vocabulary = symbols.most_frequent(parts[0], largest)
        _check_vocabulary(vocabulary)
    train, valid, test = symbols.numbered(parts, vocabulary)
    return Text(replace(description, vocabulary=len(vocabulary)), vocabulary, train, valid, test)


def read_parts(config: TextDataConfig, folder: Path) -> tuple[Symbols, list[Met], TextDescription]:
    """Train, validation and test part before a vocabulary is cut, in the numbers of the symbols; raises the same.

    The description's vocabulary is 0 where the text is a user's own: it is not known yet.
    """
    symbols = Symbols(level_of(config))
    parts, description = _own(config, symbols, folder) if config.name == OWN else _embedded(config, symbols)
    return symbols, parts, description


def unigram_perplexity(train: Tokens, part: Tokens, vocabulary: int) -> float:
    """The perplexity of guessing by frequency alone: what a network must beat.

    Each token of the vocabulary counts once more than it occurs in the training part, so that none is impossible.
    """
    counts = np.bincount(train, minlength=vocabulary) + 1
    nats = -np.log(counts / counts.sum())
    return math.exp(float(nats[part].mean()))


def cut_lengths(tokens: int, share: float) -> tuple[int, int, int]:
    """How long train, validation and test part of a single file are."""
    held_out = int(tokens * share)
    return tokens - 2 * held_out, held_out, held_out


def describe_own(
    config: TextDataConfig, level: Level, *, files: int, tokens: tuple[int, int, int], vocabulary: int
) -> TextDescription:
    """The description of a user's own text. files: 1 or 3; tokens: of train, validation and test part."""
    share = f"{config.held_out_share:.0%}"
    one = f"one file: its last {share} are the test, as much before them is validation"
    return TextDescription(
        name=OWN,
        title=f"Own text {config.own[:8]}",
        level=level,
        vocabulary=vocabulary,
        train_tokens=tokens[0],
        valid_tokens=tokens[1],
        test_tokens=tokens[2],
        split=one if files == 1 else "the three files",
        origin="local",
        licence="its owner's",
        sha256=config.own,
    )


def _embedded(config: TextDataConfig, symbols: Symbols) -> tuple[list[Met], TextDescription]:
    description = describe_text(config.name)
    if symbols.level == "words":
        texts = [_unpacked(f"sotu_1900.{part}.txt.gz") for part in PARTS]
    else:
        found = _HEADING.split(_unpacked("sotu_1900.raw.txt.gz"))  # "", part, address, part, address, ...
        addresses = list(zip(found[1::2], found[2::2], strict=True))
        texts = ["".join(address for part, address in addresses if part == wanted) for wanted in PARTS]
    return [symbols.read(text) for text in texts], description


def _own(config: TextDataConfig, symbols: Symbols, folder: Path) -> tuple[list[Met], TextDescription]:
    parts = [symbols.read(text) for text in read_own_text(config.own, folder)]
    files = len(parts)
    if files == 1:
        # Three contiguous pieces; nothing is drawn at random, because neighbouring sentences are alike.
        first, second, _ = accumulate(cut_lengths(len(parts[0]), config.held_out_share))
        parts = [parts[0][:first], parts[0][first:second], parts[0][second:]]
    train, valid, test = map(len, parts)
    # The vocabulary is known once the training part is counted; read_text fills it in.
    return parts, describe_own(config, symbols.level, files=files, tokens=(train, valid, test), vocabulary=0)


def _unpacked(file: str) -> str:
    return gzip.decompress((_EMBEDDED / file).read_bytes()).decode()


def _check_vocabulary(vocabulary: tuple[str, ...]) -> None:
    """Raises ConfigError where the words are too long to be kept beside the weights of a network.

    A file of weights keeps them as JSON inside of JSON, where a letter beyond ASCII takes seven bytes.
    """
    # The outer quotes stand for the comma and the space behind each.
    sizes = accumulate(len(json.dumps(json.dumps(symbol))) for symbol in vocabulary)
    fitting = sum(size <= MOST_VOCABULARY_BYTES for size in sizes)
    if fitting < len(vocabulary):
        most = f"{MOST_VOCABULARY_BYTES // 1024**2} MB"
        raise ConfigError(
            "data.vocabulary",
            f"keeps {len(vocabulary):,}; a file of weights holds {most} of them, which the first {fitting:,} fill.",
        )
