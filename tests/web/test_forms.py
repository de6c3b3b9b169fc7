"""The form follows the configuration models: what they say is what a person sees."""

from typing import Any

import pytest

from search_engine.architectures.cell import ENAS_OPERATIONS, NASNET_OPERATIONS
from search_engine.architectures.macro import MACRO_OPERATIONS
from search_engine.architectures.recurrent import ACTIVATIONS
from search_engine.catalogue.published import read_published
from search_engine.config.base import Config
from search_engine.config.language import LanguageTrainingConfig
from search_engine.config.search import SearchConfig
from search_engine.config.searches import ENAS_METHODS, read_search_config
from search_engine.config.strategy import EvolutionConfig, LocalSearchConfig, PpoConfig, PpoReplayConfig, RandomConfig
from search_engine.config.training import TrainingConfig
from search_engine.data.texts import TEXTS
from search_engine.presets import DEMO, PRESETS
from search_engine.shared_presets import SHARED_PRESETS
from search_engine.spaces.nasnet import NasnetSpace
from search_engine.training_start import training_defaults
from webapp.searches.pages.forms import ESSENTIAL, FormField, describe_form, is_there, number_text
from webapp.searches.pages.settings_shown import settings_shown


def fields_of(model: type[Config], config: Config) -> dict[str, FormField]:
    fieldsets = describe_form(model, config.model_dump(mode="json"))
    return {field.path: field for fieldset in fieldsets for field in fieldset.fields}


def a_training_config() -> TrainingConfig:
    space = NasnetSpace(DEMO.config.space)
    return training_defaults(DEMO.config, space.decode([0] * len(space.decisions)), images=10_000)


def a_text_training_config() -> LanguageTrainingConfig:
    return LanguageTrainingConfig(architecture=read_published("darts-v1-rnn").architecture.to_json())


def leaves(value: Any, prefix: str = "") -> set[str]:
    if not isinstance(value, dict):
        return {prefix}
    return {leaf for name, part in value.items() for leaf in leaves(part, f"{prefix}.{name}".lstrip("."))}


def test_every_setting_of_a_search_has_a_field_and_no_field_is_invented() -> None:
    settings = leaves(SearchConfig().model_dump(mode="json"))
    for strategy in (PpoReplayConfig(), EvolutionConfig(), LocalSearchConfig(), RandomConfig()):
        settings |= leaves({"strategy": strategy.model_dump(mode="json")})
    assert set(fields_of(SearchConfig, SearchConfig())) == settings


def test_every_setting_of_a_training_has_a_field_except_its_architecture() -> None:
    config = a_training_config()
    assert set(fields_of(TrainingConfig, config)) == leaves(config.model_dump(mode="json", exclude={"architecture"}))


def test_every_setting_of_a_training_on_text_has_a_field_and_texts_are_cards() -> None:
    config = a_text_training_config()
    fields = fields_of(LanguageTrainingConfig, config)
    assert set(fields) == leaves(config.model_dump(mode="json", exclude={"architecture"}))
    assert [choice.text for choice in fields["data.name"].choices] == [text.name for text in TEXTS]
    assert fields["data.name"].choices[0].help == (
        "781,486 words to train on, 85,011 to validate and 69,399 to test, 2,000 different ones; comes along."
    )
    assert (fields["data.own"].chooser, fields["data.own"].belongs_to) == ("data.name", "own")


@pytest.mark.parametrize(
    "config",
    [SearchConfig(), a_training_config(), a_text_training_config(), *(model() for model in ENAS_METHODS.values())],
)
def test_every_field_says_what_it_is(config: Config) -> None:
    for path, field in fields_of(type(config), config).items():
        assert field.kind == "fixed" or field.label
        assert field.kind in ("fixed", "cards") or field.help.endswith("."), path


def test_essential_fields_exist_in_one_of_the_forms() -> None:
    known = set(fields_of(SearchConfig, SearchConfig())) | set(fields_of(TrainingConfig, a_training_config()))
    known |= set(fields_of(LanguageTrainingConfig, a_text_training_config()))
    for model in ENAS_METHODS.values():
        known |= set(fields_of(model, model()))
    assert known >= ESSENTIAL


