"""Own sets on the machine of a worker: copied once out of the store to where its trainer reads them."""

import os
import shutil
import tempfile
from typing import Any

from django.conf import settings

from search_engine.data.own_set import place_of_own, sha256_of_own
from webapp.searches import artifacts


def bring_data(config: dict[str, Any]) -> None:
    """Have the set that a configuration names on this machine. Raises ArtifactMissing where the store has it not."""
    sha256 = sha256_of_own(config["data"]["name"])
    if sha256 is None:
        return
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
