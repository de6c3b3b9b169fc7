"""What a host has read of a distant store: whole files by their SHA-256, of a limited size together.

What was read longest ago goes first, and never what somebody reads: whoever reads a file holds a lock of it, which the
kernel releases when that process ends, however it does. Any number of processes of the host may share the folder.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from search_engine import storage
from webapp.searches.stores.store import ArtifactDamaged, digest_of

ABANDONED_SECONDS = 3600.0  # A draft that grew no more for so long belongs to nobody.

Fetch = Callable[[BinaryIO], None]  # Writes the content; raises ArtifactMissing, StoreAway.


class HostCache:
    """Everything below `folder`, of so many bytes at most beside what is in use."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self._most = most_bytes
        self._held: dict[str, int] = {}  # What this process may read by its path: descriptors, which keep the lock.
        self._guard = threading.Lock()

    def opened(self, sha256: str, fetch: Fetch) -> BinaryIO:
        """The file, here or fetched; it stays until it is closed. Raises what `fetch` raises, and ArtifactDamaged."""
        while True:
            file = self._used(sha256)
            if file is not None:
                return file
            self._bring(sha256, fetch)

    def path_of(self, sha256: str, fetch: Fetch) -> Path:
        """Where it lies; it stays there until `let_go`."""
        with self.opened(sha256, fetch) as file, self._guard:
            if sha256 not in self._held:
                self._held[sha256] = os.dup(file.fileno())
        return self._place(sha256)

    def let_go(self) -> None:
        with self._guard:
            held, self._held = self._held, {}
        for descriptor in held.values():
            os.close(descriptor)

    def size(self, sha256: str) -> int | None:
        """Bytes of a file that is here."""
        with contextlib.suppress(FileNotFoundError):
            return self._place(sha256).stat().st_size
        return None

    def is_whole(self, sha256: str, fetch: Fetch) -> bool:
        """Whether it can be read here. A copy that got damaged is fetched again. Raises what `fetch` raises."""
        for _ in range(2):
            try:
                with self.opened(sha256, fetch) as file:
                    if hashlib.file_digest(file, "sha256").hexdigest() == sha256:
                        return True
            except ArtifactDamaged:
                return False
            self._place(sha256).unlink(missing_ok=True)
        return False

    def take(self, path: Path, sha256: str) -> None:
        """Have a file, which is gone from there, that was just put into the store: who goes on is mostly its host."""
        place = self._place(sha256)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="draft-", dir=place.parent) as folder:
                draft = Path(folder) / "file"
                shutil.move(path, draft)
                with draft.open("rb") as file:
                    storage.sync(file.fileno(), draft)
                os.utime(draft)
                os.replace(draft, place)
        except OSError:  # The store has it, so nothing is lost.
            path.unlink(missing_ok=True)
        self.make_room()

    def make_room(self, most: int | None = None) -> bool:
        """Remove what was read longest ago, until no more than this is left; whether anything went."""
        most, has_removed = self._most if most is None else most, False
        with self._alone("evicting", waits=False) as is_alone:
            if not is_alone:
                return False  # Somebody is at it.
            self._remove_abandoned()
            files = sorted(self._files())
            left = sum(size for _, size, _ in files)
            for _, size, place in files:
                if left <= most:
                    break
                if _remove_unused(place):
                    left, has_removed = left - size, True
        return has_removed

    def _place(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256[2:]

    def _used(self, sha256: str) -> BinaryIO | None:
        """The file, open and locked, and noted as read just now; None where it is not here."""
        place = self._place(sha256)
        try:
            file = place.open("rb")
        except FileNotFoundError:
            return None
        fcntl.flock(file, fcntl.LOCK_SH)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), place.stat()):
                os.utime(file.fileno())
                return file
        file.close()  # It was removed before we had the lock.
        return None

    def _bring(self, sha256: str, fetch: Fetch) -> None:
        """Have it here. Of several processes that want it one fetches it, and the others wait."""
        with self._alone(sha256[:2], waits=True):
            if self._place(sha256).exists():
                return
            try:
                self._fetch(sha256, fetch)
            except OSError as error:
                if error.errno != errno.ENOSPC or not self.make_room(0):
                    raise
                self._fetch(sha256, fetch)  # There is room now.

    def _fetch(self, sha256: str, fetch: Fetch) -> None:
        place = self._place(sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="draft-", dir=place.parent) as folder:
            draft = Path(folder) / "file"
            with draft.open("wb") as file:
                storage.before("write", draft)
                fetch(file)
                file.flush()
                storage.sync(file.fileno(), draft)
            if digest_of(draft) != sha256:
                raise ArtifactDamaged(f"the file {sha256} in the store is damaged")
            used = draft.open("rb")
            with used:
                fcntl.flock(used, fcntl.LOCK_SH)  # Nobody removes it before its reader has come.
                os.replace(draft, place)
                self.make_room()

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """When it was read last, its bytes, and where it lies."""
        for place in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            with contextlib.suppress(FileNotFoundError):
                found = place.stat()
                if len(place.name) == 62:
                    yield found.st_mtime, found.st_size, place

    def _remove_abandoned(self) -> None:
        for folder in self.folder.glob("[0-9a-f][0-9a-f]/draft-*"):
            with contextlib.suppress(OSError):
                newest = max(each.stat().st_mtime for each in (folder, *folder.iterdir()))
                if newest < time.time() - ABANDONED_SECONDS:
                    shutil.rmtree(folder)

    @contextlib.contextmanager
    def _alone(self, what: str, *, waits: bool) -> Iterator[bool]:
        """Inside, no other process of this host does this; False where another does, and we do not wait for it."""
        locks = self.folder / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with (locks / what).open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
            else:
                yield True


def _remove_unused(place: Path) -> bool:
    with contextlib.suppress(FileNotFoundError), place.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        place.unlink()
        return True
    return False
