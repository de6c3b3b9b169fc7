"""What a found architecture scores when it is trained from scratch."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from benchmarks.whole_search_scores import accuracy_of
from search_engine.errors import ConfigError
from search_engine.training.for_keeps import TrainingForKeeps


class Ending:
    """A training that ends in its first epoch, for this reason."""

    def __init__(self, field: str) -> None:
        self.field = field

    def epochs(self) -> Iterator[Any]:
        raise ConfigError(self.field, "is too much.")
        yield


def test_what_diverges_guesses_and_what_has_too_little_memory_has_no_score() -> None:
    assert accuracy_of(cast(TrainingForKeeps, Ending("recipe.learning_rate")), classes=10) == 0.1
    with pytest.raises(ConfigError, match="too much"):
        accuracy_of(cast(TrainingForKeeps, Ending("recipe.batch_size")), classes=10)
