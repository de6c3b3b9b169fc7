"""What a host keeps of a distant store: of a limited size, never without what is in use, whole, for many processes."""

import errno
import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from search_engine import storage
from webapp.searches.stores.host_cache import HostCache
from webapp.searches.stores.store import ArtifactDamaged, ArtifactMissing

# Reads the file that it is told of and stays until it is killed.
READER = """
import sys, time
from pathlib import Path
from webapp.searches.stores.host_cache import HostCache
cache = HostCache(Path(sys.argv[1]), 0)
cache.path_of(sys.argv[2], None)
print("read", flush=True)
time.sleep(60)
"""


def name_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Far:
    """A store that is far away. fetched: what was asked for, in order."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.fetched: list[str] = []

    def has(self, content: bytes) -> str:
        self.files[name_of(content)] = content
        return name_of(content)

    def fetch_of(self, sha256: str):
        def fetch(file: BinaryIO) -> None:
            self.fetched.append(sha256)
            if sha256 not in self.files:
                raise ArtifactMissing(sha256)
            file.write(self.files[sha256])

        return fetch


@pytest.fixture
def far() -> Far:
    return Far()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def read(cache: HostCache, far: Far, sha256: str, at: float | None = None) -> bytes:
    """As a web process does. at: when it was, by the clock of files."""
    with cache.opened(sha256, far.fetch_of(sha256)) as file:
        content = file.read()
    if at is not None:
        os.utime(cache.folder / sha256[:2] / sha256[2:], (at, at))
    return content


def files_in(folder: Path) -> set[str]:
    return {path.parent.name + path.name for path in folder.glob("??/*")}


def test_a_file_is_fetched_once(folder: Path, far: Far) -> None:
    sha256, cache = far.has(b"weights"), HostCache(folder, 1000)
    for _ in range(3):
        assert read(cache, far, sha256) == b"weights"
    assert cache.path_of(sha256, far.fetch_of(sha256)).read_bytes() == b"weights"
    assert cache.is_whole(sha256, far.fetch_of(sha256)) and cache.size(sha256) == 7
    assert far.fetched == [sha256]
    cache.let_go()


def test_what_was_read_longest_ago_goes_first(folder: Path, far: Far) -> None:
    cache = HostCache(folder, 250)
    first, second, third = (far.has(bytes([each]) * 100) for each in range(3))
    read(cache, far, first, at=1000.0)
    read(cache, far, second, at=2000.0)
    read(cache, far, first, at=3000.0)  # Again: now the second is the oldest.
    read(cache, far, third)
    assert files_in(folder) == {first, third}
    assert read(cache, far, second) == bytes([1]) * 100


def test_what_this_process_reads_stays_until_it_lets_go_however_small_the_cache_is(folder: Path, far: Far) -> None:
    cache = HostCache(folder, 10)
    held = [far.has(bytes([each]) * 100) for each in range(3)]
    paths = [cache.path_of(sha256, far.fetch_of(sha256)) for sha256 in held for _ in range(2)]
    HostCache(folder, 10).make_room()  # Another process.
    assert all(path.is_file() for path in paths) and far.fetched == held
    cache.let_go()
    read(cache, far, far.has(b"small"))
    assert not any(path.is_file() for path in paths)


def test_an_open_file_can_be_read_to_its_end_and_is_not_removed_before(folder: Path, far: Far) -> None:
    cache, sha256 = HostCache(folder, 0), far.has(b"weights")
    with cache.opened(sha256, far.fetch_of(sha256)) as file:
        assert not cache.make_room()
        assert file.read() == b"weights"
    assert cache.make_room() and files_in(folder) == set()


@pytest.fixture
def reader(folder: Path, far: Far) -> Iterator["subprocess.Popen[str]"]:
    """Another process that reads a file of ours."""
    sha256 = far.has(b"weights")
    read(HostCache(folder, 1000), far, sha256)
    process = subprocess.Popen(
        [sys.executable, "-c", READER, str(folder), sha256], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "read\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_what_another_process_reads_stays_and_goes_once_it_was_killed(
    reader: "subprocess.Popen[str]", folder: Path
) -> None:
    cache = HostCache(folder, 0)
    assert not cache.make_room() and len(files_in(folder)) == 1
    reader.kill()
    reader.wait()
    assert cache.make_room() and files_in(folder) == set()


def test_of_many_that_want_a_file_one_fetches_it(folder: Path, far: Far) -> None:
    sha256 = far.has(b"weights" * 1000)
    found: list[bytes] = []

    def fetch(file: BinaryIO) -> None:
        time.sleep(0.05)
        far.fetch_of(sha256)(file)

    def want() -> None:
        with HostCache(folder, 10**6).opened(sha256, fetch) as file:
            found.append(file.read())

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [b"weights" * 1000] * 8 and far.fetched == [sha256]


def test_many_readers_and_a_cache_that_holds_nothing_get_whole_files(folder: Path, far: Far) -> None:
    """Each file is evicted as soon as nobody reads it, while others are about to."""
    wanted = [far.has(bytes([each]) * 5000) for each in range(4)]
    wrong: list[str] = []

    def want(turn: int) -> None:
        cache = HostCache(folder, 0)
        for each in range(40):
            sha256 = wanted[(each * turn) % 4]
            if name_of(read(cache, far, sha256)) != sha256:
                wrong.append(sha256)
            cache.make_room()

    threads = [threading.Thread(target=want, args=(turn,)) for turn in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [] and len(far.fetched) > 4


def test_what_is_not_there_or_is_something_else_leaves_nothing(folder: Path, far: Far) -> None:
    cache, sha256 = HostCache(folder, 1000), far.has(b"weights")
    far.files[sha256] = b"weight"
    with pytest.raises(ArtifactDamaged):
        read(cache, far, sha256)
    assert not cache.is_whole(sha256, far.fetch_of(sha256))
    with pytest.raises(ArtifactMissing):
        read(cache, far, "a" * 64)
    assert files_in(folder) == set()


def test_a_copy_that_got_damaged_is_fetched_again(folder: Path, far: Far) -> None:
    cache, sha256 = HostCache(folder, 1000), far.has(b"weights")
    cache.path_of(sha256, far.fetch_of(sha256)).write_bytes(b"weightz")
    assert cache.is_whole(sha256, far.fetch_of(sha256))
    assert read(cache, far, sha256) == b"weights" and far.fetched == [sha256] * 2
    cache.let_go()


def test_a_full_disk_costs_what_nobody_reads_before_it_is_an_error(
    folder: Path, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, old, new = HostCache(folder, 1000), far.has(b"old"), far.has(b"new")
    read(cache, far, old)

    def refuse(call: str, path: Path) -> None:
        if old in files_in(folder):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(storage, "before", refuse)
    assert read(cache, far, new) == b"new"
    assert files_in(folder) == {new}
    with cache.opened(new, far.fetch_of(new)), pytest.raises(OSError, match="No space left"):
        monkeypatch.setattr(storage, "before", lambda call, path: refuse(call, path) or _full())
        read(cache, far, old)


def _full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_draft_that_nobody_finished_goes_after_an_hour(folder: Path, far: Far) -> None:
    cache = HostCache(folder, 1000)
    for name, age in (("draft-old", 7200.0), ("draft-young", 60.0)):
        draft = folder / "ab" / name / "file"
        draft.parent.mkdir(parents=True)
        draft.touch()
        for path in (draft, draft.parent):
            os.utime(path, (time.time() - age,) * 2)
    cache.make_room()
    assert [path.name for path in (folder / "ab").iterdir()] == ["draft-young"]


def test_a_file_that_was_just_put_is_kept_from_there(folder: Path, far: Far, tmp_path: Path) -> None:
    cache, made = HostCache(folder, 1000), tmp_path / "made"
    made.write_bytes(b"weights")
    cache.take(made, name_of(b"weights"))
    assert not made.exists() and cache.size(name_of(b"weights")) == 7 and cache.size("a" * 64) is None
    assert read(cache, far, name_of(b"weights")) == b"weights" and far.fetched == []
