import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from search_engine.__main__ import main

CELL: dict[str, Any] = {
    "format": 1,
    "kind": "recurrent",
    "nodes": [{"source": None, "activation": "tanh"}, {"source": 0, "activation": "relu"}],
    "averaged": [1],
}
SMALL = ["--hidden", "4", "--epochs", "2", "--batch-size", "4", "--bptt", "5", "--test-batch", "4"]
Terminal = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def numerics_left_as_found() -> Iterator[None]:
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Terminal:
    """Types a command with the cell and a data folder in place: (exit status, standard output, standard error)."""
    (tmp_path / "cell.json").write_text(json.dumps(CELL))
    (tmp_path / "mine.txt").write_text("one two three\nfour five\n" * 40)

    def type_command(*words: object) -> tuple[int, str, str]:
        try:
            status = main([str(word) for word in (*words, "--data-folder", tmp_path / "data")])
        except SystemExit as leaving:
            assert isinstance(leaving.code, int)
            status = leaving.code
        typed = capsys.readouterr()
        return status, typed.out, typed.err

    return type_command


def train(terminal: Terminal, folder: Path, *more: object, data: object = None) -> tuple[int, str, str]:
    text = folder / "mine.txt" if data is None else data
    return terminal("train", folder / "cell.json", "--data", text, "--out", folder / "out", *SMALL, *more)


def test_a_cell_is_trained_on_a_file_and_scored_again_from_its_own(terminal: Terminal, tmp_path: Path) -> None:
    status, out, err = train(terminal, tmp_path, "--json")
    figures = json.loads(out)
    assert status == 0
    assert "epoch 2 of 2: loss" in err and "validation perplexity" in err
    assert (
        figures["test_examples"] == 27
    )  # 280 tokens, a tenth of them for the test, of which the first is not guessed.
    # Of 224 tokens 64 are ends and each of five words 32 times there; 7 more, so that <unk> is possible.
    nats = -(8 * math.log(65 / 231) + 20 * math.log(33 / 231)) / 28
    assert figures["test_unigram_perplexity"] == pytest.approx(math.exp(nats))
    assert figures["parameters"] == 6 * 4**2 + 7 * 4 and "test_accuracy" not in figures
    status, out, _ = terminal("evaluate", tmp_path / "out", "--data", tmp_path / "mine.txt", "--json")
    assert status == 0
    assert json.loads(out) == {"test_perplexity": figures["test_perplexity"], "test_examples": 27}


def test_a_finished_training_on_text_says_so_and_repeats_its_figures(terminal: Terminal, tmp_path: Path) -> None:
    first = train(terminal, tmp_path)
    status, out, err = train(terminal, tmp_path)
    assert (status, out) == (0, first[1])
    assert "finished already" in err


def test_the_events_of_a_training_on_text_hold_what_the_text_is(terminal: Terminal, tmp_path: Path) -> None:
    train(terminal, tmp_path)
    events = [json.loads(line) for line in (tmp_path / "out" / "events.jsonl").read_text().splitlines()]
    assert [event["kind"] for event in events] == [
        "training_started", "epoch_ended", "epoch_ended", "training_finished",
    ]  # fmt: skip
    assert events[0]["data"]["kind"] == "text" and events[0]["data"]["unigram_perplexity"]["test"] > 1
    assert events[0]["parameters"] == events[0]["mult_adds"]
    assert events[-1]["test_perplexity"] > 1 and events[-1]["test_accuracy"] is None


@pytest.mark.parametrize(
    ("more", "data", "sentence"),
    [
        (["--batch-size", "4096"], None, "recipe.batch_size: is 4096; the training part has 224 tokens"),
        ([], "nothing-here", "nothing-here is neither a text of this program nor a file or folder"),
        ([], "cifar-10", "cifar-10 is neither a text of this program nor a file or folder"),
        (["--image-size", "8"], None, "--image-size: has no meaning for an architecture of kind recurrent."),
        (["--filters", "8"], None, "--filters: has no meaning for an architecture of kind recurrent."),
        (["--momentum", "0.5"], None, "--momentum: has no meaning for an architecture of kind recurrent."),
        (["--hidden", "1"], None, "layout.hidden: is '1'; must be at least 2."),
        (["--level", "syllables"], None, "data.level: is 'syllables'; must be"),
        (["--level", "characters"], "state-of-the-union-2k", "data.level: is characters; state-of-the-union-2k"),
    ],
)
def test_a_mistake_gets_one_sentence_and_leaves_no_folder(
    more: list[str], data: str | None, sentence: str, terminal: Terminal, tmp_path: Path
) -> None:
    status, out, err = train(terminal, tmp_path, *more, data=data)
    assert (status, out) == (2, "")
    assert sentence in err and err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_what_is_for_text_is_refused_for_images(terminal: Terminal, tmp_path: Path) -> None:
    status, _, err = terminal(
        "train", "nasnet-a", "--data", "fashion-mnist-10k", "--out", tmp_path / "out", "--bptt", "5"
    )
    assert status == 2
    assert "--bptt: has no meaning for an architecture of kind cells." in err


def test_a_network_of_words_is_not_scored_on_characters(terminal: Terminal, tmp_path: Path) -> None:
    train(terminal, tmp_path)
    status, _, err = terminal("evaluate", tmp_path / "out", "--data", "state-of-the-union-characters")
    assert status == 2
    assert "--data: is state-of-the-union-characters; the network reads words." in err
