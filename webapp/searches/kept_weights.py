"""The weights of a finished training are there twice: as its own file, and in its bundle. Out of one comes the other.

A bundle tells everything that the file said, so the file is put together again byte for byte; its SHA-256 proves it.
The other way round the bundle is made anew, by a worker (see late_bundles).
"""

import hashlib
import logging
from pathlib import Path

from search_engine.errors import CheckpointError
from search_engine.export.bundle_file import network_file_in
from webapp.searches import artifacts
from webapp.searches.late_bundles import LABEL
from webapp.searches.models import Artifact, Training

log = logging.getLogger(__name__)


def restore(training: Training) -> str:
    """Put the file of its weights into the store again, out of its bundle; why that cannot be done, "" where it was."""
    content = _out_of_its_bundle(training)
    if isinstance(content, str):
        return content
    with artifacts.passing_folder("restore") as folder:
        draft = Path(folder) / "weights"
        draft.write_bytes(content)
        artifacts.put(draft)
    log.error("The weights of training %s were damaged or gone; they came back out of its bundle", training.pk)
    return ""


def why_not(training: Training) -> str:
    """Why the file cannot be brought back, the end of a sentence; "" where it can."""
    content = _out_of_its_bundle(training)
    return content if isinstance(content, str) else ""


def _out_of_its_bundle(training: Training) -> bytes | str:
    """The file, or why there is none."""
    bundle = Artifact.objects.filter(stream_id=training.pk, label=LABEL).values_list("sha256", flat=True).first()
    if bundle is None:
        return "there is no bundle to take them from"
    if not (artifacts.is_there(bundle) and artifacts.is_whole(bundle)):
        return "its bundle is damaged or gone as well"
    try:
        content = network_file_in(artifacts.local_path(bundle))
    except CheckpointError as error:
        return f"its bundle {error.message.rstrip('.')}"
    finally:
        artifacts.let_go()
    if hashlib.sha256(content).hexdigest() != training.checkpoint:
        return "what its bundle holds is not what the file was"
    return content
