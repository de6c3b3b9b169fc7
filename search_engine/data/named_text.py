"""The text that is meant by what was typed behind --data."""

import re
from pathlib import Path

from search_engine.config.language import OWN
from search_engine.data.own_text import keep_own_text, place_of_text
from search_engine.data.texts import TEXTS

DIGEST = re.compile("[0-9a-f]{64}")


def named_text(name: str, folder: Path) -> dict[str, str]:
    """Settings of TextDataConfig: an embedded text by its name; a file or folder is kept, and named by its digest.

    What is kept already may be named by that digest, too. folder: where own texts are kept. Raises DataError where
    there is no such text, file or folder.
    """
    if any(text.name == name for text in TEXTS):
        return {"name": name, "own": ""}
    if DIGEST.fullmatch(name) and place_of_text(name, folder).is_dir():
        return {"name": OWN, "own": name}
    return {"name": OWN, "own": keep_own_text(Path(name), folder)}
