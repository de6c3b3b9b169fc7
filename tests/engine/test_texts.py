import json
import math
from pathlib import Path

import numpy as np
import pytest

from search_engine.config.language import TextDataConfig
from search_engine.config.reading import read_config
from search_engine.data import text_reading
from search_engine.data.own_text import keep_own_text
from search_engine.data.text_reading import MOST_VOCABULARY_BYTES, Text, read_text, unigram_perplexity
from search_engine.data.texts import TEXTS, describe_text
from search_engine.errors import ConfigError, DataError, UserError
from search_engine.export.bundle_file import MOST_HEADER_BYTES

LINES = "the cat sat\n\nthe dog\n" * 10  # 70 tokens with an end after each of 20 lines; blank lines hold no sentence.


def own(path: Path, folder: Path, **settings: object) -> Text:
    value = {"name": "own", "own": keep_own_text(path, folder), **settings}
    return read_text(read_config(TextDataConfig, value), folder)


def written(path: Path, text: str = LINES) -> Path:
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Text:
    return read_text(TextDataConfig(), tmp_path_factory.mktemp("unused"))


@pytest.mark.parametrize("name", [description.name for description in TEXTS])
def test_the_embedded_texts_are_what_their_descriptions_say(name: str, tmp_path: Path) -> None:
    text, described = read_text(TextDataConfig(name=name), tmp_path), describe_text(name)
    assert text.description == described
    assert len(text.vocabulary) == described.vocabulary
    assert [len(text.train), len(text.valid), len(text.test)] == [
        described.train_tokens, described.valid_tokens, described.test_tokens,
    ]  # fmt: skip
    assert all(part.max() < described.vocabulary and part.min() >= 0 for part in (text.train, text.valid, text.test))


def test_the_unigram_perplexity_of_the_2000_words_is_the_one_counted_by_hand(words: Text) -> None:
    size = len(words.vocabulary)
    # The note on the data counted 216.6 on the first 20,000 tokens, with words of equal frequency cut otherwise.
    assert unigram_perplexity(words.train, words.valid[:20_000], size) == pytest.approx(216.22, abs=0.01)
    assert unigram_perplexity(words.train, words.valid, size) == pytest.approx(229.04, abs=0.01)
    assert unigram_perplexity(words.train, words.test, size) == pytest.approx(224.23, abs=0.01)


def test_a_unigram_worked_by_hand() -> None:
    # Counted once more each: 3, 2, 1 of 6. The part has one of each.
    expected = math.exp(-(math.log(3 / 6) + math.log(2 / 6) + math.log(1 / 6)) / 3)
    assert unigram_perplexity(np.array([0, 0, 1]), np.array([0, 1, 2]), 3) == pytest.approx(expected)


def test_a_smaller_vocabulary_makes_more_words_unknown(words: Text, tmp_path: Path) -> None:
    small = read_text(TextDataConfig(vocabulary=100), tmp_path)
    assert small.vocabulary == words.vocabulary[:100]
    assert (small.train == 0).sum() > (words.train == 0).sum()
    assert small.description.vocabulary == 100


def test_one_file_is_cut_into_contiguous_pieces(tmp_path: Path) -> None:
    text = own(written(tmp_path / "mine.txt"), tmp_path)
    assert [len(text.train), len(text.valid), len(text.test)] == [56, 7, 7]
    whole = [text.vocabulary[number] for part in (text.train, text.valid, text.test) for number in part]
    assert whole == ["the", "cat", "sat", "<eos>", "the", "dog", "<eos>"] * 10
    assert text.vocabulary == ("<unk>", "<eos>", "the", "cat", "dog", "sat")
    assert "its last 10% are the test" in text.description.split
    assert text.description.train_tokens == 56 and text.description.origin == "local"


def test_a_folder_of_three_files_keeps_their_parts(tmp_path: Path) -> None:
    folder = tmp_path / "ptb"
    folder.mkdir()
    for part, line in (("train", "a a b\n"), ("valid", "a c\n"), ("test", "b\n")):
        written(folder / f"ptb.{part}.txt", line)
    text = own(folder, tmp_path)
    assert text.vocabulary == ("<unk>", "<eos>", "a", "b")
    assert text.valid.tolist() == [2, 0, 1]  # c is not in the training part.
    assert text.description.split == "the three files"


