"""The printed file has nothing that its network does not use: no option, no default, no line that never runs."""

import ast
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.architectures.recurrent import RecurrentArchitecture, RecurrentNode
from search_engine.catalogue.published import published_names, read_published
from search_engine.config.layout import LayoutConfig, MacroLayoutConfig, NasBench201LayoutConfig
from search_engine.export.model_source import model_source
from search_engine.export.recurrent_source import recurrent_source
from search_engine.network_plan import plan
from tests.engine.test_model_source import assert_computes_the_same, benchmark_cells, cells, layouts, macros

SKELETONS = ("cifar", "imagenet", "enas", "darts")
PUBLISHED = {name: read_published(name).architecture for name in published_names()}
TEXTS = [name for name, architecture in PUBLISHED.items() if isinstance(architecture, RecurrentArchitecture)]
IMAGES = [
    (name, skeleton)
    for name, architecture in PUBLISHED.items()
    if name not in TEXTS
    for skeleton in (SKELETONS if isinstance(architecture, CellArchitecture) else ("",))
]


def published_plan(name, skeleton, size):
    architecture = PUBLISHED[name]
    layout = MacroLayoutConfig(filters=4)
    if isinstance(architecture, CellArchitecture):
        counts_padding = skeleton in ("darts", "imagenet")
        layout = LayoutConfig(skeleton=skeleton, filters=8, normal_cells=1, average_counts_padding=counts_padding)
    elif isinstance(architecture, NasBench201Architecture):
        layout = NasBench201LayoutConfig(filters=4, normal_cells=1)
    return plan(architecture, layout, image_channels=3, image_size=size, classes=4)


def assert_nothing_is_dead(source, *inputs):
    """Runs the file: made, in training, in use. What it imports is torch or of Python."""
    tree = ast.parse(source)
    lines_run = lines_that_run(source, *inputs)
    lines = source.splitlines()
    never = [lines[line - 1] for line in sorted(lines_of(tree) - lines_run)]
    assert not never, never
    assert_no_idle_option(tree)
    branches = [node for node in ast.walk(tree) if isinstance(node, ast.If | ast.Match | ast.While | ast.Try)]
    assert not branches, [ast.unparse(node) for node in branches]


def lines_that_run(source, *inputs):
    run = set()

    def trace(frame, event, _):
        if frame.f_code.co_filename != "printed.py":
            return None
        run.add(frame.f_lineno)
        return trace

    sys.settrace(trace)
    try:
        names = {"__name__": "printed"}
        exec(compile(source, "printed.py", "exec"), names)
        network = names["Network"]()
        network.train()(*inputs)
        with torch.no_grad():
            network.eval()(*inputs)
    finally:
        sys.settrace(None)
    return run


def lines_of(tree):
    """The first line of every statement that does something."""
    bodies = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module)]
    statements = [statement for node in bodies for statement in node.body]
    return {
        each.lineno for each in statements if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
    }


def assert_no_idle_option(tree):
    """Every default is used by some call and not by all; no call passes a truth value; every argument is read."""
    functions = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
            functions |= {node.name: methods["__init__"]} if "__init__" in methods else {}
        elif isinstance(node, ast.FunctionDef):
            if node.name not in ("__init__", "forward"):  # A class stands for its constructor; anybody calls a network.
                functions[node.name] = node
            read = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} | {"self"}
            assert {each.arg for each in (*node.args.args, *node.args.kwonlyargs)} <= read, node.name
    bases = {
        node.name: node.bases[0].id
        for node in tree.body
        if isinstance(node, ast.ClassDef) and isinstance(node.bases[0], ast.Name)
    }
    calls = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            calls.setdefault(bases.get(node.func.id, node.func.id), []).append({each.arg for each in node.keywords})
    for name, function in functions.items():
        for option, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
            passed = [option.arg in call for call in calls[name]]
            assert any(passed) and all(passed) == (default is None), (name, option.arg)
        assert not function.args.defaults or name == "missing", name
    truths = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value is True]
    assert not truths


@pytest.mark.parametrize("size", [20, 27])
@pytest.mark.parametrize(("name", "skeleton"), IMAGES)
def test_nothing_is_dead_in_any_network_of_the_catalogue(name, skeleton, size):
    network_plan = published_plan(name, skeleton, size)
    source = model_source(network_plan, about="One.")
    assert_nothing_is_dead(source, torch.rand(2, 3, size, size))
    assert_computes_the_same(network_plan)


@settings(max_examples=25, deadline=None)
@given(cells(), cells(), layouts(), st.integers(19, 26))
def test_nothing_is_dead_in_networks_of_cells_of_any_shape(normal, reduction, layout, size):
    network_plan = plan(CellArchitecture(normal, reduction), layout, image_channels=2, image_size=size, classes=3)
    assert_nothing_is_dead(model_source(network_plan, about="One."), torch.rand(2, 2, size, size))


@settings(max_examples=25, deadline=None)
@given(st.one_of(macros(), benchmark_cells()), st.integers(9, 16))
def test_nothing_is_dead_in_networks_of_other_kinds(network, size):
    network_plan = plan(*network, image_channels=2, image_size=size, classes=3)
    assert_nothing_is_dead(model_source(network_plan, about="One."), torch.rand(2, 2, size, size))


ONE_NODE = RecurrentArchitecture((RecurrentNode(None, "relu"),), (0,)).validated()
ALIKE = RecurrentArchitecture((RecurrentNode(None, "tanh"), RecurrentNode(0, "tanh")), (0, 1)).validated()
FIRST_APART = RecurrentArchitecture(
    (RecurrentNode(None, "tanh"), RecurrentNode(0, "identity"), RecurrentNode(1, "identity")), (2,)
).validated()


@pytest.mark.parametrize("architecture", [*(PUBLISHED[name] for name in TEXTS), ONE_NODE, ALIKE, FIRST_APART])
def test_nothing_is_dead_in_a_network_on_text(architecture):
    source = recurrent_source(architecture, vocabulary=5, hidden=4, about="One.")
    assert_nothing_is_dead(source, torch.zeros(3, 2, dtype=torch.int64))
    names = [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    assert ("Node" in names) == (len(architecture.nodes) > 1)
    first, *rest = [node.activation for node in architecture.nodes]
    assert ("highway(activation, product" in source) == (len({first, *rest}) > 1)
    assert ("self.activation" in source) == (len(set(rest)) > 1)
