import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from search_engine.__main__ import COMMANDS, main
from search_engine.catalogue.published import read_published
from search_engine.drawing.svg import architecture_svg
from search_engine.errors import UserError
from search_engine.presets import PRESETS

ROOT = Path(__file__).resolve().parents[2]
SMALL: dict[str, Any] = {
    "space": {"blocks": 1},
    "strategy": {"kind": "ppo", "step_size": 2},
    "child": {"normal_cells": 1, "reductions": 1, "filters": 2},
    "recipe": {"epochs": 1},
    "data": {"image_size": 8, "train_examples": 64, "held_out_examples": 50},
    "budget": {"children": 3},
}
TINY = ["--cells", "1", "--reductions", "1", "--filters", "2", "--image-size", "8", "--held-out-examples", "50"]


@pytest.fixture(autouse=True)
def numerics_left_as_found() -> Iterator[None]:
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Types a command: (exit status, standard output, standard error)."""

    def type_command(*words: object) -> tuple[int, str, str]:
        try:
            status = main([str(word) for word in words])
        except SystemExit as leaving:
            assert isinstance(leaving.code, int)
            status = leaving.code
        typed = capsys.readouterr()
        return status, typed.out, typed.err

    return type_command


Terminal = Callable[..., tuple[int, str, str]]


def test_describe_prints_the_published_counts_of_nasnet_a(terminal: Terminal) -> None:
    status, out, err = terminal("describe", "nasnet-a", "--json")
    figures = json.loads(out)
    assert (status, err) == (0, "")
    assert figures["mult_adds"] == 544_333_312  # Of 6 @ 768, measured on the released code, as the next two.
    assert figures["parameters"] == 3_346_538 == sum(layer["parameters"] for layer in figures["layers"])
    assert figures["parameters_with_auxiliary"] == 4_978_036
    assert figures["layers"][-1] == {"name": "head.linear", "output_shape": [10, 1, 1], "parameters": 7690}


def test_describe_prints_the_published_counts_of_nasnet_a_on_imagenet(terminal: Terminal) -> None:
    mobile = ["--skeleton", "imagenet", "--cells", "4", "--filters", "44", "--image-size", "224", "--classes", "1000"]
    figures = json.loads(terminal("describe", "nasnet-a", *mobile, "--stem-filters", "32", "--json")[1])
    assert (figures["parameters"], figures["parameters_with_auxiliary"]) == (5_289_978, 7_701_218)
    assert figures["mult_adds"] == 563_638_816
    assert figures["layers"][0] == {"name": "stem.conv", "output_shape": [32, 111, 111], "parameters": 864}
    other_wiring = terminal("describe", "nasnet-a", *mobile, "--previous-after-reduction", "two-before", "--json")[1]
    assert json.loads(other_wiring)["parameters"] == figures["parameters"]
    assert json.loads(other_wiring)["mult_adds"] == figures["mult_adds"]


def test_describe_prints_a_table_that_a_person_can_read(terminal: Terminal) -> None:
    status, out, _ = terminal("describe", "nasnet-a")
    lines = out.splitlines()
    assert status == 0
    assert lines[0].split() == ["stem.conv", "96", "x", "32", "x", "32", "2,592"]
    assert [line.rsplit(maxsplit=1)[0].strip() for line in lines[-3:]] == [
        "parameters", "parameters with auxiliary", "mult adds",
    ]  # fmt: skip


def test_describe_takes_a_layout_and_images(terminal: Terminal) -> None:
    layout = ["--cells", "1", "--filters", "4", "--reductions", "1"]
    images = ["--image-size", "14", "--image-channels", "1", "--classes", "7"]
    figures = json.loads(terminal("describe", "nasnet-a", *layout, *images, "--json")[1])
    assert figures["layers"][0]["output_shape"] == [12, 14, 14]
    assert figures["layers"][0]["parameters"] == 12 * 1 * 9
    assert figures["layers"][-1]["output_shape"] == [7, 1, 1]
    assert figures["parameters_with_auxiliary"] == figures["parameters"]  # One reduction has no auxiliary head.


def test_strict_concatenation_leaves_out_what_a_block_reads(terminal: Terminal) -> None:
    released = json.loads(terminal("describe", "nasnet-a", "--json")[1])
    assert json.loads(terminal("describe", "nasnet-a", "--concat", "released", "--json")[1]) == released
    strict = json.loads(terminal("describe", "nasnet-a", "--concat", "strict", "--json")[1])
    assert strict["layers"][-1]["parameters"] == 10 * (5 * 128 + 1)  # Five states of 4F instead of six.
    assert (strict["parameters"], strict["parameters_with_auxiliary"]) == (3_076_906, 4_700_212)


def test_an_architecture_comes_from_a_file_or_standard_input(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps(read_published("nasnet-a").architecture.to_json())
    (tmp_path / "cell.json").write_text(text)
    expected = terminal("describe", "nasnet-a", "--json")
    assert terminal("describe", tmp_path / "cell.json", "--json") == expected
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert terminal("describe", "-", "--json") == expected


def test_draw_writes_the_picture(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal("draw", "nasnet-a", "-o", tmp_path / "cell.svg") == (0, "", "")
    assert (tmp_path / "cell.svg").read_text() == architecture_svg(read_published("nasnet-a").architecture)


def test_convert_writes_a_dialect_and_every_command_reads_it(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, text, err = terminal("convert", "darts-v2", "--to", "darts")
    assert (status, err) == (0, "") and text.startswith("Genotype(\n    normal=[\n        ('sep_conv_3x3', 0), ")
    assert terminal("convert", "darts-v2", "--to", "nni", "-o", tmp_path / "cell.json") == (0, "", "")
    status, out, err = terminal("convert", tmp_path / "cell.json", "--to", "darts")
    assert (status, out) == (0, text) and err.startswith("NNI's dictionary does not say what leaves a cell")
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert terminal("convert", "-", "--to", "json")[1] == terminal("convert", "darts-v2", "--to", "json")[1]
    assert terminal("draw", tmp_path / "cell.json", "-o", tmp_path / "cell.svg")[0] == 0


def test_where_a_dialect_cannot_hold_an_architecture_convert_says_why_and_writes_nothing(
    terminal: Terminal, tmp_path: Path
) -> None:
    sentence = "ENAS has no operation dilated_sep_conv_3x3, which block 3 of the normal cell uses.\n"
    assert terminal("convert", "darts-v2", "--to", "enas", "-o", tmp_path / "cell.txt") == (2, "", sentence)
    assert not (tmp_path / "cell.txt").exists()


def test_catalogue_lists_what_describe_takes(terminal: Terminal) -> None:
    status, out, _ = terminal("catalogue", "--json")
    names = [one["name"] for one in json.loads(out)]
    assert status == 0 and "nasnet-a" in names
    _, out, err = terminal("catalogue")
    assert [line.split()[0] for line in out.splitlines()] == names
    assert err.startswith("NASNet-B and NASNet-C are not in the catalogue")
    assert all(terminal("describe", name)[0] == 0 for name in names)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["describe", "nope"], "ARCH: 'nope' is neither a file nor in the catalogue"),
        (["describe", "nasnet-a", "--cells", "0"], "normal_cells: is '0'; must be at least 1."),
        (["describe", "nasnet-a", "--filters", "many"], "filters: is 'many'; must be a whole number."),
        (["describe", "nasnet-a", "--classes", "0"], "classes: is 0; must be at least 1."),
        (["describe", "nasnet-a", "--image-size", "2"], "image_size: is 2; "),
        (
            ["describe", "nasnet-a", "--skeleton", "vgg"],
            "skeleton: is 'vgg'; must be 'cifar', 'imagenet', 'enas' or 'darts'.",
        ),
        (["describe", "nasnet-a", "--stem-filters", "96"], "stem_filters: is 96; the cifar skeleton has three times"),
        (["describe", "nasnet-a", "--skeleton", "imagenet", "--image-size", "18"], "image_size: is 18; to be halved 5"),
        (["describe"], "ARCH: is missing; name an architecture, or a search by --space."),
        (["describe", "nasnet-a", "--classes", "few"], "argument --classes: invalid int value: 'few'"),
        (["describe", "FILE"], "ARCH: the text ends inside the JSON, on line 1."),
        (["draw", "nasnet-a", "-o", "/no/such/folder/cell.svg"], "No such file or directory"),
        (["convert", "nasnet-a"], "convert: the following arguments are required: --to"),
        (["convert", "nasnet-a", "--to", "klingon"], "invalid choice: 'klingon'"),
        (["convert", "nasnet-a", "--to", "enas"], "In ENAS exactly the states that nothing reads leave a cell"),
        (["search", "nope", "--out", "DIR"], "CONFIG: 'nope' is neither a file nor a preset, which are demo"),
        (["search", "FILE", "--out", "DIR"], "CONFIG: FILE does not hold JSON"),
        (["train", "nasnet-a", "--data", "nope", "--out", "DIR"], "data.name: is 'nope'; must be one of"),
        (
            ["train", "nasnet-a", "--data", "fashion-mnist-10k", "--out", "DIR", "--filters", "3"],
            "layout.filters: is '3'; must be a multiple of 2.",
        ),
        (
            ["train", "nasnet-a", "--data", "fashion-mnist-10k", "--out", "DIR", "--held-out-examples", "10000"],
            "data.train_examples: is 10 and 10,000 more are held out, 10,010 together; the training part of "
            "“Fashion-MNIST, 10,000 images” has 10,000.",
        ),
        (["evaluate", "DIR", "--data", "fashion-mnist-10k"], "cannot be read: No such file or directory"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_status_2(terminal: Terminal, tmp_path: Path, words: list[str], message: str) -> None:
    file = tmp_path / "broken.json"
    file.write_text("{")
    places = {"FILE": str(file), "DIR": str(tmp_path / "out")}
    status, out, err = terminal(*(places.get(word, word) for word in words))
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert message.replace("FILE", str(file)) in err
    assert not (tmp_path / "out").exists()


def test_only_finished_commands_are_listed(terminal: Terminal) -> None:
    status, out, _ = terminal("--help")
    assert status == 0
    rows = out.partition("COMMAND\n")[2].partition("\n\n")[0].splitlines()
    names = [row.split()[0] for row in rows if not row.startswith(" " * 5)]  # What goes on from the row before does.
    assert names == list(COMMANDS)
    for name in COMMANDS:
        status, out, _ = terminal(name, "--help")
        assert status == 0 and out.startswith(f"usage: python -m search_engine {name}")


def test_describing_and_drawing_never_import_torch(tmp_path: Path) -> None:
    code = f"""
