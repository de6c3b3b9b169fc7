"""What a configuration asks of its data set, held against what the data set has."""

from typing import Any

from search_engine.config.data import DataConfig
from search_engine.config.enas_search import EnasRecurrentSearchConfig
from search_engine.config.language import OWN, LanguageTrainingConfig
from search_engine.config.search import SearchConfig
from search_engine.config.searches import AnySearchConfig
from search_engine.cost_rules import bound_errors
from search_engine.data.descriptions import too_few_images
from search_engine.data.texts import describe_text, level_of
from search_engine.errors import ConfigError
from webapp.searches.datasets.described import describe_for


def data_errors(data: DataConfig, user: Any) -> list[ConfigError]:
    """Everything that the data set cannot give, each at its field. user: whose own sets may be named."""
    try:
        description = describe_for(user, data.name)
    except ConfigError as error:
        return [error]
    errors = []
    if data.image_size > description.image_size:
        errors.append(
            ConfigError(
                "data.image_size",
                f"is {data.image_size}; the images of “{description.title}” have {description.image_size} pixels.",
            )
        )
    missing = too_few_images(data.train_examples, data.held_out_examples, description)
    return [*errors, missing] if missing else errors


def search_errors(config: AnySearchConfig, user: Any) -> list[ConfigError]:
    """Everything that the images or the text cannot give, and the bounds that no network of these images can meet."""
    if isinstance(config, EnasRecurrentSearchConfig):
        return _recurrent_errors(config)
    errors = data_errors(config.data, user)
    if errors or not isinstance(config, SearchConfig):
        return errors
    description = describe_for(user, config.data.name)
    return bound_errors(config, image_channels=description.channels, classes=len(description.classes))


def text_errors(config: LanguageTrainingConfig) -> list[ConfigError]:
    """Everything that the text cannot give, each at its field."""
    if config.data.name == OWN:
        return [ConfigError("data.name", "is a text of yours; so far these are trained on in the terminal alone.")]
    try:
        description = describe_text(config.data.name)
        level_of(config.data)
    except ConfigError as error:
        return [error]
    streams, tokens = config.recipe.batch_size, description.train_tokens
    if tokens // streams < 2:
        there = f"the training part has {tokens:,} tokens, and each stream needs two."
        return [ConfigError("recipe.batch_size", f"is {streams:,}; {there}")]
    return []


def _recurrent_errors(config: EnasRecurrentSearchConfig) -> list[ConfigError]:
    """As text_errors, of the trainings at the end and of the shared weights."""
    errors = text_errors(config.final_training({}, ""))
    if errors:
        return [ConfigError(error.field.replace("recipe.", "derived_recipe.", 1), error.message) for error in errors]
    described = describe_text(config.data.name)
    parts = (
        ("shared.batch_size", config.shared.batch_size, "training", described.train_tokens),
        ("phases.score_batch", config.phases.score_batch, "validation", described.valid_tokens),
    )
    return [
        ConfigError(field, f"is {size:,}; the {part} part has {tokens:,} tokens, and each stream needs two.")
        for field, size, part, tokens in parts
        if tokens // size < 2
    ]
