import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search_engine import checkpoints
from search_engine.errors import CheckpointError

TENSORS = {
    "weights": torch.arange(12, dtype=torch.float32).reshape(3, 4) / 7,
    "count": torch.tensor(5),
    "empty": torch.zeros(0, 2),
}
METADATA = {"step": 3, "name": "ä", "rewards": [0.1, None]}


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    checkpoints.save(tmp_path / "state", TENSORS, METADATA)
    tensors, metadata = checkpoints.load(tmp_path / "state")
    assert metadata == METADATA
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert torch.equal(tensors[name], tensor) and tensors[name].dtype == tensor.dtype


def test_equal_content_makes_equal_bytes_whatever_the_order_of_names() -> None:
    backwards = dict(reversed(TENSORS.items()))
    assert checkpoints.encode(TENSORS, METADATA) == checkpoints.encode(backwards, dict(reversed(METADATA.items())))


def test_saving_leaves_no_other_file_behind(tmp_path: Path) -> None:
    checkpoints.save(tmp_path / "state", TENSORS, METADATA)
    checkpoints.save(tmp_path / "state", TENSORS, {"step": 4})
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    assert checkpoints.load(tmp_path / "state")[1] == {"step": 4}


def test_a_failed_save_keeps_the_old_file_and_cleans_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints.save(tmp_path / "state", TENSORS, METADATA)

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        checkpoints.save(tmp_path / "state", TENSORS, {"step": 4})
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    assert checkpoints.load(tmp_path / "state")[1] == METADATA


def test_a_folder_that_is_not_there_is_told_by_the_name_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "state"
    with pytest.raises(FileNotFoundError) as told:
        checkpoints.atomic_write(path, b"")
    assert told.value.filename == str(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_byte_is_never_read_as_something_else(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(checkpoints.encode(TENSORS, METADATA))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    (tmp_path / "state").write_bytes(content)
    try:
        tensors, metadata = checkpoints.load(tmp_path / "state")
    except CheckpointError:
        return
    # Padding and white space carry nothing: what is read then is still exactly what was saved.
    assert checkpoints.digest(tensors, metadata) == checkpoints.digest(TENSORS, METADATA)


def test_every_flipped_byte_of_the_tensors_is_noticed(tmp_path: Path) -> None:
    content = checkpoints.encode(TENSORS, METADATA)
    start = 8 + int.from_bytes(content[:8], "little")
    assert len(content) > start
    for place in range(start, len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1
        (tmp_path / "state").write_bytes(damaged)
        with pytest.raises(CheckpointError, match="damaged"):
            checkpoints.load(tmp_path / "state")


def test_a_truncated_file_is_refused_at_every_length(tmp_path: Path) -> None:
    content = checkpoints.encode(TENSORS, METADATA)
    for length in range(0, len(content), 7):
        (tmp_path / "state").write_bytes(content[:length])
        with pytest.raises(CheckpointError, match="damaged"):
            checkpoints.load(tmp_path / "state")


def test_foreign_and_missing_files_are_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "foreign").write_bytes(b'{"kind": "cells"}')
    with pytest.raises(CheckpointError, match="not a file of this program"):
        checkpoints.load(tmp_path / "foreign")
    with pytest.raises(CheckpointError, match="cannot be read: No such file"):
        checkpoints.load(tmp_path / "missing")


def test_numbers_that_json_does_not_know_are_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        checkpoints.save(tmp_path / "state", {}, {"loss": float("nan")})


def test_the_digest_sees_names_types_shapes_bytes_and_state() -> None:
    base = {"a": torch.zeros(2, 2)}
    others = [
        ({"b": torch.zeros(2, 2)}, {}),
        ({"a": torch.zeros(4)}, {}),
        ({"a": torch.zeros(2, 2, dtype=torch.int32)}, {}),
        ({"a": torch.tensor([[0.0, 0.0], [0.0, -0.0]])}, {}),
        (base, {"step": 1}),
        ({}, {}),
    ]
    digests = {checkpoints.digest(tensors, state) for tensors, state in [(base, {}), *others]}
    assert len(digests) == 7


def test_a_spool_file_is_named_by_its_content(tmp_path: Path) -> None:
    name = checkpoints.write_under_digest(tmp_path, b"content")
    assert name == hashlib.sha256(b"content").hexdigest()
    assert (tmp_path / name).read_bytes() == b"content"


def test_importing_it_does_not_import_torch() -> None:
    code = "import sys, search_engine.checkpoints, search_engine.strategies.random; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
