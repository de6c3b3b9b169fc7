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
