"""Configurations of searches with shared weights: what is refused, and what a training of what they find looks like."""

import pytest

from search_engine.config.enas_search import EnasMacroSearchConfig, EnasMicroSearchConfig, EnasRecurrentSearchConfig
from search_engine.config.language import LanguageTrainingConfig
from search_engine.config.search import SearchConfig
from search_engine.config.searches import ENAS_METHODS, read_enas_config, read_search_config
from search_engine.config.training import TrainingConfig
from search_engine.errors import ConfigError
from search_engine.seeds import derive
from search_engine.spaces.build import build_space

MICRO, MACRO, RECURRENT = ENAS_METHODS


def first_of(config):
    """Some architecture of the space."""
    space = build_space(config.space)
    return space.decode([derive(1, "x", index) % len(each.options) for index, each in enumerate(space.decisions)])


@pytest.mark.parametrize(("method", "model"), ENAS_METHODS.items())
def test_the_method_chooses_the_model_and_defaults_read_back(method, model):
    config = read_search_config({"method": method})
    assert type(config) is model
    assert read_search_config(config.model_dump(mode="json")) == config


def test_what_names_no_method_is_a_search_as_before():
    config = read_search_config({})
    assert config == SearchConfig() and "method" not in config.model_dump()
    with pytest.raises(ConfigError, match="is missing; must be enas-micro or enas-macro or enas-recurrent") as error:
        read_enas_config({})
    assert error.value.field == "method"


@pytest.mark.parametrize(
    ("value", "field", "message"),
    [
        ({"method": "enas"}, "method", "is 'enas'; must be enas-micro or enas-macro or enas-recurrent, or left out."),
        ({"method": ["enas-micro"]}, "method",
         "is ['enas-micro']; must be enas-micro or enas-macro or enas-recurrent, or left out."),
        ({"method": MICRO, "budget": {}}, "budget", "is not a setting of this program."),
        ({"method": MACRO, "strategy": {"kind": "ppo", "lookahead": 1}}, "strategy.lookahead",
         "is 1; with shared weights it must be 0."),
        ({"method": MACRO, "deriving": {"candidates": 3, "train": 4}}, "deriving.train",
         "is 4; must be at most the number of candidates, 3."),
        ({"method": MACRO, "phases": {"score_batch": 3000}}, "phases.score_batch",
         "is 3000; must be at most the number of held-out images, 2000."),
        ({"method": MACRO, "shared": {"auxiliary_weight": 0.4}}, "shared.auxiliary_weight",
         "is 0.4; macro networks have no auxiliary head, so it must be 0."),
        ({"method": MACRO, "shared": {"cutout": 29}}, "shared.cutout",
         "is 29; must be at most the size of the images, 28."),
        ({"method": MACRO, "derived_recipe": {"cutout": 29}}, "derived_recipe.cutout",
         "is 29; must be at most the size of the images, 28."),
        ({"method": MACRO, "derived_recipe": {"drop_path": "time"}}, "derived_recipe.drop_path",
         'is "time"; only networks of cells have it, so it must be "off".'),
        ({"method": MICRO, "shared": {"learning_rate": 0.0001}}, "shared.lowest_learning_rate",
         "is 0.0005; must be at most the learning rate, 0.0001."),
        ({"method": MICRO, "derived_recipe": {"schedule": "restarts", "learning_rate": 0.0001}},
         "derived_recipe.lowest_rate", "is 0.001; must be at most the learning rate, 0.0001."),
        ({"method": MICRO, "supernet": {"reductions": 4}}, "data.image_size",
         "is 28; to be halved 4 times it must be at least 32."),
        ({"method": MICRO, "supernet": {"reductions": 1}, "shared": {"auxiliary_weight": 0.4}},
         "shared.auxiliary_weight", "is 0.4; the auxiliary head stands before the second reduction cell, and this "
         "network has one, so it must be 0."),
        ({"method": MICRO, "controller": {"skip_weight": 1}}, "controller.skip_weight",
         "is not a setting of this program."),
        ({"method": MACRO, "controller": {"skip_prior": 1e-50}}, "controller.skip_prior",
         "is 1e-50; must be at least 0.001."),
        ({"method": RECURRENT, "phases": {"scale": 0}}, "phases.scale", "is 0; must be more than 0."),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_at_its_field_with_a_sentence(value, field, message):
    with pytest.raises(ConfigError) as error:
        read_search_config(value)
    assert (error.value.field, error.value.message) == (field, message)


def test_children_are_all_that_the_strategy_draws_in_all_rounds():
    config = EnasMacroSearchConfig.model_validate(
        {"shared": {"epochs": 3}, "phases": {"rounds": 5}, "strategy": {"kind": "random", "step_size": 7}}
    )
    assert (config.epochs, config.children) == (3, 105)


@pytest.mark.parametrize("model", [EnasMicroSearchConfig, EnasMacroSearchConfig])
def test_what_is_derived_is_trained_on_the_images_of_the_search_in_its_own_layout(model):
    config = model()
    architecture = first_of(config)
    training = config.final_training(architecture.to_json(), "n" * 100)
    assert isinstance(training, TrainingConfig)
    assert (training.layout, training.recipe, training.data) == (config.derived, config.derived_recipe, config.data)
    assert training.reproducibility == config.reproducibility and training.name == "n" * 80


def test_a_derived_cell_is_trained_on_the_text_of_the_search():
    config = EnasRecurrentSearchConfig()
    training = config.final_training(first_of(config).to_json(), "cell")
    assert isinstance(training, LanguageTrainingConfig)
    assert (training.layout, training.recipe, training.data) == (config.derived, config.derived_recipe, config.data)