import sys
from search_engine.__main__ import main
assert main(["describe", "nasnet-a", "--json"]) == 0
assert main(["draw", "nasnet-a", "-o", {str(tmp_path / "cell.svg")!r}]) == 0
assert main(["catalogue"]) == 0
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.DEVNULL).returncode == 0


def test_a_search_runs_to_its_fingerprint_and_is_finished_when_run_again(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(SMALL))
    status, out, err = terminal("search", tmp_path / "config.json", "--out", tmp_path / "out")
    assert status == 0
    assert [line.split(":")[0] for line in err.splitlines()] == ["step 0", "step 1"]
    best, fingerprint = out.splitlines()
    assert best.startswith("best reward 0.") and len(fingerprint.removeprefix("fingerprint ")) == 64
    log = (tmp_path / "out" / "events.jsonl").read_text().splitlines()
    assert json.loads(log[-2])["fingerprint"] == fingerprint.removeprefix("fingerprint ")

    status, out, err = terminal("search", tmp_path / "config.json", "--out", tmp_path / "out", "--json")
    assert (status, err) == (0, "This search was finished already.\n")
    assert json.loads(out)["fingerprint"] == fingerprint.removeprefix("fingerprint ")

    other = tmp_path / "other.json"
    other.write_text(json.dumps(SMALL | {"budget": {"children": 4}}))
    status, out, err = terminal("search", other, "--out", tmp_path / "out")
    assert (status, out) == (2, "") and "holds something else than this search" in err


