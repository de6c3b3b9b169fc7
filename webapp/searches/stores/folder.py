"""A folder as the store: of one machine, or one that all machines have mounted.

A file is whole on the disk before anybody can name it: temporary name, fsync, rename, fsync of the folder.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from search_engine import storage
from webapp.searches.stores.store import ArtifactMissing, checked, digest_of


class FolderStore:
    """Everything below `root`. now: what time it is, as files have it."""

    def __init__(self, root: Path, now: Callable[[], float]) -> None:
        self._root = root
        self._now = now

    def place_of(self, sha256: str) -> Path:
        return self._root / checked(sha256)[:2] / sha256[2:]

    def put(self, path: Path, sha256: str) -> None:
        target = self.place_of(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = _draft_of(path, target.parent)
        try:
            with self._only_one():
                storage.rename(draft, target)  # Over an equal file at most, which becomes young again.
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        for folder in (target.parent, self._root):
            storage.sync_folder(folder)

    def path_of(self, sha256: str) -> Path:
        path = self.place_of(sha256)
        if not path.is_file():
            raise ArtifactMissing(f"the store has no file {sha256}")
        return path

    def opened(self, sha256: str) -> BinaryIO:
        return self.path_of(sha256).open("rb")

    def hand_to(self, sha256: str, target: Path) -> None:
        """A second name where that is on the same file system, else a copy; it stays whatever the store does."""
        source = self.path_of(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".draft-", dir=target.parent) as folder:
            draft = Path(folder) / target.name
            try:
                os.link(source, draft)
            except OSError:  # Another file system, or one without such names.
                shutil.copyfile(source, draft)
            os.replace(draft, target)  # Two processes may do it at once, with equal content.

    def let_go(self) -> None:
        """Files go when nobody names them, whoever reads them."""

    def is_there(self, sha256: str) -> bool:
        return self.place_of(sha256).is_file()

    def size(self, sha256: str) -> int:
        return self.path_of(sha256).stat().st_size

    def is_whole(self, sha256: str) -> bool:
        return digest_of(self.path_of(sha256)) == sha256

    is_stored_whole = is_whole

    def older_than(self, seconds: float) -> Iterator[Path]:
        return (place for place in sorted(self._root.glob("??/*")) if self.is_older(place, seconds))

    def is_older(self, place: Path, seconds: float) -> bool:
        return place.exists() and place.stat().st_mtime < self._now() - seconds

    def remove(self, place: Path, older_than: float) -> bool:
        with self._only_one():
            if not self.is_older(place, older_than):  # Somebody has put it again, or removed it.
                return False
            place.unlink()
            return True

    def folder_for_passing(self) -> Path:
        self._root.mkdir(parents=True, exist_ok=True)
        return self._root

    def tidy(self, older_than: float) -> None:
        """Drafts have places."""

    def end_passing(self, folder: Path) -> None:
        """It goes with what is in it."""

    def name_twice(self, folder: Path, files: list[str]) -> list[str]:
        missing = []
        for sha256 in files:
            try:
                os.link(self.place_of(sha256), folder / sha256)
            except FileNotFoundError:
                missing.append(sha256)
        return missing

    def named_twice(self, path: Path) -> BinaryIO:
        return path.open("rb")

    def shared_folders(self) -> list[Path]:
        return [self._root]

    def own_folders(self) -> list[Path]:
        return []

    def trouble(self, *, writes: bool) -> str | None:
        return None  # Its folder tells.

    def is_reachable(self) -> bool:
        """As far as rights tell; the folder itself is made with its first file."""
        there = next(each for each in (self._root, *self._root.parents) if each.exists())
        return there.is_dir() and os.access(there, os.W_OK | os.X_OK)

    @contextlib.contextmanager
    def _only_one(self) -> Iterator[None]:
        """Keeps whoever removes a file from doing so at the moment in which it is put again."""
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / "lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _draft_of(path: Path, folder: Path) -> Path:
    """The file under a temporary name in this folder, written through to the disk, young; the given one is gone."""
    descriptor, draft = tempfile.mkstemp(prefix="draft-", dir=folder)
    os.close(descriptor)
    try:
        storage.before("write", Path(draft))
        shutil.move(path, draft)  # A rename on one file system, else a copy.
        with open(draft, "rb") as file:
            storage.sync(file.fileno(), Path(draft))
        os.utime(draft)
    except OSError:  # A full disk must not be filled further by what nobody needs.
        os.unlink(draft)
        raise
    return Path(draft)
