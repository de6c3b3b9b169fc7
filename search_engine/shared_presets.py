"""Searches with shared weights to start from, as data. No PyTorch."""

from dataclasses import dataclass
from typing import Any

from search_engine.config.controller import RecurrentControllerConfig
from search_engine.config.controller_presets import EnasKind, released
from search_engine.config.data import DataConfig
from search_engine.config.deriving import DerivingConfig
from search_engine.config.enas_search import EnasMacroSearchConfig, EnasMicroSearchConfig, EnasRecurrentSearchConfig
from search_engine.config.language import LanguageRecipeConfig, RecurrentLayoutConfig, TextDataConfig
from search_engine.config.layout import LayoutConfig, MacroLayoutConfig
from search_engine.config.phases import ControllerPhaseConfig, TextPhaseConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.config.searches import AnyEnasSearchConfig
from search_engine.config.shared_language import SharedLanguageRecipeConfig
from search_engine.config.shared_recipe import SharedRecipeConfig
from search_engine.config.space import EnasMacroSpaceConfig, EnasMicroSpaceConfig, EnasRecurrentSpaceConfig
from search_engine.config.strategy import ReinforceConfig
from search_engine.config.supernet import MacroSupernetConfig, MicroSupernetConfig
from search_engine.config.supernet_presets import supernet_preset
from search_engine.config.supernet_text import RecurrentSupernetConfig


@dataclass(frozen=True, slots=True)
class SharedPreset:
    """A configuration with a name for addresses, a title, and one sentence on what it can and cannot show."""

    name: str
    title: str
    sentence: str
    config: AnyEnasSearchConfig


_SHORT_SHARED = SharedRecipeConfig(
    epochs=12, batch_size=64, learning_rate=0.1, lowest_learning_rate=0.005, first_period=12, weight_decay=0.0001,
    augment=False, dropout_keep=1.0,
)  # fmt: skip
_SHORT_FOR_KEEPS = RecipeConfig(
    epochs=8, batch_size=64, learning_rate=0.1, warm_up=0.1, nesterov=True, weight_decay=0.0001, augment=False,
    reestimate_batches=20,
)  # fmt: skip
_SMALL_IMAGES = DataConfig(image_size=14, train_examples=4000, held_out_examples=2000)

MICRO_DEMO = SharedPreset(
    name="enas-micro-demo",
    title="Cells with shared weights, three minutes",
    sentence=(
        "Twelve epochs of shared weights on 4,000 small images, then the best cells trained from scratch, in about "
        "three minutes on two cores: you see weights and controller learn together, not which cells are best in the "
        "long run."
    ),
    config=EnasMicroSearchConfig(
        name="Cells with shared weights",
        space=EnasMicroSpaceConfig(nodes=3),
        # Scores rise with every epoch: a baseline that remembers few rounds keeps up with them.
        strategy=ReinforceConfig(step_size=10, learning_rate=0.02, baseline_decay=0.9),
        supernet=MicroSupernetConfig(normal_cells=1, reductions=1, filters=8),
        shared=_SHORT_SHARED,
        phases=ControllerPhaseConfig(rounds=20, score_batch=100),
        deriving=DerivingConfig(candidates=30),
        data=_SMALL_IMAGES,
        derived=LayoutConfig(skeleton="enas", normal_cells=1, reductions=1, filters=8),
        derived_recipe=_SHORT_FOR_KEEPS,
    ),
)

MACRO_DEMO = SharedPreset(
    name="enas-macro-demo",
    title="Whole networks with shared weights, three minutes",
    sentence=(
        "Twelve epochs of shared weights for networks of six layers on 6,000 small images, then the best network "
        "trained from scratch, in about three minutes on two cores."
    ),
    config=EnasMacroSearchConfig(
        name="Whole networks with shared weights",
        space=EnasMacroSpaceConfig(layers=6),
        strategy=ReinforceConfig(step_size=10, learning_rate=0.02),
        supernet=MacroSupernetConfig(filters=16),
        shared=_SHORT_SHARED,
        phases=ControllerPhaseConfig(rounds=30, score_batch=100),
        deriving=DerivingConfig(candidates=30),
        data=_SMALL_IMAGES.model_copy(update={"train_examples": 6000}),
        derived=MacroLayoutConfig(filters=16),
        derived_recipe=_SHORT_FOR_KEEPS,
    ),
)

