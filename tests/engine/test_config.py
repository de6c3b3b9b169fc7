import json
import pkgutil
from importlib import import_module

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from search_engine import config
from search_engine.config.base import Config
from search_engine.config.layout import LayoutConfig, MacroLayoutConfig, NasBench201LayoutConfig, layout_of_kind
from search_engine.config.reading import config_errors, read_config
from search_engine.config.search import SearchConfig
from search_engine.config.strategy import EvolutionConfig, LocalSearchConfig, PpoConfig, PpoReplayConfig, RandomConfig
from search_engine.config.training import TrainingConfig
from search_engine.errors import ConfigError

SENTENCES = [
    (None, "", "is empty; must be an object."),
    ([], "", "is []; must be an object."),
    ({"speed": 1}, "speed", "is not a setting of this program."),
    ({1: 2}, "1", "is not a setting of this program."),
    ({"random": 1}, "random", "is not a setting of this program."),
    ({"name": "x" * 81}, "name", "has 81 characters; must have at most 80."),
    ({"name": 5}, "name", "is 5; must be text."),
    ({"name": "\ud800"}, "name", r"is '\ud800'; must be text of valid characters."),
    ({"strategy": 5}, "strategy", "is 5; must be an object."),
    ({"strategy": {}}, "strategy.kind", "is missing."),
    (
        {"strategy": {"kind": "luck"}},
        "strategy.kind",
        "is 'luck'; must be 'ppo' or 'ppo-replay' or 'evolution' or 'local' or 'random'.",
    ),
    ({"strategy": {"kind": "ppo", "clip": 2}}, "strategy.clip", "is 2; must be less than 1."),
    ({"strategy": {"kind": "ppo", "clip": 0}}, "strategy.clip", "is 0; must be more than 0."),
    ({"strategy": {"kind": "ppo", "ppo": 0}}, "strategy.ppo", "is not a setting of this program."),
    ({"strategy": {"kind": "random", "clip": 0.1}}, "strategy.clip", "is not a setting of this program."),
    ({"space": {"blocks": "many"}}, "space.blocks", "is 'many'; must be a whole number."),
    ({"space": {"blocks": ""}}, "space.blocks", "is empty; must be a whole number."),
    ({"space": {"blocks": 1.5}}, "space.blocks", "is 1.5; must be a whole number."),
    ({"space": {"blocks": 8}}, "space.blocks", "is 8; must be at most 7."),
    ({"space": {"blocks": 0}}, "space.blocks", "is 0; must be at least 1."),
    ({"space": {"blocks": float("nan")}}, "space.blocks", "is nan; must be a finite number."),
    ({"space": {"kind": "enas"}}, "space.kind", "is 'enas'; must be 'nasnet'."),
    ({"space": {"operations": []}}, "space.operations", "has 0 chosen; must have at least 1."),
    ({"space": {"operations": "identity"}}, "space.operations", "is 'identity'; must be a list."),
    ({"space": {"operations": [5]}}, "space.operations.0", "is 5; must be text."),
    ({"space": {"operations": ["identity"] * 2}}, "space.operations", "names one twice; each may be named once."),
    ({"space": {"combinations": ["mul"]}}, "space.combinations", "'mul' is unknown; must be one of add, concat."),
    ({"child": {"filters": 5}}, "child.filters", "is 5; must be a multiple of 2."),
    ({"recipe": {"learning_rate": "fast"}}, "recipe.learning_rate", "is 'fast'; must be a number."),
    ({"recipe": {"learning_rate": float("inf")}}, "recipe.learning_rate", "is inf; must be a finite number."),
    (
        {"recipe": {"schedule": "step"}}, "recipe.schedule",
        "is 'step'; must be 'cosine', 'constant', 'exponential' or 'restarts'.",
    ),
    ({"recipe": {"augment": "perhaps"}}, "recipe.augment", "is 'perhaps'; must be true or false."),
    ({"data": {"name": ""}}, "data.name", "has 0 characters; must have at least 1."),
    ({"budget": {"children": 3}}, "strategy.step_size", "is 20; must be at most the number of children, 3."),
    ({"budget": {"children": 20}, "finals": {"children": 21}}, "finals.children",
     "is 21; must be at most the number of children, 20."),
    ({"child": {"skeleton": "imagenet"}, "data": {"image_size": 64}, "finals": {"children": 1, "filters": 6}},
     "finals.filters", "is 6; with the ImageNet skeleton it must be a multiple of 4."),
    ({"finals": {"filters": 7}}, "finals.filters", "is 7; must be a multiple of 2."),
    ({"data": {"image_size": 8}, "child": {"reductions": 3}}, "data.image_size",
     "is 8; to be halved 3 times it must be at least 16."),
    ({"child": {"skeleton": "imagenet"}}, "data.image_size",
     "is 28; to be halved 5 times, as the ImageNet skeleton does, it must be at least 35."),
    ({"child": {"skeleton": "imagenet", "filters": 6}}, "child.filters",
     "is 6; with the ImageNet skeleton it must be a multiple of 4."),
    ({"child": {"skeleton": "vgg"}}, "child.skeleton", "is 'vgg'; must be 'cifar', 'imagenet', 'enas' or 'darts'."),
    ({"child": {"stem_filters": 96}}, "child.stem_filters",
     "is 96; the cifar skeleton has three times the filters there, so leave 32 or choose the ImageNet skeleton."),
    ({"child": {"stem_filters": 0}}, "child.stem_filters", "is 0; must be at least 1."),
    ({"child": {"previous_after_reduction": "none"}}, "child.previous_after_reduction",
     "is 'none'; must be 'one-before' or 'two-before'."),
]  # fmt: skip


