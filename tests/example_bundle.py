"""A bundle as small as one can be, made without a training: weights of zeros, and figures that nobody measured."""

from typing import Any

import numpy as np
from safetensors.numpy import save

from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.config.layout import NasBench201LayoutConfig
from search_engine.config.reading import read_config
from search_engine.config.training import TrainingConfig
from search_engine.export.bundle_file import WEIGHTS, in_one_order, weights_metadata, zipped
from search_engine.network_plan import plan

CELL = NasBench201Architecture(("nor_conv_3x3", "skip_connect", "avg_pool_3x3", "none", "nor_conv_1x1", "nor_conv_3x3"))
LAYOUT = NasBench201LayoutConfig(normal_cells=1, filters=4)
RESULTS = {"held_out_accuracy": 0.75, "test_accuracy": 0.5, "test_examples": 2000}
DATA = {"name": "fashion-mnist-10k", "title": "Fashion-MNIST", "channels": 1, "classes": ["shirt", "shoe"]}


def a_bundle(**changes: Any) -> bytes:
    """changes: of what the weights say, such as results or data."""
    return zipped(
        {WEIGHTS: in_one_order(save(tensors(), metadata(**changes))), "model.py": b"raise SystemExit('never run')\n"}
    )


def tensors() -> dict[str, Any]:
    network = plan(CELL, LAYOUT, image_channels=1, image_size=28, classes=2)
    shapes = {**network.parameter_shapes(), **network.buffer_shapes()}
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


def metadata(**changes: Any) -> dict[str, str]:
    value = {
        "name": "Grey clothes",
        "architecture": CELL.to_json(),
        "layout": LAYOUT.model_dump(mode="json"),
        "data": {"image_size": 28, "held_out_examples": 1000, "train_examples": 5000},
    }
    config = read_config(TrainingConfig, value).model_dump(mode="json")
    told = {
        "architecture": CELL.to_json(),
        "layout": config["layout"],
        "normalisation": {"scale": [0.01], "offset": [0.0]},
        "config": config,
        "data": DATA,
        "results": RESULTS,
        "hash": CELL.hash,
        "code_version": "1",
    }
    return weights_metadata(told | changes)


def with_directory_of(entries: int) -> bytes:
    """A zip that lists so many empty files."""
    return zipped({f"{number}": b"" for number in range(entries)})
