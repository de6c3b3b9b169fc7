"""Presets of searches with shared weights."""

import pytest

from search_engine.config.searches import read_search_config
from search_engine.presets import PRESETS
from search_engine.shared_presets import MACRO_RELEASED, MICRO_RELEASED, RECURRENT_RELEASED, SHARED_PRESETS

EACH = pytest.mark.parametrize("preset", SHARED_PRESETS, ids=lambda preset: preset.name)


def test_names_are_unique_among_all_presets():
    names = [preset.name for preset in (*PRESETS, *SHARED_PRESETS)]
    assert len(set(names)) == len(names)


@EACH
def test_a_preset_is_a_valid_configuration_that_reads_back(preset):
    assert read_search_config(preset.config.model_dump(mode="json")) == preset.config
    assert preset.name.startswith(preset.config.method)
    assert preset.sentence.endswith(".") and preset.config.name


@EACH
def test_a_preset_ends_with_a_network_trained_from_scratch(preset):
    assert preset.config.deriving.train >= 1


def test_released_presets_draw_as_many_architectures_an_epoch_as_the_scripts():
    drawn = {preset.name: preset.config.children // preset.config.epochs
             for preset in (MICRO_RELEASED, MACRO_RELEASED, RECURRENT_RELEASED)}  # fmt: skip
    assert drawn == {"enas-micro-released": 300, "enas-macro-released": 1000, "enas-recurrent-released": 1000}


def test_what_released_presets_derive_is_trained_as_one_script_trains_it():
    """Not some numbers of one script and some of another."""
    assert MACRO_RELEASED.config.derived.full_conv  # The script that trains networks has no separable ones.
    derived, recipe = RECURRENT_RELEASED.config.derived, RECURRENT_RELEASED.config.derived_recipe
    assert (derived.hidden, recipe.epochs, recipe.batch_size, recipe.bptt, recipe.random_length) == (
        800, 3000, 64, 35, True,
    )  # fmt: skip
    assert (recipe.learning_rate, recipe.decay, recipe.gradient_clip, recipe.weight_decay) == (20, 1, 0.25, 1.6e-6)
    assert (recipe.drop_words, recipe.drop_inputs, recipe.drop_nodes, recipe.drop_outputs) == (
        0.125, 0.725, 0.225, 0.75,
    )  # fmt: skip
    assert (recipe.activation_penalty, recipe.slowness_penalty, recipe.initial_range) == (0.7, 1, 0.05)
    assert (recipe.averaging, recipe.averaging_patience) == ("when_stalled", 10)
