"""Files of data sets from their authors' servers: fetched once, verified, then read from a folder."""

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from search_engine.data.descriptions import EMBEDDED
from search_engine.errors import DataError

_BLOCK = 1 << 20
_TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a data set: where it is, what it is called here, and the SHA-256 that it must have."""

    url: str
    file: str
    sha256: str


_FASHION_MNIST = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
SOURCES = {  # The order of files is that of the digests in descriptions.DatasetDescription.sha256.
    "fashion-mnist": (
        Source(
            _FASHION_MNIST + "train-images-idx3-ubyte.gz",
            "train-images-idx3-ubyte.gz",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        Source(
            _FASHION_MNIST + "train-labels-idx1-ubyte.gz",
            "train-labels-idx1-ubyte.gz",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        Source(
            _FASHION_MNIST + "t10k-images-idx3-ubyte.gz",
            "t10k-images-idx3-ubyte.gz",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        Source(
            _FASHION_MNIST + "t10k-labels-idx1-ubyte.gz",
            "t10k-labels-idx1-ubyte.gz",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
    "cifar-10": (
        Source(
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            "cifar-10-binary.tar.gz",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
    ),
}


def nobody() -> None:
    """Whom to tell of progress where nobody wants to know."""


def fetch(sources: tuple[Source, ...], folder: Path, on_block: Callable[[], None] = nobody) -> None:
    """Put every file into the folder, unless it is there already, whoever put it there.

    on_block: called whenever a part of a file has arrived, so that a slow line is not taken for a process that hangs.
    Every file's checksum is verified each time. Raises DataError where a file cannot be had or is not what it should
    be; another data set is never taken in its place.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        target = folder / source.file
        if target.exists():
            _verify(source, _digest_of(target), f"{target}")
        else:
            _fetch_one(source, target, on_block)


def _fetch_one(source: Source, target: Path, on_block: Callable[[], None]) -> None:
    # The process id keeps two workers on one folder apart; the last rename wins, with equal content.
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        _verify(source, _copy(source.url, partial, on_block), f"{source.file} from {source.url}")
        os.replace(partial, target)
    except OSError as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # It is the server's answer as well.
        raise DataError(
            "data.name",
            f"{source.file} could not be downloaded from {source.url} ({error}); choose "
            f'"{EMBEDDED}", which comes with the program, or put the file into {target.parent}.',
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _verify(source: Source, digest: str, what: str) -> None:
    if digest != source.sha256:
        raise DataError(
            "data.name",
            f"{what} is damaged or was changed: its SHA-256 is {digest}, wanted {source.sha256}. "
            f'"{EMBEDDED}" comes with the program and needs no download.',
        )


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(url: str, target: Path, on_block: Callable[[], None]) -> str:
    """Write what is at the address into a file that is safe on disk afterwards; returns its SHA-256."""
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer, target.open("wb") as file:
        while block := answer.read1(_BLOCK):  # What is there already, so that a slow line makes progress too.
            digest.update(block)
            file.write(block)
            on_block()
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()