def test_a_network_is_trained_scored_and_scored_again_from_its_file(terminal: Terminal, tmp_path: Path) -> None:
    out_folder = tmp_path / "out"
    command = ["train", "nasnet-a", "--data", "fashion-mnist-10k", "--out", out_folder, *TINY, "--epochs", "2"]
    status, out, err = terminal(*command, "--train-examples", "64", "--json")
    result = json.loads(out)
    assert status == 0
    assert [line.split(":")[0] for line in err.splitlines()] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert result["test_examples"] == 2000 and 0 <= result["test_accuracy"] <= 1

    again = terminal(*command, "--train-examples", "64", "--json")
    assert again == (0, out, "This training was finished already.\n")

    figures = json.loads(terminal("evaluate", out_folder, "--data", "fashion-mnist-10k", "--json")[1])
    assert figures == {"test_accuracy": result["test_accuracy"], "test_examples": 2000}
    assert terminal("evaluate", out_folder / "network.safetensors", "--data", "fashion-mnist-10k")[0] == 0

    status, _, err = terminal("evaluate", out_folder, "--data", "cifar-10")
    assert status == 2 and "tells the classes of fashion-mnist-10k apart" in err
    status, _, err = terminal("evaluate", out_folder / "checkpoint.safetensors", "--data", "fashion-mnist-10k")
    assert status == 2 and "holds no trained network" in err
    status, _, err = terminal(*command)
    assert status == 2 and "holds something else than this training" in err


