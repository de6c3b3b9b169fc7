"""What is known of each text before a single word is read. No PyTorch, no files."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from search_engine.config.language import OWN, TextDataConfig
from search_engine.errors import ConfigError

Level = Literal["words", "characters"]
COMPARABLE = "Perplexities on this text cannot be compared with those on any other, such as the Penn Treebank's."


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDescription:
    """A text in three parts, as a sequence of tokens.

    vocabulary: how many different tokens, <unk> and the end of a sentence with them. sha256: of the files'
    hexadecimal digests joined in order, or of the one file. split: how the parts were made, in words.
    """

    name: str
    title: str
    level: Level
    vocabulary: int
    train_tokens: int
    valid_tokens: int
    test_tokens: int
    split: str
    origin: Literal["embedded", "local"]
    licence: str
    sha256: str
    kind: Literal["text"] = "text"
    note: str = COMPARABLE

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


_ADDRESSES = "every 13th address is for validation, every 13th for the test; no address is split"
_LICENCE = "public domain (works of the US government; PDDL 1.0 and CC0 1.0)"
_WORDS_SHA256 = "20acc404e0ec921a92008b124ffb9c93e880ab584f8063afd0e385f1339c3f8a"
_RAW_SHA256 = "db974ec19d7362a7bc669cbd057dab6c2c9fc9fe570d475d9d12c34b1f7d40c7"


def _words(name: str, title: str, vocabulary: int) -> TextDescription:
    return TextDescription(
        name=name,
        title=title,
        level="words",
        vocabulary=vocabulary,
        train_tokens=781_486,
        valid_tokens=85_011,
        test_tokens=69_399,
        split=_ADDRESSES,
        origin="embedded",
        licence=_LICENCE,
        sha256=_WORDS_SHA256,
    )


TEXTS = (
    _words("state-of-the-union-2k", "State of the Union 1900-2021, 2,000 words", 2_000),
    _words("state-of-the-union-10k", "State of the Union 1900-2021, 10,000 words", 10_000),
    TextDescription(
        name="state-of-the-union-characters",
        title="State of the Union 1900-2021, characters",
        level="characters",
        vocabulary=87,
        train_tokens=4_449_315,
        valid_tokens=475_719,
        test_tokens=394_335,
        split=_ADDRESSES,
        origin="embedded",
        licence=_LICENCE,
        sha256=_RAW_SHA256,
    ),
)


def describe_text(name: str) -> TextDescription:
    """The description of an embedded text. Raises ConfigError at the field data.name where there is none."""
    for description in TEXTS:
        if description.name == name:
            return description
    known = ", ".join(description.name for description in TEXTS)
    raise ConfigError("data.name", f"is {name!r}; must be one of {known}, or {OWN} for a text of yours.")


def level_of(config: TextDataConfig) -> Level:
    """Whether words or characters are read. Raises ConfigError where the text is not made for what is asked."""
    if config.name == OWN:
        return "words" if config.level == "automatic" else config.level
    level = describe_text(config.name).level
    if config.level not in ("automatic", level):
        raise ConfigError("data.level", f"is {config.level}; {config.name} is a text of {level}.")
    return level
