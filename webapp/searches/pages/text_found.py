"""What the check of a text found, as its page and its card show it."""

from typing import Any

from search_engine.config.language import TextDataConfig
from search_engine.data.text_check import LevelCounts, TextRecord
from search_engine.data.texts import COMPARABLE, Level
from webapp.searches.models import OwnData

PARTS = ("Training", "Validation", "Test")
SHARE: float = TextDataConfig.model_fields["held_out_share"].default


def text_facts(row: OwnData) -> list[tuple[str, str]]:
    """The most important of it, as names and values; nothing before it is checked."""
    record = _record(row)
    if record is None:
        return []
    level, counts = next(iter(record.levels.items()))
    return [
        (level.capitalize(), f"{sum(counts.tokens):,}, {counts.different:,} different ones"),
        ("To beat on the test part", f"perplexity {counts.unigram[1]:.1f}, by frequency alone"),
    ]


def text_found(row: OwnData) -> dict[str, Any]:
    """Context of the page."""
    record = _record(row)
    if record is None:
        return {}
    three = "The parts are the three files."
    one = f"The last {SHARE:.0%} of the file are the test part, as much before them is for validation."
    names = PARTS if record.files == 3 else ("",)
    return {
        "levels": [_level(level, counts) for level, counts in record.levels.items()],
        "split": three if record.files == 3 else one,
        "comparable": COMPARABLE,
        "lines": [{"name": name, "lines": part} for name, part in zip(names, record.lines, strict=True)],
    }


def _record(row: OwnData) -> TextRecord | None:
    value = row.report.get("text")
    return TextRecord.from_json(value) if value else None


def _level(level: Level, counts: LevelCounts) -> dict[str, Any]:
    kept = (
        f"the {counts.vocabulary:,} most frequent are kept" if counts.vocabulary < counts.different else "all are kept"
    )
    ends = ", <unk> and line ends among them" if level == "words" else ", <unk> among them"
    to_beat = ("", *(f"{perplexity:.1f}" for perplexity in counts.unigram))  # Nothing is scored on the training part.
    columns = zip(PARTS, counts.tokens, counts.unknown, to_beat, strict=True)
    return {
        "name": level,
        "vocabulary": f"{counts.different:,} different {level} in the training part{ends}; {kept}.",
        "parts": [
            {"name": name, "tokens": f"{tokens:,}", "unknown": f"{unknown:.1%}", "unigram": unigram}
            for name, tokens, unknown, unigram in columns
        ],
    }
