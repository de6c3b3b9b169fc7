import ast
import subprocess
import sys

import pytest
import torch

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.macro import MacroArchitecture, MacroLayer
from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.config.layout import LayoutConfig, MacroLayoutConfig, NasBench201LayoutConfig
from search_engine.export.bundle import trained_detection_source
from search_engine.export.detection_source import detection_source
from search_engine.network_plan import plan
from search_engine.networks.feature_network import FeatureNetwork
from search_engine.networks.plan_network import PlanNetwork
from search_engine.training.trained_network import TrainedNetwork

CELL = Cell(
    (Block((0, 1), ("sep_conv_3x3", "max_pool_3x3"), "add"), Block((2, 0), ("avg_pool_3x3", "conv_3x3"), "concat")),
    (3,),
)
CELLS = CellArchitecture(CELL, CELL)
PRINTED = {
    "cifar": (CELLS, LayoutConfig(normal_cells=1, filters=4)),
    "imagenet": (CELLS, LayoutConfig(skeleton="imagenet", normal_cells=1, filters=8)),
    "enas": (CELLS, LayoutConfig(skeleton="enas", normal_cells=1, filters=4)),
    "darts": (CELLS, LayoutConfig(skeleton="darts", normal_cells=1, filters=4)),
    "macro": (
        MacroArchitecture(tuple(MacroLayer("sep_conv_3x3", (index,)) for index in range(3))),
        MacroLayoutConfig(filters=4),
    ),
    "nas_bench_201": (
        NasBench201Architecture(("nor_conv_3x3",) * 6),
        NasBench201LayoutConfig(normal_cells=1, filters=4),
    ),
}


def printed(kind):
    return detection_source(
        *PRINTED[kind], image_channels=3, mean=(0.5, 0.4, 0.3), deviation=(0.2, 0.2, 0.2), about="A test."
    )


def names_of(source):
    names = {}
    exec(compile(source, "detection.py", "exec"), names)
    return names


@pytest.mark.parametrize("kind", PRINTED)
@pytest.mark.parametrize(("height", "width"), [(64, 64), (37, 50)])
def test_the_file_gives_the_maps_that_the_engine_gives(kind, height, width):
    ours = FeatureNetwork(
        *PRINTED[kind], image_channels=3, image_size=32, generator=torch.Generator().manual_seed(1)
    ).double()
    taken_away = names_of(printed(kind))["Backbone"]().double()
    taken_away.load_state_dict(dict(ours.state_dict()))
    images = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    with torch.no_grad():
        expected, found = ours(images), taken_away(images)
    assert list(expected) == list(found)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-9, atol=1e-9)


def test_a_linter_finds_nothing_wrong_and_only_torch_and_torchvision_are_needed(tmp_path):
    for kind in PRINTED:
        (tmp_path / f"{kind}.py").write_text(printed(kind), encoding="utf-8")
        tree = ast.parse(printed(kind))
        imported = {
            (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        assert imported == {"torch", "torchvision", "collections"}
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E3,E4,E7,E9,F,I", "--preview"]
    result = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout


def test_the_detector_of_the_file_learns_from_a_step_with_the_weights_of_a_classifier():
    names = names_of(printed("cifar"))
    weights = dict(names["Backbone"]().state_dict()) | {"head.linear.weight": torch.zeros(10, 16)}
    model = names["detector"](2, weights, 8, min_size=64, max_size=64, rpn_post_nms_top_n_train=20)
    target = {"boxes": torch.tensor([[8.0, 8.0, 40.0, 40.0]]), "labels": torch.tensor([1])}
    sum(model.train()([torch.rand(3, 64, 64)], [target]).values()).backward()
    assert all(each.grad is not None for each in model.backbone.body.parameters())
    with torch.no_grad():
        assert set(model.eval()([torch.rand(3, 64, 64)])[0]) == {"boxes", "labels", "scores"}
    assert model.transform.image_mean == [0.5, 0.4, 0.3]


def test_the_file_of_a_training_normalises_as_the_training_did():
    architecture, layout = PRINTED["cifar"]
    config = {
        "name": "One", "architecture": architecture.to_json(), "layout": layout.model_dump(mode="json"),
        "data": {"image_size": 28},
    }  # fmt: skip
    normalisation = {"scale": [0.01], "offset": [-0.5]}
    network = plan(architecture, layout, image_channels=1, image_size=28, classes=2)
    tensors = PlanNetwork(network, generator=torch.Generator().manual_seed(1)).state_dict()
    noted = {"config": config, "normalisation": normalisation, "data": {"classes": ["a", "b"], "channels": 1}}
    noted["data"] |= {"name": "fashion-mnist-10k", "title": "F", "licence": "MIT", "sha256": "0", "origin": "embedded"}
    trained = TrainedNetwork(tensors, noted | {"held_out_accuracy": 0.5})
    names = names_of(trained_detection_source(trained))
    byte = 200.0
    (mean,), (deviation,) = names["MEAN"], names["DEVIATION"]
    assert (byte / 255 - mean) / deviation == pytest.approx(byte * 0.01 - 0.5)
    assert names["detector"](1, tensors).backbone.body.stem.conv.weight.shape == (12, 1, 3, 3)


def test_weights_that_lack_a_tensor_are_refused():
    names = names_of(printed("cifar"))
    with pytest.raises(RuntimeError, match="stem"):
        names["detector"](2, {})
