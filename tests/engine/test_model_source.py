import ast
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.cell import COMBINATIONS, OPERATIONS, Block, Cell, loose_ends
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.macro import MACRO_OPERATIONS, MacroArchitecture, MacroLayer
from search_engine.architectures.nas_bench_201 import (
    NAS_BENCH_201_EDGES,
    NAS_BENCH_201_OPERATIONS,
    NasBench201Architecture,
)
from search_engine.catalogue.published import read_published
from search_engine.config.layout import LayoutConfig, MacroLayoutConfig, NasBench201LayoutConfig
from search_engine.export.model_source import model_source
from search_engine.network_plan import plan
from search_engine.networks.plan_network import PlanNetwork

NASNET_A = read_published("nasnet-a").architecture
LAYERS = ("conv_3x3", "sep_conv_5x5", "max_pool_3x3", "conv_5x5", "avg_pool_3x3", "sep_conv_3x3", "conv_3x3")
PRINTED = {
    "cells": (NASNET_A, LayoutConfig(skeleton="imagenet", filters=44, normal_cells=2)),
    "macro": (
        MacroArchitecture(tuple(MacroLayer(name, (0, index)[: index + 1]) for index, name in enumerate(LAYERS))),
        MacroLayoutConfig(),
    ),
    "nas_bench_201": (
        NasBench201Architecture(("nor_conv_3x3", "none", "skip_connect", "avg_pool_3x3", "nor_conv_1x1", "none")),
        NasBench201LayoutConfig(),
    ),
}


@st.composite
def cells(draw):
    blocks = []
    for index in range(draw(st.integers(1, 4))):
        states = st.integers(0, index + 1)
        operations = st.sampled_from(OPERATIONS)
        pair = st.tuples(operations, operations)
        blocks.append(Block(draw(st.tuples(states, states)), draw(pair), draw(st.sampled_from(COMBINATIONS))))
    also = draw(st.sets(st.integers(0, len(blocks) + 1)))
    return Cell(tuple(blocks), tuple(sorted({*loose_ends(blocks), *also})))


@st.composite
def layouts(draw):
    skeleton = draw(st.sampled_from(["cifar", "imagenet", "enas", "darts"]))
    return LayoutConfig(
        skeleton=skeleton,
        normal_cells=draw(st.integers(1, 2)),
        reductions=draw(st.integers(1, 2)),
        filters=8,
        previous_after_reduction=draw(st.sampled_from(["one-before", "two-before"])),
        average_counts_padding=draw(st.booleans()),
    )


@st.composite
def macros(draw):
    count = draw(st.integers(1, 9))
    skips = [draw(st.sets(st.integers(0, index))) for index in range(count)]
    layers = tuple(MacroLayer(draw(st.sampled_from(MACRO_OPERATIONS)), tuple(sorted(each))) for each in skips)
    return MacroArchitecture(layers), MacroLayoutConfig(filters=8, full_conv=draw(st.booleans()))


@st.composite
def benchmark_cells(draw):
    operations = st.tuples(*[st.sampled_from(NAS_BENCH_201_OPERATIONS)] * len(NAS_BENCH_201_EDGES))
    layout = NasBench201LayoutConfig(normal_cells=draw(st.integers(1, 2)), filters=4)
    return NasBench201Architecture(draw(operations)), layout


def made_from(source):
    names = {}
    exec(compile(source, "model.py", "exec"), names)
    return names["Network"]()


@settings(max_examples=12, deadline=None)
@given(cells(), cells(), layouts(), st.integers(19, 26), st.integers(1, 3))
def test_the_file_computes_what_the_plan_computes_with_the_same_names(normal, reduction, layout, size, channels):
    network_plan = plan(
        CellArchitecture(normal, reduction),
        layout,
        image_channels=channels,
        image_size=size,
        classes=3,
        drop_path=channels == 2,
    )
    assert_computes_the_same(network_plan)


@settings(max_examples=25, deadline=None)
@given(st.one_of(macros(), benchmark_cells()), st.integers(9, 16))
def test_networks_of_other_kinds_are_printed_too(network, size):
    assert_computes_the_same(plan(*network, image_channels=2, image_size=size, classes=3))


def assert_computes_the_same(network_plan):
    channels, size, _ = network_plan.image
    ours = PlanNetwork(network_plan, generator=torch.Generator().manual_seed(1)).double().eval()
    taken_away = made_from(model_source(network_plan, about="A test.")).double().eval()
    taken_away.load_state_dict(dict(ours.state_dict()))
    images = torch.randn(2, channels, size, size, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(taken_away(images), ours(images), rtol=1e-9, atol=1e-9)


def test_cells_that_differ_in_width_only_share_a_class():
    source = model_source(
        plan(NASNET_A, LayoutConfig(normal_cells=6), image_channels=3, image_size=32, classes=10), about="NASNet-A."
    )
    classes = [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    assert classes[-5:] == ["FirstNormalCell", "NormalCell", "ReductionCell", "NormalCellAfterReduction", "Network"]
    assert "self.cell_17 = NormalCell(768, 768, 128)" in source
    assert "        block_2 = avg_pool(current, 3, 1) + previous\n" in source


def test_nothing_in_the_file_is_there_for_a_branch_that_no_output_needs():
    unread = Cell((Block((0, 0), ("conv_3x3", "identity"), "add"),), (2,))
    source = model_source(
        plan(CellArchitecture(unread, unread), LayoutConfig(), image_channels=1, image_size=8, classes=2), about="One."
    )
    assert "previous" not in source


@pytest.mark.parametrize("kind", PRINTED)
def test_every_part_of_the_file_is_used(kind):
    tree = ast.parse(model_source(plan(*PRINTED[kind], image_channels=3, image_size=64, classes=10), about="One."))
    defined = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert defined - used == {"Network"}


def test_the_auxiliary_head_stays_behind():
    network_plan = plan(NASNET_A, LayoutConfig(), image_channels=3, image_size=32, classes=10, auxiliary=True)
    assert "auxiliary" not in model_source(network_plan, about="NASNet-A.")


@pytest.mark.parametrize("kind", PRINTED)
def test_a_linter_finds_nothing_wrong_with_the_file(kind, tmp_path):
    path = tmp_path / "model.py"
    network_plan = plan(*PRINTED[kind], image_channels=3, image_size=64, classes=10)
    path.write_text(model_source(network_plan, about="A network."), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select",
        "E3,E4,E7,E9,F,I",
        "--preview",
        str(path),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout


def test_the_file_imports_torch_and_the_standard_library_only():
    network_plan = plan(NASNET_A, LayoutConfig(), image_channels=3, image_size=32, classes=10)
    tree = ast.parse(model_source(network_plan, about="NASNet-A."))
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {name.split(".")[0] for name in imported} == {"torch", "collections"}
