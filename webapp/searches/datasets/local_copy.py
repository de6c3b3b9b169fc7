"""Images and texts on the machine of a worker: handed out of the store to where its trainer reads them."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from search_engine.config.language import OWN
from search_engine.data.own_set import place_of_own, sha256_of_own
from search_engine.data.own_text import file_names, kept_files, place_of_text
from webapp.searches import artifacts
from webapp.searches.datasets.shared_downloads import Run, bring_download
from webapp.searches.datasets.texts import files_of_text
from webapp.searches.models import OwnData


def _at_once(act: Callable[[], None]) -> None:
    act()


def bring_data(config: dict[str, Any], run: Run = _at_once) -> None:
    """Have what a configuration names on this machine, until this process calls `artifacts.let_go`.

    Raises ArtifactMissing where the store has an own set not; a known one the trainer downloads then.
    """
    if config["data"]["name"] == OWN:
        bring_text(config["data"]["own"], run)
    elif sha256 := sha256_of_own(config["data"]["name"]):
        _bring({sha256: place_of_own(sha256, settings.DATA_SETS_DIR)}, run)
    else:
        bring_download(config["data"]["name"], run)


def bring_text(sha256: str, run: Run = _at_once) -> None:
    """Have somebody's text on this machine. Raises ArtifactMissing where the store has it not."""
    folder = settings.DATA_SETS_DIR
    if all(_is_here(path) for path in kept_files(sha256, folder)):
        return
    files = files_of_text(sha256)
    if not files:
        raise artifacts.ArtifactMissing(f"nobody has a text {sha256}")
    target = place_of_text(sha256, folder)
    _bring({each: target / name for each, name in zip(files, file_names(len(files)), strict=True)}, run)


def drop_local(row: OwnData) -> None:
    """Remove the copy on this machine, unless somebody else has the same."""
    if OwnData.objects.filter(sha256=row.sha256, state=OwnData.State.READY).exclude(pk=row.pk).exists():
        return
    place_of_own(row.sha256, settings.DATA_SETS_DIR).unlink(missing_ok=True)
    shutil.rmtree(place_of_text(row.sha256, settings.DATA_SETS_DIR), ignore_errors=True)


def _bring(files: dict[str, Path], run: Run) -> None:
    """Each of these files of the store to its path."""
    for sha256, target in files.items():
        if not _is_here(target):
            run(partial(artifacts.hand_to, sha256, target))


def _is_here(path: Path) -> bool:
    """A link may lead to what the host's cache no longer has, or is about to remove: then it is handed over anew."""
    return path.is_file() and not path.is_symlink()