@pytest.mark.parametrize(("value", "field", "message"), SENTENCES)
def test_a_wrong_value_is_refused_at_its_field_with_a_sentence(value, field, message):
    with pytest.raises(ConfigError) as refused:
        read_config(SearchConfig, value)
    assert (refused.value.field, refused.value.message) == (field, message)


@pytest.mark.parametrize("digits", ["9" * 5000, 10**200])
def test_a_number_of_many_digits_is_shown_in_short(digits):
    with pytest.raises(ConfigError) as refused:
        read_config(SearchConfig, {"space": {"blocks": digits}})
    assert len(refused.value.message) < 130


def test_the_smallest_images_that_a_layout_takes_are_taken():
    for skeleton, reductions, smallest in (("cifar", 2, 8), ("cifar", 4, 32), ("imagenet", 2, 35), ("imagenet", 1, 19)):
        child = {"skeleton": skeleton, "reductions": reductions}
        read_config(SearchConfig, {"child": child, "data": {"image_size": smallest}})
        with pytest.raises(ConfigError, match="data.image_size"):
            read_config(SearchConfig, {"child": child, "data": {"image_size": smallest - 1}})


def test_a_layout_from_before_there_were_two_skeletons_is_the_cifar_one():
    old = {"normal_cells": 2, "reductions": 2, "filters": 32}
    assert read_config(LayoutConfig, old) == LayoutConfig()
    layout = LayoutConfig()
    assert (layout.skeleton, layout.stem_filters, layout.previous_after_reduction) == ("cifar", 32, "one-before")


def test_every_wrong_field_is_named_once():
    value = {"space": {"blocks": 0}, "child": {"filters": 3}, "recipe": {"epochs": "x", "momentum": 1}}
    with pytest.raises(ValidationError) as refused:
        SearchConfig.model_validate(value)
    fields = [error.field for error in config_errors(refused.value)]
    assert fields == ["space.blocks", "child.filters", "recipe.epochs", "recipe.momentum"]


def test_a_list_with_a_wrong_entry_is_not_called_too_short():
    with pytest.raises(ValidationError) as refused:
        SearchConfig.model_validate({"space": {"operations": [5]}})
    assert [error.field for error in config_errors(refused.value)] == ["space.operations.0"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=100),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
PARTS = [
    "space",
    "strategy",
    "screening",
    "child",
    "recipe",
    "data",
    "finals",
    "bounds",
    "objective",
    "budget",
    "reproducibility",
]
SHARED_PARTS = ["controller", "supernet", "shared", "phases", "deriving", "derived", "derived_recipe"]


@st.composite
def damaged(draw):
    """A whole configuration with one value exchanged for anything."""
    value = json.loads(SearchConfig().model_dump_json())
    part = value[draw(st.sampled_from(PARTS))]
    part[draw(st.sampled_from([*part, "unknown"]))] = draw(JSON)
    return value


@given(damaged())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_given_is_taken_or_refused_in_our_own_words(value):
    try:
        SearchConfig.model_validate(value)
    except ValidationError as error:
        pydantics = {f"{detail['msg']}." for detail in error.errors()}
        for refusal in config_errors(error):
            assert refusal.message not in pydantics and refusal.message.endswith((".", "..."))
            assert len(refusal.message) < 300
            json.dumps(refusal.message).encode("utf-8")


def test_a_configuration_never_changes_after_it_is_made():
    made = SearchConfig()
    with pytest.raises(ValidationError):
        made.name = "other"


STRATEGIES = {
    "ppo": PpoConfig,
    "ppo-replay": PpoReplayConfig,
    "evolution": EvolutionConfig,
    "local": LocalSearchConfig,
    "random": RandomConfig,
}


