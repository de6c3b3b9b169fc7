"""Files of data sets from their authors' servers: fetched once, verified, then read from a folder."""

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from search_engine import storage
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
_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"  # PyTorch's mirror: the authors' own site is often closed.
_KMNIST = "https://codh.rois.ac.jp/kmnist/dataset/kmnist/"
_SVHN = "http://ufldl.stanford.edu/housenumbers/"
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
    "cifar-100": (
        Source(
            "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
            "cifar-100-binary.tar.gz",
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        ),
    ),
    "mnist": (
        Source(
            _MNIST + "train-images-idx3-ubyte.gz",
            "train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        Source(
            _MNIST + "train-labels-idx1-ubyte.gz",
            "train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        Source(
            _MNIST + "t10k-images-idx3-ubyte.gz",
            "t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        Source(
            _MNIST + "t10k-labels-idx1-ubyte.gz",
            "t10k-labels-idx1-ubyte.gz",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
    "kmnist": (
        Source(
            _KMNIST + "train-images-idx3-ubyte.gz",
            "train-images-idx3-ubyte.gz",
            "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        ),
        Source(
            _KMNIST + "train-labels-idx1-ubyte.gz",
            "train-labels-idx1-ubyte.gz",
            "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        ),
        Source(
            _KMNIST + "t10k-images-idx3-ubyte.gz",
            "t10k-images-idx3-ubyte.gz",
            "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        ),
        Source(
            _KMNIST + "t10k-labels-idx1-ubyte.gz",
            "t10k-labels-idx1-ubyte.gz",
            "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
        ),
    ),
    "emnist-letters": (  # One archive with all six divisions of EMNIST; the letters are a fifth of it.
        Source(
            "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
            "gzip.zip",
            "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
        ),
    ),
    "svhn": (
        Source(
            _SVHN + "train_32x32.mat",
            "train_32x32.mat",
            "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
        ),
        Source(
            _SVHN + "test_32x32.mat",
            "test_32x32.mat",
            "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
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
        storage.rename(partial, target)
    except OSError as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # It is the server's answer as well.
        if storage.storage_sentence(error) is not None:
            raise
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
    opened = urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS)  # noqa: S310 - addresses stand in this program.
    with opened as answer, target.open("wb") as file:
        while block := answer.read1(_BLOCK):  # What is there already, so that a slow line makes progress too.
            digest.update(block)
            storage.write(file, block)
            on_block()
        storage.sync(file.fileno(), target)
    return digest.hexdigest()
