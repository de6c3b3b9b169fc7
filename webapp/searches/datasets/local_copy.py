"""Own images and texts on the machine of a worker: copied once out of the store to where its trainer reads them."""

import os
import shutil
import tempfile
from typing import Any

from django.conf import settings

from search_engine.config.language import OWN
from search_engine.data.own_set import place_of_own, sha256_of_own
from search_engine.data.own_text import bring_own_text, place_of_text
from webapp.searches import artifacts
from webapp.searches.datasets.texts import files_of_text
from webapp.searches.models import OwnData


def bring_data(config: dict[str, Any]) -> None:
    """Have what a configuration names on this machine. Raises ArtifactMissing where the store has it not."""
    if config["data"]["name"] == OWN:
        bring_text(config["data"]["own"])
    elif sha256 := sha256_of_own(config["data"]["name"]):
        _bring_images(sha256)


def bring_text(sha256: str) -> None:
    """Have somebody's text on this machine. Raises ArtifactMissing where the store has it not."""
    if place_of_text(sha256, settings.DATA_SETS_DIR).is_dir():
        return
    files = files_of_text(sha256)
    if not files:
        raise artifacts.ArtifactMissing(f"nobody has a text {sha256}")
    bring_own_text(sha256, [artifacts.local_path(each) for each in files], settings.DATA_SETS_DIR)


def drop_local(row: OwnData) -> None:
    """Remove the copy on this machine, unless somebody else has the same."""
    if OwnData.objects.filter(sha256=row.sha256, state=OwnData.State.READY).exclude(pk=row.pk).exists():
        return
    place_of_own(row.sha256, settings.DATA_SETS_DIR).unlink(missing_ok=True)
    shutil.rmtree(place_of_text(row.sha256, settings.DATA_SETS_DIR), ignore_errors=True)


def _bring_images(sha256: str) -> None:
    target = place_of_own(sha256, settings.DATA_SETS_DIR)
    if target.exists():
        return
    source = artifacts.local_path(sha256)
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=".draft-", dir=target.parent)
    try:
        with source.open("rb") as content, os.fdopen(descriptor, "wb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
        os.replace(draft, target)  # Two workers may do it at once, with equal content; the trainer verifies it.
    except BaseException:
        os.unlink(draft)
        raise
