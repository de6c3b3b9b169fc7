"""What a store of files can do, and how it says no. A file's name is the SHA-256 of its content, in two parts."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

_SHA256 = re.compile(r"[0-9a-f]{64}")


class ArtifactMissing(Exception):
    """The store has no such file."""


class ArtifactDamaged(ArtifactMissing):
    """What the store has under this name is something else."""


class StoreAway(OSError):
    """The store does not answer, or refuses: the same for whoever needs it as a disk that is full.

    The message is a sentence for the user.
    """


class Store(Protocol):
    """A file is in it as a whole, or not at all. A place is what it calls one of its files, drafts included.

    Each call but `path_of`, `opened`, `is_whole` and `hand_to` looks at the store itself. All raise StoreAway or
    OSError where it refuses, and what needs a file raises ArtifactMissing where there is none.
    """

    def place_of(self, sha256: str) -> Path: ...

    def put(self, path: Path, sha256: str) -> None:
        """Take the file, which is gone from there; over an equal one, which becomes young again."""

    def path_of(self, sha256: str) -> Path:
        """Where this host can read it. It stays there until `let_go`."""

    def opened(self, sha256: str) -> BinaryIO:
        """To be read, whatever becomes of it meanwhile."""

    def hand_to(self, sha256: str, target: Path) -> None:
        """Have it under this path as well, without a copy where that can be. It stays there until `let_go`."""

    def let_go(self) -> None:
        """This process reads no path any more that it was told."""

    def is_there(self, sha256: str) -> bool: ...

    def size(self, sha256: str) -> int: ...

    def is_whole(self, sha256: str) -> bool:
        """Whether what this host can read is what was put; reads all of it."""

    def is_stored_whole(self, sha256: str) -> bool:
        """The same of what the store itself has."""

    def older_than(self, seconds: float) -> Iterator[Path]:
        """Places of files, and of drafts, that nobody put for so long."""

    def is_older(self, place: Path, seconds: float) -> bool:
        """Whether it is there, and nobody put it for so long."""

    def remove(self, place: Path, older_than: float) -> bool:
        """Remove it unless it was put within so many seconds, this moment included; whether it was removed."""

    def folder_for_passing(self) -> Path:
        """Where this host has folders of files that are on their way."""

    def end_passing(self, folder: Path) -> None:
        """What `name_twice` named there is needed no longer."""

    def tidy(self, older_than: float) -> None:
        """Remove what was begun so many seconds ago, never ended, and is no place."""

    def name_twice(self, folder: Path, files: list[str]) -> list[str]:
        """Name each of these files in a passing folder as well, under which it can be read by `named_twice` as long as
        the folder is there; those that the store has not."""

    def named_twice(self, path: Path) -> BinaryIO:
        """The content of such a file. Raises ArtifactMissing."""

    def shared_folders(self) -> list[Path]:
        """Folders of the store that all hosts have in common, whose disk must take files."""

    def own_folders(self) -> list[Path]:
        """Folders of this host alone, of which the same is true for whoever puts files from here."""

    def trouble(self, *, writes: bool) -> str | None:
        """Why nothing can be put, a sentence, where that is not told by a folder. writes: a small file is tried."""

    def is_reachable(self) -> bool:
        """Whether it can be used, as far as can be told without writing."""


def checked(sha256: str) -> str:
    """Nothing else names a file. Raises ArtifactMissing."""
    if not _SHA256.fullmatch(sha256):
        raise ArtifactMissing(f"{sha256!r} is no SHA-256: it has 64 digits from 0 to f")
    return sha256


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
