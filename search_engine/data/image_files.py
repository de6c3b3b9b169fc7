"""The files of known data sets, as their authors wrote them: one part of a set, or only its first images. No PyTorch.

Letters: N images, H height, W width, C channels.
"""

import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Literal

import numpy as np
from numpy.typing import NDArray

from search_engine.data.descriptions import EMBEDDED
from search_engine.data.matlab_file import matlab_array
from search_engine.errors import DataError

Bytes = NDArray[np.uint8]
Labels = NDArray[np.int64]
PartName = Literal["train", "test"]
Pictures = tuple[Bytes, Labels]  # [N, H, W, C] and [N], indices into the description's classes.

EMBEDDED_FILE = Path(__file__).parent / "embedded" / "fashion_mnist_10k.npz"
_CIFAR_BYTES = 3 * 32 * 32  # Of one image: three planes of 32 x 32.


def read_part(name: str, folder: Path, part: PartName, first: int | None = None) -> Pictures:
    """One official part of a known data set whose files lie in `folder`; first: only so many images.

    Of a few first images only the front of a file is read. Raises DataError where files are missing or damaged.
    """
    try:
        return _READERS[name](folder, part, first)
    except (OSError, EOFError, ValueError, KeyError, zlib.error, tarfile.TarError, zipfile.BadZipFile) as error:
        raise DataError("data.name", f"the files of {name} in {folder} are missing or damaged.") from error


def _read_embedded(folder: Path, part: PartName, first: int | None) -> Pictures:
    with np.load(EMBEDDED_FILE, allow_pickle=False) as arrays:
        return arrays[f"x_{part}"][:first, ..., None], arrays[f"y_{part}"][:first].astype(np.int64)


def _read_idx(folder: Path, part: PartName, first: int | None) -> Pictures:
    """Packed files of the format that came with MNIST, named as there."""
    prefix = "train" if part == "train" else "t10k"
    pixels, labels = (
        unpacked_idx(path, path.name, first)
        for path in (folder / f"{prefix}-images-idx3-ubyte.gz", folder / f"{prefix}-labels-idx1-ubyte.gz")
    )
    return pixels[..., None], labels.astype(np.int64)


def _read_emnist_letters(folder: Path, part: PartName, first: int | None) -> Pictures:
    """Files of the format of MNIST within an archive; their images lie on their side, their labels begin with 1."""
    with zipfile.ZipFile(folder / "gzip.zip") as archive:
        names = (f"gzip/emnist-letters-{part}-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1"))
        files = [(archive.open(name), name) for name in names]
        pixels, labels = (unpacked_idx(file, name, first) for file, name in files)
    return np.ascontiguousarray(pixels.transpose(0, 2, 1))[..., None], labels.astype(np.int64) - 1


def unpacked_idx(file: Path | IO[bytes], name: str, first: int | None = None) -> Bytes:
    """Bytes of any shape: 0, 0, 8 for whole bytes, the number of axes, their sizes with four bytes each, the values."""
    with gzip.open(file) as content:
        start = content.read(4)
        sizes = [int(size) for size in np.frombuffer(content.read(4 * start[3]), ">u4")]
        counted = sizes if first is None else [min(first, sizes[0]), *sizes[1:]]
        wanted = int(np.prod(counted, dtype=np.int64))
        values = content.read(wanted + 1)
    is_whole = len(values) == wanted or (counted != sizes and len(values) > wanted)
    if start[:3] != b"\0\0\10" or not is_whole:
        raise DataError("data.name", f"{name} is no file of bytes in the format of MNIST.")
    return np.frombuffer(values, np.uint8, wanted).reshape(counted)


def _read_cifar_10(folder: Path, part: PartName, first: int | None) -> Pictures:
    """The authors' binary archive: records of one label byte and an image. No pickle is read."""
    names = [f"data_batch_{number}.bin" for number in range(1, 6)] if part == "train" else ["test_batch.bin"]
    wanted = [f"cifar-10-batches-bin/{name}" for name in (names if first is None else names[:1])]
    records = _records(folder / "cifar-10-binary.tar.gz", wanted, 1 + _CIFAR_BYTES, first)
    return _planes(records[:, 1:]), records[:, 0].astype(np.int64)


def _read_cifar_100(folder: Path, part: PartName, first: int | None) -> Pictures:
    """The authors' binary archive: two label bytes a record, for one of 20 groups, which is left out, and the class."""
    wanted = [f"cifar-100-binary/{part}.bin"]
    records = _records(folder / "cifar-100-binary.tar.gz", wanted, 2 + _CIFAR_BYTES, first)
    return _planes(records[:, 2:]), records[:, 1].astype(np.int64)


def _records(path: Path, names: list[str], size: int, first: int | None) -> Bytes:
    """[N, size], in the order of names."""
    found: dict[str, bytes] = {}
    with tarfile.open(path, "r|gz") as archive:  # From front to back, so that nothing is unpacked twice.
        for member in archive:
            content = archive.extractfile(member) if member.name in names else None
            if content is not None:
                found[member.name] = content.read(-1 if first is None else first * size)
            if len(found) == len(names):
                break
    return np.frombuffer(b"".join(found[name] for name in names), np.uint8).reshape(-1, size)


def _planes(pixels: Bytes) -> Bytes:
    return np.ascontiguousarray(pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


def _read_svhn(folder: Path, part: PartName, first: int | None) -> Pictures:
    """Files of MATLAB with arrays X [H, W, C, N] and y [N, 1], in which 10 stands for the digit 0."""
    path = folder / f"{part}_32x32.mat"
    axes, pixels = matlab_array(path, "X", None if first is None else first * _CIFAR_BYTES)
    if axes[:3] != (32, 32, 3) or pixels.dtype != np.uint8:
        raise DataError("data.name", f"{path.name} holds no colour images of 32 pixels.")
    _, labels = matlab_array(path, "y", first)
    images = pixels.reshape(-1, 3, 32, 32).transpose(0, 3, 2, 1)  # MATLAB counts the first axis fastest.
    return np.ascontiguousarray(images), labels.astype(np.int64) % 10


_READERS: dict[str, Callable[[Path, PartName, int | None], Pictures]] = {
    EMBEDDED: _read_embedded,
    "fashion-mnist": _read_idx,
    "cifar-10": _read_cifar_10,
    "cifar-100": _read_cifar_100,
    "mnist": _read_idx,
    "kmnist": _read_idx,
    "emnist-letters": _read_emnist_letters,
    "svhn": _read_svhn,
}