def test_characters_are_read_as_they_are(tmp_path: Path) -> None:
    text = own(written(tmp_path / "mine.txt", "Ab a\nå " * 10), tmp_path, level="characters")
    assert [text.vocabulary[number] for number in text.train[:7]] == list("Ab a\nå ")


def test_a_text_from_another_system_reads_alike(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes(b"\xef\xbb\xbf" + LINES.replace("\n", "\r\n").encode())
    assert own(path, tmp_path).vocabulary == ("<unk>", "<eos>", "the", "cat", "dog", "sat")


def test_a_text_is_read_as_it_was_when_it_was_kept(tmp_path: Path) -> None:
    path = written(tmp_path / "mine.txt")
    name = keep_own_text(path, tmp_path)
    path.write_text("something else")
    assert len(read_text(TextDataConfig(name="own", own=name), tmp_path).train) == 56


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b" \n\n ", "is empty"),
        (b"caf\xe9 au lait", "is not UTF-8 text: byte 3 cannot be read"),
        (b"two words", "has 0 tokens in its part valid; at least 2 are needed"),
    ],
)
def test_a_text_that_cannot_be_used_gets_one_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        own(path, tmp_path)


def test_a_folder_without_its_three_files_gets_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    written(folder / "train.txt")
    with pytest.raises(DataError, match="has 0 files named after valid; must have one: valid.txt"):
        keep_own_text(folder, tmp_path)
    with pytest.raises(DataError, match="neither a text of this program nor a file or folder"):
        keep_own_text(tmp_path / "nothing", tmp_path)


def test_an_own_text_that_is_gone_or_was_changed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not among the texts"):
        read_text(TextDataConfig(name="own", own="0" * 64), tmp_path)
    name = keep_own_text(written(tmp_path / "mine.txt"), tmp_path)
    (tmp_path / "texts" / name / "text.txt").write_text("changed")
    with pytest.raises(DataError, match="was changed"):
        read_text(TextDataConfig(name="own", own=name), tmp_path)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"name": "penn-treebank"}, "data.name"),
        ({"level": "characters"}, "data.level"),
        ({"name": "own"}, "data.own"),
        ({"name": "own", "own": "../../etc/passwd"}, "data.own"),
        ({"own": "0" * 64}, "data.own"),
    ],
)
def test_a_text_that_does_not_exist_is_refused_at_its_field(value: dict[str, str], field: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        read_text(read_config(TextDataConfig, value), tmp_path)
    assert isinstance(refused.value, UserError) and refused.value.field == field


def test_no_text_is_called_comparable_with_another() -> None:
    assert all("cannot be compared" in description.note for description in TEXTS)


def test_words_that_no_file_of_weights_could_keep_are_refused_at_the_vocabulary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_reading, "MOST_VOCABULARY_BYTES", 59)
    path = written(tmp_path / "mine.txt", "cat \u044f\u044f dog\n" * 40)
    with pytest.raises(ConfigError) as refused:
        own(path, tmp_path)
    # As JSON in JSON: <unk> and <eos> 11 each and cat 9, with what stands between; dog 9, and \\u044f\\u044f is 20.
    assert refused.value.field == "data.vocabulary" and "the first 4 fill" in refused.value.message
    assert own(path, tmp_path, vocabulary=4).vocabulary == ("<unk>", "<eos>", "cat", "dog")


def test_the_words_that_are_kept_fit_into_the_header_of_a_bundle() -> None:
    words = ["\u044f" * 9 + str(number) for number in range(200_000)]
    fitting = [
        words[:count] for count in range(0, len(words), 10_000)
        if sum(len(json.dumps(json.dumps(word))) for word in words[:count]) <= MOST_VOCABULARY_BYTES
    ]  # fmt: skip
    header = json.dumps({"__metadata__": {"vocabulary": json.dumps(fitting[-1])}})
    assert 0.9 * MOST_VOCABULARY_BYTES < len(header) < MOST_HEADER_BYTES - 1024**2
