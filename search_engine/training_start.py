"""What a training starts from, with an architecture out of a search or without one. No PyTorch."""

from search_engine.architectures.reading import Architecture
from search_engine.config.data import DataConfig
from search_engine.config.language import LanguageRecipeConfig, LanguageTrainingConfig, RecurrentLayoutConfig
from search_engine.config.layout import Layout, LayoutConfig, MacroLayoutConfig, NasBench201LayoutConfig, layout_of_kind
from search_engine.config.recipe import RecipeConfig
from search_engine.config.search import SearchConfig
from search_engine.config.training import TrainingConfig
from search_engine.config.trainings import AnyTrainingConfig

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
# On text: few units, and a rate that falls within the few epochs that there are.
_SMALL_RECURRENT = RecurrentLayoutConfig(hidden=64)
_TEXT_RECIPE = LanguageRecipeConfig(epochs=4, decay=0.5, decay_from=3)
PROPOSED_IMAGES = 10_000  # Of a training for keeps, held-out ones among them, where there are so many.


def small_training(architecture: Architecture, name: str) -> AnyTrainingConfig:
    """A training of minutes on two cores, with the images or the text that come along."""
    if architecture.kind == "recurrent":
        return LanguageTrainingConfig(
            name=name[:80], architecture=architecture.to_json(), layout=_SMALL_RECURRENT, recipe=_TEXT_RECIPE
        )
    layout = _SMALL[layout_of_kind(architecture.kind).kind]
    return TrainingConfig(
        name=name[:80],
        architecture=architecture.to_json(),
        layout=layout,
        recipe=_RECIPE,
        data=DataConfig(image_size=28, train_examples=8000, held_out_examples=2000),
    )


def training_defaults(search: SearchConfig, architecture: Architecture, *, images: int) -> TrainingConfig:
    """What "train the best cell for keeps" proposes: the same images, more of them, a larger network, more epochs.

    images: how many the data set has for training and holding out.
    """
    most = min(images, PROPOSED_IMAGES) - search.data.held_out_examples
    return TrainingConfig(
        name=f"Best of {search.name}"[:80] if search.name else "",
        architecture=architecture.to_json(),
        layout=search.child.model_copy(update={"normal_cells": 2, "filters": max(16, search.child.filters)}),
        recipe=search.recipe.model_copy(update={"epochs": max(6, search.recipe.epochs)}),
        data=search.data.model_copy(update={"train_examples": max(search.data.train_examples, most)}),
        reproducibility=search.reproducibility,
    )