@pytest.mark.parametrize("kind", STRATEGIES)
def test_a_configuration_survives_json(kind):
    made = read_config(SearchConfig, {"name": "n", "strategy": {"kind": kind}, "space": {"blocks": 2}})
    assert read_config(SearchConfig, json.loads(made.model_dump_json())) == made
    assert type(made.strategy) is STRATEGIES[kind]


def test_equal_choices_of_operations_are_equal_configurations():
    one, other = (
        SearchConfig.model_validate({"space": {"operations": names}})
        for names in (["sep_conv_3x3", "identity"], ["identity", "sep_conv_3x3"])
    )
    assert one == other


def test_a_training_needs_an_architecture():
    with pytest.raises(ConfigError) as refused:
        read_config(TrainingConfig, {})
    assert (refused.value.field, refused.value.message) == ("architecture", "is missing.")


def test_the_defaults_are_the_numbers_of_the_paper():
    made = SearchConfig()
    assert (made.space.blocks, len(made.space.operations), len(made.space.combinations)) == (5, 13, 2)
    assert (made.strategy.step_size, made.strategy.lookahead) == (20, 0)
    assert (made.strategy.learning_rate, made.strategy.entropy_weight) == (0.00035, 0.00001)
    assert (made.strategy.baseline_decay, made.strategy.hidden_size, made.strategy.init_range) == (0.95, 100, 0.1)
    assert (made.child.normal_cells, made.recipe.epochs, made.recipe.momentum) == (2, 20, 0.9)
    assert (made.recipe.weight_decay, made.recipe.gradient_clip) == (0.0005, 5.0)
    assert TrainingConfig(architecture={}).layout.normal_cells == 6


LAYOUT_KINDS = {"cells": LayoutConfig, "macro": MacroLayoutConfig, "nas_bench_201": NasBench201LayoutConfig}


@pytest.mark.parametrize("kind", LAYOUT_KINDS)
def test_the_architectures_kind_chooses_the_layout_of_a_training(kind):
    architecture = {"kind": kind}
    default = read_config(TrainingConfig, {"architecture": architecture}).layout
    assert type(default) is LAYOUT_KINDS[kind] and default == layout_of_kind(kind)
    for named in ({}, {"kind": kind}):
        made = read_config(TrainingConfig, {"architecture": architecture, "layout": {"filters": 8, **named}})
        assert made.layout == LAYOUT_KINDS[kind](filters=8)
        assert read_config(TrainingConfig, json.loads(made.model_dump_json())) == made


@pytest.mark.parametrize(
    ("value", "field", "message"),
    [
        ({"architecture": {"kind": "macro"}, "layout": {"kind": "cells"}}, "layout.kind",
         'is "cells"; an architecture of kind "macro" needs "macro".'),
        ({"architecture": {}, "layout": {"kind": "macro"}}, "layout.kind",
         'is "macro"; an architecture of kind "cells" needs "cells".'),
        ({"architecture": {"kind": "macro"}, "layout": {"filters": 35}}, "layout.filters",
         "is 35; must be a multiple of 2."),
        ({"architecture": {"kind": "macro"}, "layout": {"skeleton": "cifar"}}, "layout.skeleton",
         "is not a setting of this program."),
        ({"architecture": {"kind": "macro"}, "layout": 5}, "layout", "is 5; must be an object."),
        ({"architecture": {"kind": "macro"}, "layout": {"kind": "x"}}, "layout.kind",
         "is 'x'; must be 'cells' or 'macro' or 'nas_bench_201'."),
        ({"architecture": {"kind": "recurrent"}}, "architecture.kind",
         "is 'recurrent'; a network of images is made of cells, macro, nas_bench_201."),
        ({"architecture": 5}, "architecture", "is 5; must be an object."),
    ],
)  # fmt: skip
def test_a_layout_that_does_not_belong_to_the_architecture_is_refused_at_its_field(value, field, message):
    with pytest.raises(ConfigError) as refused:
        read_config(TrainingConfig, value)
    assert (refused.value.field, refused.value.message) == (field, message)


def test_every_setting_has_a_label_and_help_for_the_form():
    modules = [import_module(f"{config.__name__}.{module.name}") for module in pkgutil.iter_modules(config.__path__)]
    values = [value for module in modules for value in vars(module).values()]
    models = {each for each in values if isinstance(each, type) and issubclass(each, Config) and each is not Config}
    assert len(models) >= 10
    for model in models:
        for name, field in model.model_fields.items():
            if name not in ("kind", "method", "architecture", "layout", *PARTS, *SHARED_PARTS):
                assert field.title and field.description and field.description.endswith("."), (model, name)
                assert set(field.json_schema_extra) - {"only_with"} == {"unit", "source"}, (model, name)
