"""Descriptions of sets of images by name: those that the engine knows, and those that somebody uploaded."""

from typing import Any

from search_engine.config.data import DataConfig
from search_engine.data import descriptions
from search_engine.data.descriptions import DatasetDescription
from search_engine.data.own_set import MOST_RESIDENT_BYTES, picture_bytes, sha256_of_own
from search_engine.data.texts import TextDescription
from search_engine.errors import ConfigError
from webapp.searches.datasets.texts import own_texts
from webapp.searches.models import OwnData


def describe(name: str) -> DatasetDescription:
    """Whoever's it is; a deleted set is still described. Raises ConfigError at data.name where there is none."""
    sha256 = sha256_of_own(name)
    row = sha256 and OwnData.objects.filter(sha256=sha256, state__in=OwnData.DESCRIBED).order_by("created").first()
    return description_of(row) if row else descriptions.describe(name)


def describe_for(user: Any, name: str) -> DatasetDescription:
    """As `describe`, where this user may start something with it; somebody else's set does not exist."""
    sha256 = sha256_of_own(name)
    if sha256 is None:
        return descriptions.describe(name)
    row = OwnData.objects.visible_to(user).filter(sha256=sha256, state=OwnData.State.READY).first()
    if row is None:
        raise ConfigError("data.name", "is a set of images that is not there, or is not yours.")
    return description_of(row)


def own_descriptions(user: Any) -> list[DatasetDescription | TextDescription]:
    """Of the images, and then of the texts, that this user can start something with, newest first."""
    rows = OwnData.objects.visible_to(user).filter(state=OwnData.State.READY, kind=OwnData.Kind.IMAGES)
    return [*map(description_of, rows.order_by("-created")), *own_texts(user)]


def description_of(row: OwnData) -> DatasetDescription:
    value = row.description
    return DatasetDescription(**value | {"classes": tuple(value["classes"]), "title": row.title})


def memory_of_images(data: DataConfig) -> int:
    """Bytes that the decoded images of an own set take in a trainer; 0 for sets that are always in memory."""
    return min(_bytes_of_images(data), MOST_RESIDENT_BYTES)


def is_decoded_anew(data: DataConfig) -> bool:
    """Whether the images do not fit into memory, so that each batch is decoded when it is due."""
    return _bytes_of_images(data) > MOST_RESIDENT_BYTES


def _bytes_of_images(data: DataConfig) -> int:
    described = describe(data.name)
    if described.origin != "own":
        return 0
    images = data.train_examples + data.held_out_examples + described.test_examples
    return images * picture_bytes(described.channels, data.image_size)