RECURRENT_DEMO = SharedPreset(
    name="enas-recurrent-demo",
    title="A recurrent cell with shared weights, three minutes",
    sentence=(
        "Shared weights of recurrent cells of six nodes read speeches of 2,000 words, then the best cell is trained "
        "from scratch, in about three minutes on two cores: perplexity falls well below that of guessing by frequency."
    ),
    config=EnasRecurrentSearchConfig(
        name="A recurrent cell with shared weights",
        space=EnasRecurrentSpaceConfig(nodes=6),
        strategy=ReinforceConfig(step_size=10, learning_rate=0.01),
        controller=RecurrentControllerConfig(temperature=1.0),
        supernet=RecurrentSupernetConfig(hidden=64),
        shared=SharedLanguageRecipeConfig(epochs=8, minibatches=120),
        phases=TextPhaseConfig(rounds=20, score_batch=16),
        deriving=DerivingConfig(candidates=30),
        data=TextDataConfig(),
        derived=RecurrentLayoutConfig(hidden=64),
        derived_recipe=LanguageRecipeConfig(epochs=1, learning_rate=10.0, test_batch=64),
    ),
)

_CIFAR = DataConfig(name="cifar-10", image_size=32, train_examples=45_000, held_out_examples=5000)
_PUBLISHED = "as the released script runs it, on CIFAR-10: meant for a graphics card and not run here."


def _as_released(kind: EnasKind) -> dict[str, Any]:
    """Space, strategy, controller and shared network of the released script, as parts of a configuration."""
    return {**supernet_preset(kind, "released")._asdict(), **released(kind)._asdict()}


MICRO_RELEASED = SharedPreset(
    name="enas-micro-released",
    title="Cells, as released",
    sentence=f"The micro search {_PUBLISHED} Unlike the script's, its second head learns.",
    config=EnasMicroSearchConfig(
        name="Cells, as released",
        **_as_released("enas-micro"),
        shared=SharedRecipeConfig(epochs=150, batch_size=160, auxiliary_weight=0.4),
        phases=ControllerPhaseConfig(rounds=30, score_batch=160),
        data=_CIFAR,
    ),
)

MACRO_RELEASED = SharedPreset(
    name="enas-macro-released",
    title="Whole networks, as released",
    sentence=f"The macro search {_PUBLISHED} Unlike in the script, every operation runs, and not the last one always.",
    config=EnasMacroSearchConfig(
        name="Whole networks, as released",
        **_as_released("enas-macro"),
        shared=SharedRecipeConfig(epochs=310, batch_size=128, weight_decay=0.0005),
        phases=ControllerPhaseConfig(rounds=50, score_batch=128),
        data=_CIFAR,
        derived=MacroLayoutConfig(full_conv=True),
    ),
)

# The script's loss is the sum over a stretch: its rate times 35, its clip and decay divided by 35, are the same on the
# mean. Its floor under the rate is left out.
RECURRENT_RELEASED = SharedPreset(
    name="enas-recurrent-released",
    title="A recurrent cell, as released",
    sentence=(
        "The recurrent search as the first released script runs it, on speeches of 10,000 words in place of the Penn "
        "Treebank: 289 million shared numbers, meant for a graphics card and not run here. Its cell is trained from "
        "scratch as the second release trains one."
    ),
    config=EnasRecurrentSearchConfig(
        name="A recurrent cell, as released",
        **_as_released("enas-recurrent"),
        shared=SharedLanguageRecipeConfig(
            epochs=100, batch_size=20, learning_rate=8.75, decay=0.95, decay_from=13, gradient_clip=10 / 35,
            weight_decay=2e-7 / 35, initial_range=0.04, drop_words=0.25, drop_inputs=0.75, drop_nodes=0.25,
            drop_outputs=0.75,
        ),
        phases=TextPhaseConfig(rounds=100, score_batch=20),
        data=TextDataConfig(name="state-of-the-union-10k"),
        derived=RecurrentLayoutConfig(hidden=800),
        derived_recipe=LanguageRecipeConfig(
            epochs=3000, batch_size=64, random_length=True, decay=1.0, initial_range=0.05, drop_words=0.125,
            drop_inputs=0.725, drop_nodes=0.225, drop_outputs=0.75, activation_penalty=0.7, slowness_penalty=1.0,
        ),
    ),
)  # fmt: skip

SHARED_PRESETS = (MICRO_DEMO, MACRO_DEMO, RECURRENT_DEMO, MICRO_RELEASED, MACRO_RELEASED, RECURRENT_RELEASED)