@pytest.mark.parametrize("model", ENAS_METHODS.values(), ids=list(ENAS_METHODS))
def test_every_setting_of_shared_weights_has_a_field_but_the_one_that_allows_one_value(model: type[Config]) -> None:
    settings = leaves(model().model_dump(mode="json"))
    for strategy in (PpoConfig(), RandomConfig()):
        settings |= leaves({"strategy": strategy.model_dump(mode="json")})
    assert set(fields_of(model, model())) == settings - {"strategy.lookahead"}


@pytest.mark.parametrize(
    ("method", "path", "offered"),
    [
        ("enas-micro", "space.operations", ENAS_OPERATIONS),
        ("enas-macro", "space.operations", MACRO_OPERATIONS),
        ("enas-recurrent", "space.activations", ACTIVATIONS),
    ],
)
def test_what_can_be_ticked_is_what_the_space_has(method: str, path: str, offered: tuple[str, ...]) -> None:
    model = ENAS_METHODS[method]
    assert [choice.text for choice in fields_of(model, model())[path].choices] == list(offered)


def test_what_is_trained_from_scratch_stands_under_its_own_headings() -> None:
    for model in ENAS_METHODS.values():
        headings = [fieldset.heading for fieldset in describe_form(model, model().model_dump(mode="json"))]
        assert headings[-3:-1] == ["Network trained from scratch", "Training from scratch"]
        assert len(set(headings)) == len(headings)


def test_help_unit_source_and_limits_are_those_of_the_model() -> None:
    field = fields_of(SearchConfig, SearchConfig())["child.filters"]
    assert (field.label, field.unit, field.kind, field.text) == ("Filters", "channels", "integer", "32")
    assert field.limits == "2 to 1,024, a multiple of 2"
    assert fields_of(SearchConfig, SearchConfig())["strategy.clip"].limits == "above 0, below 1"


def test_the_skeleton_waits_under_more_settings_with_its_two_options() -> None:
    for model, config, part in (
        (SearchConfig, SearchConfig(), "child"),
        (TrainingConfig, a_training_config(), "layout"),
    ):
        fields = fields_of(model, config)
        assert [choice.text for choice in fields[f"{part}.skeleton"].choices] == ["cifar", "imagenet", "enas", "darts"]
        assert fields[f"{part}.skeleton"].text == "cifar"
        for name in ("skeleton", "stem_filters", "previous_after_reduction"):
            assert not fields[f"{part}.{name}"].is_essential


def test_a_field_that_needs_a_choice_of_another_field_names_it_and_is_shown_with_it_alone() -> None:
    field = fields_of(SearchConfig, SearchConfig())["child.stem_filters"]
    assert (field.chooser, field.belongs_to) == ("child.skeleton", "imagenet")

    def titles(skeleton: str) -> set[str]:
        config = SearchConfig.model_validate({"child": {"skeleton": skeleton}, "data": {"image_size": 64}})
        sections = settings_shown(SearchConfig, config.model_dump(mode="json"))
        return {row["title"] for section in sections for row in section["rows"]}

    assert titles("imagenet") - titles("cifar") == {"Stem filters"}


def test_the_parts_of_a_recipe_wait_for_the_choice_that_they_belong_to() -> None:
    fields = fields_of(SearchConfig, SearchConfig())
    waiting = {
        path: field.belongs_to for path, field in fields.items() if path.startswith("recipe.") and field.belongs_to
    }
    assert waiting == {
        "recipe.decay_factor": "exponential", "recipe.decay_epochs": "exponential", "recipe.nesterov": "sgd",
        "recipe.rmsprop_decay": "rmsprop", "recipe.rmsprop_epsilon": "rmsprop",
        "recipe.drop_path_keep": "time time-and-depth", "recipe.first_period": "restarts",
        "recipe.period_factor": "restarts", "recipe.lowest_rate": "restarts",
    }  # fmt: skip
    assert fields["recipe.drop_path_keep"].chooser == "recipe.drop_path"


