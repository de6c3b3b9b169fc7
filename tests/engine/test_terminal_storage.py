"""Folders of the terminal: a disk that refuses, and bytes that are flipped, change nothing of what comes out."""

import errno
import gc
import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from search_engine import storage
from search_engine.data.batches import prepare
from search_engine.terminal.search_folder import SearchFolder
from search_engine.training.shared_building import prepare_shared
from tests.engine import test_terminal_finalist_files as finalists
from tests.engine import test_terminal_search_folder as searches
from tests.engine import test_terminal_shared_search_folder as shared
from tests.engine import test_terminal_training_folder as trainings

CPU = torch.device("cpu")
REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
EVERY = {"search": 11, "finals": 13, "shared": 13, "training": 9}  # Which calls fail: one of so many.
if os.environ.get("CELLWRIGHT_FAULTS") == "all":
    EVERY = dict.fromkeys(EVERY, 1)
# A process that ends leaves its log open, which here is one that goes on.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
NOT_COMPARED = ("at", "seconds", "checkpoint", "digest")
Run = Callable[[Path], Any]


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture(scope="module", autouse=True)
def quick_collections() -> Iterator[None]:
    """What is in memory before is looked through by no collection here, and there are hundreds."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The same command, by what it does: it begins, or goes on, to the end."""
    folder = tmp_path_factory.mktemp("data")
    images = prepare(trainings.config().data, seed=1, folder=folder, device=CPU)
    of_finals = prepare(finalists.CONFIG.data, seed=1, folder=folder, device=CPU)
    of_shared = prepare_shared(shared.CONFIG, folder=folder, device=CPU)
    return {
        "search": lambda place: searches.take(SearchFolder(place, searches.config("copy", 1))),
        "finals": lambda place: finalists.take(place, of_finals),
        "shared": lambda place: shared.searched(place, of_shared),
        "training": lambda place: trainings.train(place, images),
    }


def logged(place: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (place / "events.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in NOT_COMPARED} for line in lines]


def is_refused(run: Run, place: Path) -> bool:
    """Whether the disk refused something, which then was said."""
    try:
        run(place)
    except OSError as error:
        assert storage.storage_sentence(error) is not None
        return True
    finally:
        gc.collect()  # The folder of the process that ended is free for the next.
    return False


def refusing(number: int) -> Callable[[str, Path], None]:
    """Lets the n-th call fail, from 0."""
    made: list[str] = []

    def refuse(call: str, path: Path) -> None:
        made.append(call)
        if len(made) == number + 1:
            raise OSError(REFUSALS[number % len(REFUSALS)], "refused", str(path))

    return refuse


@pytest.mark.parametrize("kind", EVERY)
def test_whichever_write_fails_once_the_same_command_goes_on_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: dict[str, Run], kind: str
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(storage, "before", lambda call, path: calls.append(call))
    assert not is_refused(runs[kind], tmp_path / "straight")
    assert set(calls) == {"write", "fsync", "rename"}
    for number in range(0, len(calls), EVERY[kind]):
        place = tmp_path / str(number)
        monkeypatch.setattr(storage, "before", refusing(number))
        assert is_refused(runs[kind], place)
        assert not is_refused(runs[kind], place)
        assert logged(place) == logged(tmp_path / "straight"), f"call {number}, {calls[number]}"
        assert not [path for path in place.rglob("*") if path.name.startswith(".")], "temporary files"


FILES = {
    "search": "strategy.safetensors", "finals": "finalist-1.safetensors", "shared": "state.json",
    "training": "checkpoint.safetensors",
}  # fmt: skip


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("kind", FILES)
def test_a_flipped_byte_is_noticed_and_the_file_before_it_is_used(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    runs: dict[str, Run],
    kind: str,
    both: bool,
) -> None:
    assert not is_refused(runs[kind], tmp_path / "straight")
    place = tmp_path / "flipped"
    path, before = place / FILES[kind], place / FILES[kind].replace(".", "-before.")

    def end_when_both_are_there(call: str, written: Path) -> None:
        if path.exists() and before.exists():
            raise OSError(errno.ENOSPC, "refused")

    monkeypatch.setattr(storage, "before", end_when_both_are_there)
    assert is_refused(runs[kind], place)
    monkeypatch.undo()
    for each in (path, before) if both else (path,):
        flip(each)
    assert not is_refused(runs[kind], place)
    said = "starting anew from what else is known" if both else "going on from the one before"
    assert f"{path} is damaged: {said}." in capsys.readouterr().err
    assert logged(place) == logged(tmp_path / "straight")


def test_a_flipped_byte_in_a_file_of_shared_weights_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], runs: dict[str, Run]
) -> None:
    assert not is_refused(runs["shared"], tmp_path / "straight")
    place = tmp_path / "flipped"

    def end_in_the_second_epoch(call: str, written: Path) -> None:
        if (place / "state.json").exists() and json.loads((place / "state.json").read_bytes())["steps_told"] == 1:
            raise OSError(errno.ENOSPC, "refused")

    monkeypatch.setattr(storage, "before", end_in_the_second_epoch)
    assert is_refused(runs["shared"], place)
    monkeypatch.undo()
    state = json.loads((place / "state.json").read_bytes())
    flip(place / "files" / state["strategy"])
    assert not is_refused(runs["shared"], place)
    assert "state.json is damaged: going on from the one before." in capsys.readouterr().err
    assert logged(place) == logged(tmp_path / "straight")


def flip(path: Path) -> None:
    """One bit of the file, anywhere."""
    content, chance = bytearray(path.read_bytes()), random.Random(path.name)
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
