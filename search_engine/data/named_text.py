"""The text that is meant by what was typed behind --data."""

from pathlib import Path

from search_engine.config.language import OWN
from search_engine.data.own_text import keep_own_text
from search_engine.data.texts import TEXTS


def named_text(name: str, folder: Path) -> dict[str, str]:
    """Settings of TextDataConfig: an embedded text by its name; a file or folder is kept, and named by its digest.

    folder: where own texts are kept. Raises DataError where there is no such text, file or folder.
    """
    if any(text.name == name for text in TEXTS):
        return {"name": name, "own": ""}
    return {"name": OWN, "own": keep_own_text(Path(name), folder)}
