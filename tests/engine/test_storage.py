import errno
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from search_engine import checkpoints, storage

REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)


def refuse(code: int, number: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the n-th call fail, from 0; the calls that were made."""
    calls: list[str] = []

    def before(call: str, path: Path) -> None:
        calls.append(call)
        if len(calls) == number + 1:
            raise OSError(code, "refused", str(path))

    monkeypatch.setattr(storage, "before", before)
    return calls


@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.parametrize("number", range(4))
def test_whichever_call_fails_the_file_is_whole_and_nothing_is_left_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, number: int
) -> None:
    path = tmp_path / "kept"
    checkpoints.atomic_write(path, b"old")
    calls = refuse(code, number, monkeypatch)
    with pytest.raises(OSError) as raised:
        checkpoints.atomic_write(path, b"new")
    assert storage.storage_sentence(raised.value) is not None
    assert calls == ["write", "fsync", "rename", "fsync"][: number + 1]
    assert path.read_bytes() == (b"new" if number == 3 else b"old")  # Behind the rename the new one is there.
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_wrong_with_a_disk_is_found_behind_other_errors_too() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    wrapped = RuntimeError("could not write")
    wrapped.__cause__ = full
    assert storage.storage_sentence(wrapped) == storage.storage_sentence(full) == "The disk is full."
    assert storage.storage_sentence(FileNotFoundError(errno.ENOENT, "no such file")) is None
    assert storage.storage_sentence(RuntimeError("No space left on device")) is None


def test_a_real_limit_on_the_size_of_files_is_met_the_same_way(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from search_engine import checkpoints, storage
path = Path(sys.argv[1])
checkpoints.atomic_write(path, b"o" * 1000)
try:
    checkpoints.atomic_write(path, b"n" * 100_000)
except OSError as error:
    print(storage.storage_sentence(error))
print(path.read_bytes() == b"o" * 1000, [each.name for each in path.parent.iterdir()])
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "kept"], capture_output=True, text=True, check=True, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )  # fmt: skip
    assert done.stdout.splitlines() == ["A file would be larger than the system allows.", "True ['kept']"]
