"""A bucket of S3, or of a server that speaks its language, as the store, for hosts that have no folder in common.

An object is there once it is uploaded as a whole. Programs read files by their paths: those lie in the cache of their
host. Nobody can lock a bucket, so whoever removes a file first leaves a note of it, and only then looks how old the
file is. Whoever puts one looks for such notes behind it, waits until they are gone, and puts it again if it is gone.
"""

import contextlib
import hashlib
import os
import re
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from webapp.searches.stores.host_cache import Fetch, HostCache
from webapp.searches.stores.objects import Objects
from webapp.searches.stores.store import ArtifactMissing, StoreAway, checked

# Notes beside the files: of those who remove one, and of those who read them all.
REMOVING, PASSING = "removing/", "passing/"
NOTES_LAST = {REMOVING: 30.0, PASSING: 24 * 3600.0}  # Seconds. Whoever wrote an older one died.
WAIT_SECONDS = 0.05
TRIES = 3

_FILE = re.compile(r"[0-9a-f]{2}/[0-9a-f]{62}")


class BucketStore:
    """Files among objects, and a cache of this host before them."""

    def __init__(self, objects: Objects, cache: HostCache) -> None:
        self._objects = objects
        self._cache = cache
        self._sizes: dict[str, int] = {}  # Of files that were asked for; they never change.

    def place_of(self, sha256: str) -> Path:
        return Path(checked(sha256)[:2]) / sha256[2:]

    def put(self, path: Path, sha256: str) -> None:
        name, size = self.place_of(sha256).as_posix(), path.stat().st_size
        for _ in range(TRIES):
            with path.open("rb") as file:
                self._objects.upload(name, file)
            self._wait_for(f"{REMOVING}{sha256}/")
            with contextlib.suppress(ArtifactMissing):
                if self._objects.size(name) == size:
                    self._sizes[sha256] = size
                    self._cache.take(path, sha256)
                    return
        raise StoreAway("The artifact store does not keep what it takes.")

    def path_of(self, sha256: str) -> Path:
        return self._cache.path_of(sha256, self._fetch_of(sha256))

    def opened(self, sha256: str) -> BinaryIO:
        return self._cache.opened(sha256, self._fetch_of(sha256))

    def hand_to(self, sha256: str, target: Path) -> None:
        """By a link into the cache, which leads nowhere once the file is evicted: then it is handed over anew."""
        source = self.path_of(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}-{uuid.uuid4().hex}")
        draft.symlink_to(source.absolute())
        os.replace(draft, target)

    def let_go(self) -> None:
        self._cache.let_go()

    def is_there(self, sha256: str) -> bool:
        try:
            self._objects.size(self.place_of(sha256).as_posix())
        except ArtifactMissing:
            return False
        return True

    def size(self, sha256: str) -> int:
        if sha256 not in self._sizes:
            self._sizes[sha256] = self._objects.size(self.place_of(sha256).as_posix())
        return self._sizes[sha256]

    def is_whole(self, sha256: str) -> bool:
        return self._cache.is_whole(sha256, self._fetch_of(sha256))

    def is_stored_whole(self, sha256: str) -> bool:
        digest = hashlib.sha256()
        for piece in self._objects.pieces(self.place_of(sha256).as_posix()):
            digest.update(piece)
        return digest.hexdigest() == sha256

    def _fetch_of(self, sha256: str) -> Fetch:
        name = self.place_of(sha256).as_posix()

        def fetch(file: BinaryIO) -> None:
            for piece in self._objects.pieces(name):
                file.write(piece)

        return fetch

    # --- Removing ---

    def older_than(self, seconds: float) -> Iterator[Path]:
        for name, age in self._objects.listed(""):
            if _FILE.fullmatch(name) and age > seconds:
                yield Path(name)

    def is_older(self, place: Path, seconds: float) -> bool:
        try:
            return self._objects.age(place.as_posix()) > seconds
        except ArtifactMissing:
            return False

    def remove(self, place: Path, older_than: float) -> bool:
        sha256 = place.parent.name + place.name
        note = f"{REMOVING}{sha256}/{uuid.uuid4().hex}"
        self._objects.write(note)
        try:
            if self._is_noted(PASSING) or not self.is_older(place, older_than):
                return False  # Somebody reads them all, or has just put it.
            self._objects.delete(place.as_posix())
        finally:
            self._objects.delete(note)
        self._sizes.pop(sha256, None)
        return True

    def tidy(self, older_than: float) -> None:
        for kind in NOTES_LAST:
            self._is_noted(kind)
        self._objects.drop_unfinished(older_than)

    def _is_noted(self, kind: str) -> bool:
        """Whether there is such a note. One whose writer died goes."""
        lasts, is_noted = next(lasts for each, lasts in NOTES_LAST.items() if kind.startswith(each)), False
        for name, age in self._objects.listed(kind):
            if age <= lasts:
                is_noted = True
            else:
                self._objects.delete(name)
        return is_noted

    def _wait_for(self, kind: str) -> None:
        while self._is_noted(kind):
            time.sleep(WAIT_SECONDS)

    # --- What is on its way ---

    def folder_for_passing(self) -> Path:
        folder = self._cache.folder / "passing"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def name_twice(self, folder: Path, files: list[str]) -> list[str]:
        """Nothing is copied: as long as the note is there, nobody removes anything."""
        self._objects.write(PASSING + folder.name)
        self._wait_for(REMOVING)
        there = {place.parent.name + place.name for place in self.older_than(float("-inf"))}
        for sha256 in there.intersection(files):
            (folder / sha256).touch()
        return [sha256 for sha256 in files if sha256 not in there]

    def named_twice(self, path: Path) -> BinaryIO:
        with contextlib.ExitStack() as until_read:
            file = until_read.enter_context(tempfile.TemporaryFile(dir=path.parent))
            self._fetch_of(path.name)(file)
            file.seek(0)
            until_read.pop_all()
        return file

    def end_passing(self, folder: Path) -> None:
        self._objects.delete(PASSING + folder.name)

    # --- Whether it can be used ---

    def shared_folders(self) -> list[Path]:
        return []

    def own_folders(self) -> list[Path]:
        return [self._cache.folder]

    def trouble(self, *, writes: bool) -> str | None:
        return self._objects.trouble(writes=writes)

    def is_reachable(self) -> bool:
        return self._objects.trouble(writes=False) is None
