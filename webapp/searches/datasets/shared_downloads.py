"""Known sets of images between machines: the first that has downloaded a file puts it into the store for all others.

Their SHA-256 stand in the program, so no row names these files, and no sweep removes them. Where the store has one not,
or cannot be asked, a machine downloads it as if it were alone.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from django.conf import settings

from search_engine.data.downloads import SOURCES, Source
from webapp.searches import artifacts
from webapp.searches.stores.store import digest_of

Run = Callable[[Callable[[], None]], object]  # Runs what takes long and asks the database nothing.

log = logging.getLogger(__name__)


def bring_download(name: str, run: Run) -> None:
    """Have the files of this set here, as far as some machine put them into the store; put there what is here."""
    for source in SOURCES.get(name, ()):
        run(partial(_share, source, settings.DATA_SETS_DIR / name / source.file))


def _share(source: Source, place: Path) -> None:
    """A link may lead to what the host's cache no longer has, or is about to remove: then it is handed over anew."""
    try:
        is_here, is_stored = place.is_file() and not place.is_symlink(), artifacts.is_there(source.sha256)
        if is_here and not is_stored and digest_of(place) == source.sha256:  # A damaged one the trainer will refuse.
            _put(place)
            artifacts.hand_to(source.sha256, place)  # As on all machines: a cache removes what was read longest ago.
        elif is_stored and not is_here:
            artifacts.hand_to(source.sha256, place)
    except (artifacts.ArtifactMissing, artifacts.StoreAway, OSError) as trouble:
        log.warning("%s is not shared between machines now: %s", source.file, trouble)


def _put(place: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".draft-", dir=place.parent) as folder:
        draft = Path(folder) / place.name
        try:
            os.link(place, draft)
        except OSError:  # A file system without second names.
            shutil.copyfile(place, draft)
        artifacts.put(draft)
