"""A user's own set of images in one file: small re-encoded pictures, their classes, and which part each belongs to.

The file is safetensors, named by its SHA-256, so a search always reads what it began with. Its tensors: `pictures`,
the bytes of all encoded pictures one after another; `offsets` [N + 1], where each begins; `labels` [N], indices into
the classes; `train` and `test`, indices of pictures. Its metadata hold one JSON object, `set`: see `SetRecord`. No
PyTorch.
"""

import hashlib
import json
import re
import shutil
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from search_engine.data.descriptions import DatasetDescription, describe
from search_engine.errors import DataError

Indices = NDArray[np.int64]

MOST_RESIDENT_BYTES = 1 << 30  # Of all parts of a set together, as pixels at the size they are trained at.

_NAME = re.compile(r"own-([0-9a-f]{64})")
_FOLDER = "own-images"  # Inside the folder of data sets.


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRecord:
    """What is known of a set beside its pictures.

    sides: (smallest, median, largest) of the pictures, which are square; split: how the test part came to be: its kind
    ("drawn" or "kept"), and where it was drawn, seed and share. came_from: the folder's or archive's name.
    """

    title: str
    channels: int
    sides: tuple[int, int, int]
    classes: tuple[str, ...]
    train_counts: tuple[int, ...]
    test_counts: tuple[int, ...]
    split: dict[str, Any]
    came_from: str

    @staticmethod
    def from_json(value: dict[str, Any]) -> "SetRecord":
        lists = ("sides", "classes", "train_counts", "test_counts")
        return SetRecord(**value | {name: tuple(value[name]) for name in lists})

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return value

    def description(self, sha256: str) -> DatasetDescription:
        return DatasetDescription(
            name=f"own-{sha256}",
            title=self.title,
            channels=self.channels,
            image_size=self.sides[1],
            classes=self.classes,
            train_examples=sum(self.train_counts),
            test_examples=sum(self.test_counts),
            origin="own",
            bytes=0,
            licence="yours",
            sha256=sha256,
        )


class OwnSet:
    """An open set. pictures are read from the file one by one, so it may be larger than memory."""

    def __init__(self, path: Path) -> None:
        """Raises DataError where the file holds no set."""
        try:
            with safe_open(path, "numpy") as file:
                self.record = SetRecord.from_json(json.loads(file.metadata()["set"]))
                self._offsets: Indices = file.get_tensor("offsets")
                self.labels: Indices = file.get_tensor("labels")
                self.train: Indices = file.get_tensor("train")
                self.test: Indices = file.get_tensor("test")
            self._pictures = np.memmap(path, np.uint8, "r", _first_byte(path))
        except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
            raise DataError("data.name", f"{path} holds no set of images.") from error

    def __len__(self) -> int:
        return len(self.labels)

    def encoded(self, index: int) -> bytes:
        """One picture as it is stored: PNG or JPEG."""
        return self._pictures[self._offsets[index] : self._offsets[index + 1]].tobytes()


def picture_bytes(channels: int, size: int) -> int:
    """Of one decoded picture."""
    return channels * size * size


def sha256_of_own(name: str) -> str | None:
    """The SHA-256 in the name of a user's own set; None for any other name."""
    found = _NAME.fullmatch(name)
    return found and found[1]


def place_of_own(sha256: str, folder: Path) -> Path:
    """Where the file of a set lies. folder: of all data sets."""
    return folder / _FOLDER / f"{sha256}.safetensors"


def open_own(name: str, folder: Path) -> OwnSet:
    """The set of this name, its content verified. Raises DataError where it is not there or was changed."""
    path = _existing(name, folder)
    if digest_of(path) != sha256_of_own(name):
        raise DataError("data.name", f"{path} was changed: its content no longer has the SHA-256 in its name.")
    return OwnSet(path)


def describe_in(name: str, folder: Path) -> DatasetDescription:
    """The description of a known data set, or of an own one that lies in the folder of data sets.

    Raises ConfigError for an unknown name, DataError where the set is not there.
    """
    if sha256_of_own(name) is None:
        return describe(name)
    path = _existing(name, folder)
    return OwnSet(path).record.description(path.stem)


def write_set(
    target: Path,
    record: SetRecord,
    *,
    pictures: Path,
    offsets: Sequence[int],
    labels: Sequence[int],
    train: Sequence[int],
    test: Sequence[int],
) -> str:
    """Write the file of a set; returns its SHA-256. pictures: a file with all of them one after another."""
    arrays = {
        name: np.asarray(values, np.int64).tobytes()
        for name, values in (("offsets", offsets), ("labels", labels), ("train", train), ("test", test))
    }
    with target.open("wb") as file, pictures.open("rb") as content:
        file.write(_header(record, {name: len(array) for name, array in arrays.items()}, offsets[-1]))
        shutil.copyfileobj(content, file, 1 << 20)
        for array in arrays.values():
            file.write(array)
    return digest_of(target)


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _header(record: SetRecord, sizes: dict[str, int], pictures: int) -> bytes:
    """The safetensors header: pictures first, so that they begin at its end."""
    tensors: dict[str, Any] = {
        "__metadata__": {"set": json.dumps(record.to_json(), sort_keys=True)},
        "pictures": {"dtype": "U8", "shape": [pictures], "data_offsets": [0, pictures]},
    }
    start = pictures
    for name, size in sizes.items():
        tensors[name] = {"dtype": "I64", "shape": [size // 8], "data_offsets": [start, start + size]}
        start += size
    text = json.dumps(tensors, sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def _first_byte(path: Path) -> int:
    """Where the pictures begin."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
    return 8 + int(length)


def _existing(name: str, folder: Path) -> Path:
    sha256 = sha256_of_own(name)
    assert sha256 is not None, f"{name} is no name of an own set"
    path = place_of_own(sha256, folder)
    if not path.is_file():
        raise DataError("data.name", f"is {name[:12]}..., a set of somebody's own images that is not in {path.parent}.")
    return path