def test_a_training_takes_all_images_at_their_own_size_unless_told(terminal: Terminal, tmp_path: Path) -> None:
    from search_engine.terminal.command_line import parser
    from search_engine.terminal.given import training_config

    words = ["train", "nasnet-a", "--data", "cifar-10", "--out", str(tmp_path), "--held-out-examples", "5000"]
    config = training_config(parser().parse_args(words))
    assert (config.data.image_size, config.data.train_examples, config.data.held_out_examples) == (32, 45_000, 5_000)
    assert (config.layout.normal_cells, config.recipe.epochs) == (6, 600)
    config = training_config(parser().parse_args([*words, "--no-augment", "--cells", "2", "--train-examples", "100"]))
    assert (config.recipe.augment, config.layout.normal_cells, config.data.train_examples) == (False, 2, 100)


def test_every_preset_is_a_search(terminal: Terminal) -> None:
    from search_engine.terminal.given import search_config

    assert [search_config(preset.name) for preset in PRESETS] == [preset.config for preset in PRESETS]


def test_a_preset_that_does_not_exist_is_named() -> None:
    from search_engine.terminal.given import search_config

    with pytest.raises(UserError, match="neither a file nor a preset"):
        search_config("no such preset")


@pytest.mark.processes
def test_ctrl_c_stops_a_search_that_then_goes_on_to_the_same_fingerprint(terminal: Terminal, tmp_path: Path) -> None:
    config = SMALL | {"budget": {"children": 8}, "recipe": {"epochs": 2}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    broken, straight = tmp_path / "broken", tmp_path / "straight"
    command = [sys.executable, "-m", "search_engine", "search", str(tmp_path / "config.json"), "--out", str(broken)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _wait_for(lambda: (broken / "events.jsonl").exists() and b"epoch_ended" in (broken / "events.jsonl").read_bytes())
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == f"Stopped. Run the same command again to go on with the search in {broken}."

    resumed = subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert resumed.returncode == 0
    status, out, _ = terminal("search", tmp_path / "config.json", "--out", straight, "--json")
    assert status == 0
    assert json.loads(resumed.stdout) == json.loads(out)


def _wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"nothing happened within {seconds} seconds"
        time.sleep(0.01)
