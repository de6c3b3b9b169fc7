"""Searches to start from, as data. No PyTorch."""

from dataclasses import dataclass

from search_engine.architectures.reading import Architecture
from search_engine.config.budget import BudgetConfig
from search_engine.config.data import DataConfig
from search_engine.config.layout import LayoutConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.config.search import SearchConfig
from search_engine.config.space import NasnetSpaceConfig
from search_engine.config.strategy import PpoConfig
from search_engine.config.training import TrainingConfig


@dataclass(frozen=True, slots=True)
class Preset:
    """A configuration with a name for addresses, a title, and one sentence on what it can and cannot show."""

    name: str
    title: str
    sentence: str
    config: SearchConfig


# Short trainings want a high rate that falls to zero, and batch-norm statistics that are measured anew.
_SHORT_RECIPE = RecipeConfig(
    epochs=1,
    batch_size=32,
    learning_rate=0.1,
    warm_up=0.1,
    nesterov=True,
    weight_decay=0.0001,
    augment=False,
    reestimate_batches=20,
)

DEMO = Preset(
    name="demo",
    title="Two-minute demo",
    sentence=(
        "140 tiny networks on 2,000 small images in about two minutes on two cores: you see the controller learn which "
        "cells learn fast, not which cells are best in the long run."
    ),
    config=SearchConfig(
        name="Two-minute demo",
        space=NasnetSpaceConfig(blocks=2),
        strategy=PpoConfig(step_size=10, learning_rate=0.018, epochs=4, baseline_decay=0.9, normalise_advantages=True),
        child=LayoutConfig(normal_cells=1, reductions=1, filters=8),
        recipe=_SHORT_RECIPE,
        data=DataConfig(image_size=14, train_examples=2000, held_out_examples=2000),
        budget=BudgetConfig(children=140),
    ),
)

COFFEE = Preset(
    name="coffee",
    title="Coffee",
    sentence=(
        "600 small networks of three blocks a cell in about 20 minutes on two cores: long enough for the controller to "
        "settle, still far from the paper's 20,000 networks."
    ),
    config=SearchConfig(
        name="Coffee",
        space=NasnetSpaceConfig(blocks=3),
        strategy=PpoConfig(step_size=20, learning_rate=0.005, epochs=4, baseline_decay=0.9, normalise_advantages=True),
        child=LayoutConfig(normal_cells=1, reductions=1, filters=8),
        recipe=_SHORT_RECIPE,
        data=DataConfig(image_size=14, train_examples=4000, held_out_examples=2000),
        budget=BudgetConfig(children=600),
    ),
)

PRESETS = (DEMO, COFFEE)

FEWEST_IMAGES = 10_000  # Every data set has at least so many training images, held-out ones among them.


def training_defaults(search: SearchConfig, architecture: Architecture) -> TrainingConfig:
    """What "train the best cell for keeps" proposes: the same images, more of them, a larger network, more epochs."""
    most = FEWEST_IMAGES - search.data.held_out_examples
    return TrainingConfig(
        name=f"Best of {search.name}"[:80] if search.name else "",
        architecture=architecture.to_json(),
        layout=search.child.model_copy(update={"normal_cells": 2, "filters": max(16, search.child.filters)}),
        recipe=search.recipe.model_copy(update={"epochs": max(6, search.recipe.epochs)}),
        data=search.data.model_copy(update={"train_examples": max(search.data.train_examples, most)}),
        reproducibility=search.reproducibility,
    )
