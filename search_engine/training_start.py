"""What a training starts from when its architecture comes from no search. No PyTorch."""

from search_engine.architectures.reading import Architecture
from search_engine.config.data import DataConfig
from search_engine.config.layout import Layout, LayoutConfig, MacroLayoutConfig, NasBench201LayoutConfig, layout_of_kind
from search_engine.config.recipe import RecipeConfig
from search_engine.config.training import TrainingConfig

_SMALL: dict[str, Layout] = {  # Some ten million mult-adds for a published cell on small grey images.
    "cells": LayoutConfig(normal_cells=1, filters=8),
    "macro": MacroLayoutConfig(filters=8),
    "nas_bench_201": NasBench201LayoutConfig(normal_cells=1, filters=8),
}
# As in the presets of searches: short trainings want a high rate that falls to zero.
_RECIPE = RecipeConfig(
    epochs=6, batch_size=32, learning_rate=0.1, warm_up=0.1, nesterov=True, weight_decay=0.0001, augment=False,
    reestimate_batches=20,
)  # fmt: skip


def small_training(architecture: Architecture, name: str) -> TrainingConfig:
    """A training of minutes on two cores, with the images that come along.

    Raises ArchitectureError for a recurrent cell: it reads text and is no network of images.
    """
    layout = _SMALL[layout_of_kind(architecture.kind).kind]
    return TrainingConfig(
        name=name[:80],
        architecture=architecture.to_json(),
        layout=layout,
        recipe=_RECIPE,
        data=DataConfig(image_size=28, train_examples=8000, held_out_examples=2000),
    )
