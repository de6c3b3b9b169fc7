"""`describe` for every kind of architecture."""

import json

import pytest

from search_engine.__main__ import main
from search_engine.architectures.macro import MacroArchitecture, MacroLayer
from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.architectures.recurrent import RecurrentArchitecture, RecurrentNode

MACRO = MacroArchitecture((MacroLayer("sep_conv_5x5"), MacroLayer("avg_pool_3x3", (0,)), MacroLayer("conv_3x3")))
BENCHMARK = NasBench201Architecture(("nor_conv_3x3",) * 6)
RECURRENT = RecurrentArchitecture((RecurrentNode(None, "tanh"), RecurrentNode(0, "relu")), (1,))


@pytest.fixture
def describe(tmp_path, capsys):
    def type_command(architecture, *flags):
        if not isinstance(architecture, str):
            file = tmp_path / "architecture.json"
            file.write_text(json.dumps(architecture.validated().to_json()))
            architecture = str(file)
        status = main(["describe", architecture, *flags])
        typed = capsys.readouterr()
        return status, typed.out, typed.err

    return type_command


def test_cells_are_listed_with_sums_and_shapes(describe):
    figures = json.loads(describe("nasnet-a", "--json")[1])
    cells = {row["name"]: row for row in figures["cells"]}
    assert (cells["cell_0"]["parameters"], cells["cell_0"]["output_shape"]) == (40_384, [192, 32, 32])
    assert sum(row["parameters"] for row in cells.values()) == figures["parameters"]
    assert sum(row["mult_adds"] for row in cells.values()) == figures["mult_adds"]
    lines = [line.split() for line in describe("nasnet-a")[1].splitlines()]
    assert ["cell_17", "768", "x", "8", "x", "8", "383,232"] in lines


def test_a_macro_network_takes_filters_and_full_convolutions(describe):
    full, separable = (
        json.loads(describe(MACRO, "--filters", "36", *flags, "--json")[1]) for flags in (["--full-conv"], [])
    )
    rows = [row for row in full["layers"] if row["name"] == "layer_1.operation.conv"]
    assert rows == [{"name": "layer_1.operation.conv", "output_shape": [36, 32, 32], "parameters": 25 * 36 * 36}]
    assert full["parameters"] - separable["parameters"] == 25 * 36 * 36 - (25 * 36 + 36 * 36)
    assert full["parameters_with_auxiliary"] == full["parameters"]
    assert full["cells"][-1]["name"] == "head"


def test_the_largest_network_of_the_benchmark_has_the_size_of_its_tables(describe):
    assert json.loads(describe(BENCHMARK, "--json")[1])["parameters"] == 1_531_546


def test_a_recurrent_cell_takes_hidden_size_and_vocabulary(describe):
    figures = json.loads(describe(RECURRENT, "--hidden", "10", "--vocabulary", "7", "--json")[1])
    assert figures["parameters"] == figures["parameters_with_auxiliary"] == 70 + 3 * 200
    assert [row["name"] for row in figures["layers"]] == ["embedding", "nodes.0", "nodes.1", "output"]
    assert figures["cells"] == []


def test_an_image_too_small_for_the_auxiliary_head_is_described_without_it(describe):
    figures = json.loads(describe("nasnet-a", "--image-size", "8", "--json")[1])
    assert figures["parameters_with_auxiliary"] == figures["parameters"] == 3_346_538


@pytest.mark.parametrize(
    ("architecture", "flags", "message"),
    [
        ("nasnet-a", ["--full-conv"], "--full-conv: has no meaning for an architecture of kind cells."),
        ("nasnet-a", ["--hidden", "3"], "--hidden: has no meaning for an architecture of kind cells."),
        (MACRO, ["--cells", "3"], "--cells: has no meaning for an architecture of kind macro."),
        (MACRO, ["--concat", "released"], "--concat: has no meaning for an architecture of kind macro."),
        (MACRO, ["--filters", "5"], "filters: is '5'; must be a multiple of 2."),
        (MACRO, ["--image-size", "2"], "image_size: is 2; to be halved 2 times it must be at least 3."),
        (BENCHMARK, ["--skeleton", "cifar"], "--skeleton: has no meaning for an architecture of kind nas_bench_201."),
        (BENCHMARK, ["--vocabulary", "9"], "--vocabulary: has no meaning for an architecture of kind nas_bench_201."),
        (RECURRENT, ["--cells", "3"], "--cells: has no meaning for an architecture of kind recurrent."),
        (RECURRENT, ["--concat", "strict"], "--concat: has no meaning for an architecture of kind recurrent."),
        (RECURRENT, ["--image-size", "8"], "--image-size: has no meaning for an architecture of kind recurrent."),
        (RECURRENT, ["--hidden", "0"], "hidden: is 0; must be at least 1."),
    ],
)
def test_what_does_not_belong_is_refused_with_a_sentence(describe, architecture, flags, message):
    assert describe(architecture, *flags) == (2, "", f"{message}\n")
