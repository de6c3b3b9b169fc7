"""What is known of a text before a word of it is read: of those that come along, and of what somebody uploaded.

What two people uploaded alike is one text in the store; the title that each gave it is seen by nobody else.
"""

from dataclasses import replace
from typing import Any

from search_engine.config.language import OWN, TextDataConfig
from search_engine.data.text_check import TextRecord
from search_engine.data.text_reading import cut_lengths, describe_own
from search_engine.data.texts import TextDescription, describe_text, level_of
from search_engine.errors import ConfigError
from webapp.searches.models import OwnData


def text_of(config: TextDataConfig) -> TextDescription:
    """The text of a configuration, whoever's it is, as its settings cut it; a deleted one is still described.

    vocabulary: of one's own text in one file, as the default cut has it; reading it tells the last word. Raises
    ConfigError at the field that is wrong.
    """
    if config.name != OWN:
        description = describe_text(config.name)
        level_of(config)
        return replace(description, vocabulary=min(config.vocabulary, description.vocabulary))
    return _described(_texts(OwnData.DESCRIBED).filter(sha256=config.own).first(), config)


def text_for(user: Any, config: TextDataConfig) -> TextDescription:
    """As `text_of`, where this user may start something with it; somebody else's text does not exist."""
    if config.name == OWN and not _texts([OwnData.State.READY], user).filter(sha256=config.own).exists():
        raise ConfigError("data.own", "is a text that is not there, or is not yours.")
    return text_of(config)


def own_texts(user: Any) -> list[TextDescription]:
    """Of the texts that this user can start something with, newest first, under the titles that they gave them."""
    return [_titled(row) for row in _texts([OwnData.State.READY], user).order_by("-created")]


def text_shown(user: Any, sha256: str) -> TextDescription | None:
    """A text as its owner knows it, also one that was deleted; None where it was never theirs."""
    row = _texts(OwnData.DESCRIBED, user).filter(sha256=sha256).first()
    return row and _titled(row)


def files_of_text(sha256: str) -> list[str]:
    """The SHA-256 of each of its files, in the order of the parts; none where nobody has it any more."""
    row = _texts([OwnData.State.READY]).filter(sha256=sha256).first()
    return [file["sha256"] for file in row.files] if row else []


def _texts(states: Any, user: Any = None) -> Any:
    rows = OwnData.objects.all() if user is None else OwnData.objects.visible_to(user)
    return rows.filter(kind=OwnData.Kind.TEXT, state__in=states)


def _titled(row: OwnData) -> TextDescription:
    """By words where it can be read so, at the default settings."""
    level = next(iter(TextRecord.from_json(row.description).levels))
    described = _described(row, TextDataConfig(name=OWN, own=row.sha256, level=level))
    return replace(described, title=row.title)


def _described(row: OwnData | None, config: TextDataConfig) -> TextDescription:
    if row is None:
        raise ConfigError("data.own", "is a text that is not there, or is not yours.")
    record, level = TextRecord.from_json(row.description), level_of(config)
    counts = record.levels.get(level)
    if counts is None:
        raise ConfigError("data.level", f"is {level}; this text has too few {level}.")
    tokens = cut_lengths(sum(counts.tokens), config.held_out_share) if record.files == 1 else counts.tokens
    vocabulary = min(config.vocabulary, counts.different)
    return describe_own(config, level, files=record.files, tokens=tokens, vocabulary=vocabulary)
