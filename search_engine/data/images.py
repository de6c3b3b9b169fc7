"""The images of a data set as arrays. Letters: N images, H height, W width, C channels."""

import gzip
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search_engine.data.descriptions import EMBEDDED, describe
from search_engine.data.downloads import SOURCES, fetch, nobody
from search_engine.errors import DataError

Bytes = NDArray[np.uint8]
Labels = NDArray[np.int64]

_EMBEDDED_FILE = Path(__file__).parent / "embedded" / "fashion_mnist_10k.npz"
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
    images = _READERS[name](folder / name)
    _check(images.train, images.train_labels, description.train_examples, name)
    _check(images.test, images.test_labels, description.test_examples, name)
    return images


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


def _read_embedded(folder: Path) -> Images:
    with np.load(_EMBEDDED_FILE, allow_pickle=False) as arrays:
        return Images(
            train=arrays["x_train"][..., None],
            train_labels=arrays["y_train"].astype(np.int64),
            test=arrays["x_test"][..., None],
            test_labels=arrays["y_test"].astype(np.int64),
        )


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


def _read_cifar_10(folder: Path) -> Images:
    """The authors' binary archive: records of one label byte and 3 x 32 x 32 colour planes. No pickle is read."""
    with tarfile.open(folder / "cifar-10-binary.tar.gz") as archive:
        train = np.concatenate([_read_batch(archive, f"data_batch_{number}.bin") for number in range(1, 6)])
        test = _read_batch(archive, "test_batch.bin")
    return Images(*_pixels_and_labels(train), *_pixels_and_labels(test))


def _read_cifar_100(folder: Path) -> Images:
    """The authors' binary archive: two label bytes a record, for one of 20 groups, which is left out, and the class."""
    with tarfile.open(folder / "cifar-100-binary.tar.gz") as archive:
        train, test = (
            _records(archive, f"cifar-100-binary/{part}.bin", 2 + 3 * 32 * 32)[:, 1:] for part in ("train", "test")
        )
    return Images(*_pixels_and_labels(train), *_pixels_and_labels(test))


def _read_batch(archive: tarfile.TarFile, name: str) -> Bytes:
    return _records(archive, f"cifar-10-batches-bin/{name}", 1 + 3 * 32 * 32)


def _records(archive: tarfile.TarFile, name: str, size: int) -> Bytes:
    content = archive.extractfile(name)
    assert content is not None
    return np.frombuffer(content.read(), np.uint8).reshape(-1, size)


def _read_idx(folder: Path) -> Images:
    """Four packed files of the format that came with MNIST, named as there."""
    parts = [(f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz") for part in ("train", "t10k")]
    (train, train_labels), (test, test_labels) = (
        (_unpacked_idx(folder / images), _unpacked_idx(folder / labels)) for images, labels in parts
    )
    return Images(
        train=train[..., None],
        train_labels=train_labels.astype(np.int64),
        test=test[..., None],
        test_labels=test_labels.astype(np.int64),
    )


def _unpacked_idx(path: Path) -> Bytes:
    """Bytes of any shape: 0, 0, 8 for whole bytes, the number of axes, their sizes with four bytes each, the values."""
    content = gzip.decompress(path.read_bytes())
    axes = content[3]
    sizes = np.frombuffer(content, ">u4", axes, offset=4)
    if content[:3] != b"\0\0\10" or len(content) != 4 + 4 * axes + int(np.prod(sizes, dtype=np.int64)):
        raise DataError("data.name", f"{path.name} is no file of bytes in the format of MNIST.")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(sizes)


def _pixels_and_labels(records: Bytes) -> tuple[Bytes, Labels]:
    planes = records[:, 1:].reshape(-1, 3, 32, 32)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), records[:, 0].astype(np.int64)


def _check(images: Bytes, labels: Labels, wanted: int, name: str) -> None:
    if not len(images) == len(labels) == wanted:
        raise DataError("data.name", f"{name} holds {len(images)} images and {len(labels)} labels; wanted {wanted}.")


_READERS: dict[str, Callable[[Path], Images]] = {
    EMBEDDED: _read_embedded,
    "fashion-mnist": _read_fashion_mnist,
    "cifar-10": _read_cifar_10,
    "cifar-100": _read_cifar_100,
    "mnist": _read_idx,
    "kmnist": _read_idx,
}
