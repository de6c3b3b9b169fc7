"""The images of a data set as arrays. Letters: N images, H height, W width, C channels."""

import gzip
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search_engine.data.descriptions import EMBEDDED, describe
from search_engine.data.downloads import SOURCES, fetch, nobody
from search_engine.data.image_files import Bytes, Labels, read_part
from search_engine.errors import DataError

_CHUNK = 4096  # Images averaged at once: bounds the memory in double precision.


@dataclass(frozen=True, slots=True)
class Images:
    """Both official parts. train, test: [N, H, W, C]; labels: [N], indices into the description's classes."""

    train: Bytes
    train_labels: Labels
    test: Bytes
    test_labels: Labels


def load(name: str, folder: Path, on_block: Callable[[], None] = nobody) -> Images:
    """Read a data set, which is downloaded into `folder` first where it does not come with the program.

    on_block: see downloads.fetch. Raises ConfigError for an unknown name, DataError where the data cannot be had or are
    not what the name says.
    """
    description = describe(name)
    if name != EMBEDDED:
        fetch(SOURCES[name], folder / name, on_block)
    images = _read_fashion_mnist(folder / name) if name == "fashion-mnist" else _read(name, folder / name)
    _check(images.train, images.train_labels, description.train_examples, name)
    _check(images.test, images.test_labels, description.test_examples, name)
    return images


def _read(name: str, folder: Path) -> Images:
    return Images(*read_part(name, folder, "train"), *read_part(name, folder, "test"))


def resized(images: Bytes, size: int) -> Bytes:
    """Square images at another size by averaging over areas; [N, H, H, C] to [N, size, size, C].

    Sums are whole numbers below 2^53, so double precision is exact and the result the same everywhere.
    """
    native = images.shape[1]
    if size == native:
        return images
    weights = _overlaps(native, size)
    result = np.empty((len(images), size, size, images.shape[3]), np.uint8)
    for start in range(0, len(images), _CHUNK):
        block = images[start : start + _CHUNK].astype(np.float64)
        sums = np.einsum("ih,nhwc,jw->nijc", weights, block, weights, optimize=True)
        result[start : start + _CHUNK] = np.floor((sums + native * native / 2) / (native * native))
    return result


def _overlaps(native: int, size: int) -> NDArray[np.float64]:
    """[size, native]: how much of each old pixel a new one covers, in units of 1 / size of an old pixel."""
    starts = np.arange(size)[:, None] * native
    pixels = np.arange(native)[None, :] * size
    covered = np.minimum(starts + native, pixels + size) - np.maximum(starts, pixels)
    overlaps: NDArray[np.float64] = np.maximum(covered, 0).astype(np.float64)
    return overlaps


def _read_fashion_mnist(folder: Path) -> Images:
    """By torchvision's reader, which wants the authors' four files unpacked in a folder of its own."""
    from torchvision.datasets import FashionMNIST  # It takes two seconds to load, and no other set needs it.

    with tempfile.TemporaryDirectory() as unpacked:
        raw = Path(unpacked) / "FashionMNIST" / "raw"
        raw.mkdir(parents=True)
        for source in SOURCES["fashion-mnist"]:
            packed = folder / source.file
            (raw / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
        train, test = FashionMNIST(unpacked, train=True), FashionMNIST(unpacked, train=False)
    return Images(
        train=train.data.numpy()[..., None],
        train_labels=train.targets.numpy(),
        test=test.data.numpy()[..., None],
        test_labels=test.targets.numpy(),
    )


def _check(images: Bytes, labels: Labels, wanted: int, name: str) -> None:
    if not len(images) == len(labels) == wanted:
        raise DataError("data.name", f"{name} holds {len(images)} images and {len(labels)} labels; wanted {wanted}.")
