"""What the throw-away process finds in a text: counts by hand, refusals in sentences, and the terminal's name."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_engine.config.language import TextDataConfig
from search_engine.data.own_text import keep_own_text, parts_by_name
from search_engine.data.text_check import FEWEST, TextRecord
from search_engine.data.text_reading import read_text, unigram_perplexity
from search_engine.data.upload_check import check_text
from search_engine.errors import DataError

LINES = "the cat sat\n\nthe dog\n" * 200  # 1,400 tokens with an end after each of 400 lines.


def found(tmp_path: Path, *files: tuple[str, bytes]) -> dict[str, Any]:
    folder = tmp_path / "result"
    folder.mkdir(exist_ok=True)
    upload = tmp_path / "upload"
    upload.write_bytes(b"".join(content for _, content in files))
    return check_text(upload, folder, [(name, len(content)) for name, content in files])


def test_one_file_is_counted_as_a_training_will_read_it(tmp_path: Path) -> None:
    report = found(tmp_path, ("mine.txt", LINES.encode()))
    assert report["error"] == ""
    record = TextRecord.from_json(report["text"])
    words = record.levels["words"]
    assert (words.tokens, words.different, words.vocabulary) == ((1120, 140, 140), 6, 6)
    assert words.unknown == (0.0, 0.0, 0.0)
    text = read_text(TextDataConfig(name="own", own=report["sha256"]), tmp_path / "result")
    assert words.unigram[0] == pytest.approx(unigram_perplexity(text.train, text.valid, len(text.vocabulary)))
    assert record.levels["characters"].tokens == (3360, 420, 420)  # Two lines and a blank one have 21.
    assert record.lines == (("the cat sat", "the dog") * 4,)
    assert TextRecord.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_a_text_has_the_name_that_the_terminal_gives_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(LINES)
    assert found(tmp_path, ("mine.txt", path.read_bytes()))["sha256"] == keep_own_text(path, tmp_path)
    folder = tmp_path / "three"
    folder.mkdir()
    for part in ("train", "valid", "test"):
        (folder / f"{part}.txt").write_text(LINES + part)
    sent = [(f"ptb.{part}.txt", (folder / f"{part}.txt").read_bytes()) for part in ("test", "train", "valid")]
    report = found(tmp_path, *sent)
    assert report["sha256"] == keep_own_text(folder, tmp_path)
    assert TextRecord.from_json(report["text"]).levels["words"].tokens == (1402, 1402, 1402)


def test_words_that_the_training_part_lacks_are_unknown(tmp_path: Path) -> None:
    files = {"train": "a a b <unk>\n" * 300, "valid": "a c\n" * 10, "test": "c <unk>\n" * 10}
    report = found(tmp_path, *((f"{part}.txt", text.encode()) for part, text in files.items()))
    words = TextRecord.from_json(report["text"]).levels["words"]
    assert words.unknown == pytest.approx((1 / 5, 1 / 3, 2 / 3))
    assert words.different == 4  # a, b, <unk> and the end of a line.


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "mine.txt is empty."),
        (b"caf\xe9 " * 5000, "mine.txt is not UTF-8 text: byte 3 cannot be read."),
        ("text".encode("utf-16") * 5000, "mine.txt is no text: it has bytes that are zero."),
        (
            b"the cat sat\n" * 10,
            "The text has 40 words and 120 characters, line ends among them; a text to train on has 1,000 words or "
            "10,000 characters.",
        ),
    ],
)
def test_what_is_no_text_to_train_on_gets_one_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    report = found(tmp_path, ("mine.txt", content))
    assert report["error"] == sentence and report["text"] is None


def test_a_text_without_spaces_is_taken_for_its_characters(tmp_path: Path) -> None:
    report = found(tmp_path, ("mine.txt", ("語" * 7 + "文" * 3).encode() * FEWEST["characters"]))
    assert list(TextRecord.from_json(report["text"]).levels) == ["characters"]
    [[line]] = report["text"]["lines"]
    assert len(line) == 160 and line.endswith("…")


def test_three_files_are_told_apart_by_the_words_in_their_names() -> None:
    assert parts_by_name(["PTB.test.txt", "wiki.Train.tokens", "valid"]) == ["test", "train", "valid"]
    with pytest.raises(DataError, match="have 0 names with the word valid; must have one"):
        parts_by_name(["train.txt", "dev.txt", "test.txt"])
    with pytest.raises(DataError, match="have 2 names with the word train"):
        parts_by_name(["train.txt", "train.valid.txt", "test.txt"])


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40), max_size=12))
def test_any_text_is_taken_or_refused_in_a_sentence(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    report = found(tmp_path_factory.mktemp("any"), ("mine.txt", ("\n".join(lines) * 200).encode()))
    assert (report["text"] is None) == bool(report["error"])


def test_the_process_needs_no_network_and_writes_its_report(tmp_path: Path) -> None:
    upload, folder = tmp_path / "upload", tmp_path / "result"
    upload.write_text(LINES)
    folder.mkdir()
    files = json.dumps([["-mine.txt", len(LINES)]])
    command = [sys.executable, "-m", "search_engine.data.upload_check", str(upload), str(folder), f"--files={files}"]
    limits = ["--memory", str(2 << 30), "--seconds", "60", "--file-bytes", str(1 << 30)]
    done = subprocess.run([*command, *limits], env={"PATH": os.defpath}, capture_output=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == {"done": 2, "of": 2}
    report = json.loads((folder / "report.json").read_text())
    assert report["without_network"] is (sys.platform == "linux") and report["accepted"] == 1
