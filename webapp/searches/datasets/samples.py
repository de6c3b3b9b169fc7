"""Sample pictures of every data set whose files are here: a sheet with a row of pictures for each of a few classes."""

from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from search_engine.data.descriptions import EMBEDDED, DatasetDescription, describe
from search_engine.data.downloads import SOURCES
from search_engine.data.image_files import read_part
from search_engine.data.own_set import sha256_of_own
from search_engine.data.previews import COLUMNS, sheet
from webapp.searches import artifacts
from webapp.searches.models import OwnData

ROWS = 4
_LOOKED_AT = 2000  # First images of a set, among which the samples are found.
_LIKE_EMBEDDED = "fashion-mnist"  # The same kind of pictures, so they can be shown before it is downloaded.


def is_here(description: DatasetDescription) -> bool:
    """Whether nothing is left to be downloaded."""
    folder = settings.DATA_SETS_DIR / description.name
    return all((folder / source.file).is_file() for source in SOURCES.get(description.name, ()))


def address_of(description: DatasetDescription) -> str:
    """Where the sheet of a set is served; "" where there is none."""
    if is_here(description):
        return f"/data/samples/{description.name}.png"
    return f"/data/samples/{EMBEDDED}.png" if description.name == _LIKE_EMBEDDED else ""


def sheet_of(user: Any, name: str) -> bytes | None:
    """PNG of the samples; None where the set is not here, or not this user's. Raises DataError for damaged files."""
    sha256 = sha256_of_own(name)
    if sha256 is not None:
        row = OwnData.objects.visible_to(user).filter(sha256=sha256, state=OwnData.State.READY).first()
        with suppress(artifacts.ArtifactMissing, artifacts.StoreAway):
            if row:
                with artifacts.opened(row.preview) as file:
                    return file.read()
        return None
    return _known_sheet(name, settings.DATA_SETS_DIR) if is_here(describe(name)) else None


@lru_cache(maxsize=16)
def _known_sheet(name: str, folder: Path) -> bytes:
    """Of classes that are spread over all."""
    pixels, labels = read_part(name, folder / name, "train", _LOOKED_AT)
    classes = len(describe(name).classes)
    chosen = [row * classes // ROWS for row in range(ROWS)]
    return sheet([list(pixels[np.flatnonzero(labels == label)[:COLUMNS]]) for label in chosen])