@pytest.mark.parametrize(
    ("kind", "layout"),
    [
        ("macro", {"layout.kind", "layout.filters", "layout.full_conv"}),
        ("nas_bench_201", {"layout.kind", "layout.filters", "layout.normal_cells"}),
    ],
)
def test_the_form_of_a_training_has_the_layout_of_the_architectures_kind(kind: str, layout: set[str]) -> None:
    config = TrainingConfig.model_validate({"architecture": {"kind": kind}})
    fields = fields_of(TrainingConfig, config)
    assert {path for path in fields if path.startswith("layout.")} == layout
    assert (fields["layout.kind"].kind, fields["layout.kind"].text) == ("fixed", kind)
    sections = settings_shown(TrainingConfig, config.model_dump(mode="json"))
    assert "Filters" in {row["title"] for section in sections for row in section["rows"]}


def test_fields_of_one_strategy_alone_name_it_and_shared_ones_stand_once() -> None:
    fields = fields_of(SearchConfig, SearchConfig())
    assert fields["strategy.learning_rate"].belongs_to == "ppo ppo-replay"
    assert fields["strategy.replayed"].belongs_to == "ppo-replay"
    assert fields["strategy.sample_size"].belongs_to == "evolution"
    assert fields["strategy.step_size"].belongs_to == ""
    kinds = [choice.text for choice in fields["strategy.kind"].choices]
    assert kinds == ["ppo", "ppo-replay", "evolution", "local", "random"]


def test_the_form_of_a_random_search_still_offers_the_defaults_of_ppo() -> None:
    config = SearchConfig(strategy=RandomConfig(step_size=7))
    fields = fields_of(SearchConfig, config)
    assert fields["strategy.step_size"].text == "7"
    assert fields["strategy.hidden_size"].text == str(PpoConfig().hidden_size)


def test_operations_are_tick_boxes_with_the_chosen_ones_ticked() -> None:
    config = SearchConfig.model_validate({"space": {"operations": ["identity", "sep_conv_3x3"]}})
    choices = fields_of(SearchConfig, config)["space.operations"].choices
    assert [choice.text for choice in choices] == list(NASNET_OPERATIONS)
    assert [choice.text for choice in choices if choice.is_chosen] == ["identity", "sep_conv_3x3"]


def test_numbers_are_shown_as_one_would_type_them() -> None:
    assert [number_text(value) for value in (0.00001, 0.00035, 1.0, 20, -10, 0.1)] == [
        "0.00001", "0.00035", "1", "20", "-10", "0.1"
    ]  # fmt: skip


def test_a_form_sent_unchanged_is_the_configuration_it_was_made_from() -> None:
    for preset in (*PRESETS, *SHARED_PRESETS):
        sent: dict[str, Any] = {}
        fields = fields_of(type(preset.config), preset.config)
        for path, field in fields.items():
            if is_there(field, tuple(fields.values())):
                part, _, name = path.rpartition(".")
                target = sent.setdefault(part, {}) if part else sent
                target[name] = what_the_page_reads(field)
        assert read_search_config(sent) == preset.config


def what_the_page_reads(field: FormField) -> Any:
    """As read() in start-form.js."""
    if field.kind == "ticks":
        return [choice.text for choice in field.choices if choice.is_chosen]
    if field.kind == "boolean":
        return field.is_ticked
    return float(field.text) if field.kind in ("integer", "number") else field.text


def test_a_page_shows_every_setting_that_counted() -> None:
    sections = settings_shown(SearchConfig, DEMO.config.model_dump(mode="json"))
    rows = {row["title"]: row["value"] for section in sections for row in section["rows"]}
    assert rows["Operations"] == "all 13"
    assert rows["Strategy"] == "PPO controller"
    assert rows["Image size"] == "14 pixels"
    assert rows["Nesterov momentum"] == "yes"
    random = settings_shown(SearchConfig, SearchConfig(strategy=RandomConfig()).model_dump(mode="json"))
    assert "LSTM units" not in {row["title"] for section in random for row in section["rows"]}
