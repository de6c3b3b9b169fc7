"""Searches to start from, as data. No PyTorch."""

from dataclasses import dataclass

from search_engine.config.budget import BudgetConfig
from search_engine.config.data import DataConfig
from search_engine.config.finals import FinalsConfig
from search_engine.config.layout import LayoutConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.config.search import SearchConfig
from search_engine.config.space import NasnetSpaceConfig
from search_engine.config.strategy import PpoConfig


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

NIGHT = Preset(
    name="night",
    title="Night",
    sentence=(
        "2,000 networks of four blocks a cell, then the ten best trained again and the best of them kept: reckoned as "
        "a night on two cores, not run to its end here; the cost says how long it takes on your workers."
    ),
    config=SearchConfig(
        name="Night",
        space=NasnetSpaceConfig(blocks=4),
        strategy=PpoConfig(step_size=20, learning_rate=0.003, epochs=4, baseline_decay=0.9, normalise_advantages=True),
        child=LayoutConfig(normal_cells=1, reductions=1, filters=8),
        recipe=_SHORT_RECIPE,
        data=DataConfig(image_size=20, train_examples=8000, held_out_examples=2000),
        budget=BudgetConfig(children=2000),
        finals=FinalsConfig(children=10, epochs=20, normal_cells=2, filters=16),
    ),
)

ONE_GPU = Preset(
    name="gpu",
    title="One GPU",
    sentence=(
        "2,000 networks on CIFAR-10 at full size, then the 20 best trained again: meant for about a day on one "
        "graphics card, which is reckoned and was not run; a tenth of the paper's networks, each trained far shorter."
    ),
    config=SearchConfig(
        name="One GPU",
        space=NasnetSpaceConfig(blocks=5),
        strategy=PpoConfig(step_size=20, learning_rate=0.003, epochs=4, baseline_decay=0.9, normalise_advantages=True),
        child=LayoutConfig(normal_cells=2, reductions=2, filters=16),
        recipe=RecipeConfig(epochs=3, batch_size=128, learning_rate=0.1, warm_up=0.1, reestimate_batches=20),
        data=DataConfig(name="cifar-10", image_size=32, train_examples=20_000, held_out_examples=5000),
        budget=BudgetConfig(children=2000),
        finals=FinalsConfig(children=20, epochs=30, normal_cells=4, filters=16),
    ),
)

# What paper and released code state, and our choices where both are silent (PPO's details, F while searching, what the
# finalists look like): each of those settings says so itself.
AS_PUBLISHED = Preset(
    name="published",
    title="As published",
    sentence=(
        "Every setting as the paper or its released code states it, where they do: 20,000 networks on CIFAR-10, then "
        "the 250 best trained on. The paper took 4 days on 500 GPUs; two cores need decades, as the cost shows."
    ),
    config=SearchConfig(
        name="As published",
        data=DataConfig(name="cifar-10", image_size=32, train_examples=45_000, held_out_examples=5000),
        budget=BudgetConfig(children=20_000),
        finals=FinalsConfig(children=250),
    ),
)

PRESETS = (DEMO, COFFEE, NIGHT, ONE_GPU, AS_PUBLISHED)
