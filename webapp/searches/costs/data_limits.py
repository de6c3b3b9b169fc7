"""What a configuration asks of its data set, held against what the data set has."""

from typing import Any

from search_engine.config.data import DataConfig
from search_engine.config.enas_search import EnasRecurrentSearchConfig
from search_engine.config.language import OWN, LanguageTrainingConfig
from search_engine.config.search import SearchConfig
from search_engine.config.searches import AnySearchConfig
from search_engine.cost_rules import bound_errors
from search_engine.data.descriptions import too_few_images
from search_engine.errors import ConfigError
from webapp.searches.datasets.described import describe_for
from webapp.searches.datasets.texts import text_for

FEWEST_TOKENS = 2  # Of a part, or of what a stream reads: one to read and one to guess.


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
        return _recurrent_errors(config, user)
    errors = data_errors(config.data, user)
    if errors or not isinstance(config, SearchConfig):
        return errors
    description = describe_for(user, config.data.name)
    return bound_errors(config, image_channels=description.channels, classes=len(description.classes))


def text_errors(config: LanguageTrainingConfig, user: Any) -> list[ConfigError]:
    """Everything that the text cannot give, each at its field. user: whose own texts may be named."""
    try:
        described = text_for(user, config.data)
    except ConfigError as error:
        return [error]
    if config.data.name == OWN and (shortest := min(described.valid_tokens, described.test_tokens)) < FEWEST_TOKENS:
        share = config.data.held_out_share
        return [ConfigError("data.held_out_share", f"is {share:g}; a held-out part has {shortest} tokens then.")]
    return _streams_errors(("recipe.batch_size", config.recipe.batch_size, "training", described.train_tokens))


def _recurrent_errors(config: EnasRecurrentSearchConfig, user: Any) -> list[ConfigError]:
    """As text_errors, of the trainings at the end and of the shared weights."""
    errors = text_errors(config.final_training({}, ""), user)
    if errors:
        return [ConfigError(error.field.replace("recipe.", "derived_recipe.", 1), error.message) for error in errors]
    described = text_for(user, config.data)
    return _streams_errors(
        ("shared.batch_size", config.shared.batch_size, "training", described.train_tokens),
        ("phases.score_batch", config.phases.score_batch, "validation", described.valid_tokens),
    )


def _streams_errors(*parts: tuple[str, int, str, int]) -> list[ConfigError]:
    """parts: field, how many streams it asks for, and which part of how many tokens they read."""
    return [
        ConfigError(field, f"is {streams:,}; the {part} part has {tokens:,} tokens, and each stream needs two.")
        for field, streams, part, tokens in parts
        if tokens // streams < FEWEST_TOKENS
    ]
