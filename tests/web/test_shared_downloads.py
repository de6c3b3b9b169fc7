"""Known data sets in a store that all machines have mounted."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from search_engine.data.downloads import SOURCES, Source
from webapp.searches import artifacts
from webapp.searches.datasets.local_copy import bring_data

CONTENT = b"pictures"
CONFIG = {"data": {"name": "mnist"}}


@pytest.fixture
def source(store: Path, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """A data set of one file."""
    settings.DATA_SETS_DIR = tmp_path / "here"
    one = Source("http://127.0.0.1:9/pictures.gz", "pictures.gz", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setitem(SOURCES, "mnist", (one,))
    return one


def downloaded(settings: Any, content: bytes = CONTENT) -> Path:
    place: Path = settings.DATA_SETS_DIR / "mnist/pictures.gz"
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    return place


def test_another_machine_takes_what_one_has_downloaded(source: Source, settings: Any, tmp_path: Path) -> None:
    bring_data(CONFIG)
    assert not artifacts.is_there(source.sha256)  # Nobody has it.
    here = downloaded(settings)
    bring_data(CONFIG)
    assert artifacts.is_there(source.sha256) and [*here.parent.iterdir()] == [here]
    settings.DATA_SETS_DIR = tmp_path / "there"
    bring_data(CONFIG)
    assert (settings.DATA_SETS_DIR / "mnist/pictures.gz").read_bytes() == CONTENT


def test_on_one_machine_it_takes_no_room_twice(source: Source, settings: Any) -> None:
    here = downloaded(settings)
    bring_data(CONFIG)
    assert here.samefile(artifacts.local_path(source.sha256))


def test_a_damaged_file_is_not_handed_on(source: Source, settings: Any, store: Path) -> None:
    downloaded(settings, b"damaged")
    bring_data(CONFIG)
    assert not artifacts.is_there(source.sha256) and not [*store.glob("??/*")]


@pytest.mark.django_db
def test_no_sweep_removes_it(source: Source, settings: Any) -> None:
    downloaded(settings)
    bring_data(CONFIG)
    assert artifacts.sweep(-10.0) == [] and artifacts.is_there(source.sha256)


def test_a_store_that_takes_nothing_keeps_nobody_from_training(
    source: Source, settings: Any, store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    here = downloaded(settings)
    store.write_text("a file, where the folder should be")
    bring_data(CONFIG)
    assert here.read_bytes() == CONTENT and "is not shared between machines now" in caplog.text
