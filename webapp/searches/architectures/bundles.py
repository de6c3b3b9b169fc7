"""Bundles of trained networks: read without trust, and kept, an architecture with its weights.

Reading keeps nothing. Whoever keeps a bundle sends it once more, and everything is checked again.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from search_engine.architectures.reading import Architecture
from search_engine.errors import CheckpointError, UserError
from search_engine.export.bundle_file import read_bundle
from search_engine.export.recorded import Recorded, recorded
from webapp.searches import artifacts, clock, quotas
from webapp.searches.architectures.keeping import checked_name
from webapp.searches.models import ImportedArchitecture

FIELD = "bundle"  # Of the form and of every refusal.
DIALECT = "json"  # A bundle holds its architecture in ours.


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBundle:
    """path: a file that is gone when the request is over."""

    path: Path
    architecture: Architecture
    recorded: Recorded


@contextmanager
def reading(size: int, chunks: Iterable[bytes]) -> Iterator[SentBundle]:
    """What a file that was sent says. Raises UserError with one sentence where it is no bundle."""
    if size > settings.MOST_BUNDLE_BYTES:
        raise UserError(FIELD, f"has {size:,} bytes; must have at most {settings.MOST_BUNDLE_BYTES:,}.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        with path.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
        try:
            content = read_bundle(path, settings.MOST_BUNDLE_BYTES)
            told = recorded(content)
        except CheckpointError as error:  # Its field is the path here, which is nobody's business.
            raise UserError(FIELD, error.message) from error
        architecture = content.architecture
        del content  # The weights: they are many bytes, and the file has them.
        yield SentBundle(path=path, architecture=architecture, recorded=told)


def keep_bundle(owner: Any, name: str, sent: SentBundle) -> tuple[ImportedArchitecture, bool]:
    """The row, and whether it is new: the same bundle is kept once. The file is in the store before a row names it."""
    name = checked_name(name)
    weight = quotas.Weight(bytes=sent.path.stat().st_size)
    bundle = artifacts.put(sent.path)
    with transaction.atomic():
        quotas.reserve(owner, weight, starts=False)
        return ImportedArchitecture.objects.get_or_create(
            owner=owner,
            hash=sent.architecture.hash,
            bundle=bundle,
            defaults={
                "name": name,
                "architecture": sent.architecture.to_json(),
                "dialect": DIALECT,
                "text": json.dumps(sent.architecture.to_json()),
                "recorded": asdict(sent.recorded),
                "created": clock.now(),
                "code_version": settings.CODE_VERSION,
            },
        )
