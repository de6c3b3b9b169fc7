"""Of some architectures that are drawn for each child the largest is trained."""

from collections.abc import Sequence
from typing import Any

import pytest

from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.reading import Architecture
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.cost import child_parameters
from search_engine.errors import CheckpointError, ConfigError
from search_engine.strategies.base import Strategy
from search_engine.strategies.build import build_strategy
from search_engine.strategies.screening import Screening
from tests.engine.toy import ToySpace

SMALL: dict[str, Any] = {
    "space": {"blocks": 2}, "budget": {"children": 12}, "child": {"normal_cells": 1, "filters": 4, "reductions": 1},
    "data": {"image_size": 8, "train_examples": 100, "held_out_examples": 100},
}  # fmt: skip
KINDS: list[dict[str, Any]] = [
    {"kind": "random"}, {"kind": "evolution", "population_size": 2}, {"kind": "ppo", "hidden_size": 8},
    {"kind": "ppo-replay", "hidden_size": 8},
]  # fmt: skip


def searching(strategy: dict[str, Any], drawn: int) -> tuple[SearchConfig, Strategy]:
    """Steps of three children; without screening, of as many as are drawn for them."""
    size = 3 if drawn > 1 else 12
    whole = SMALL | {"strategy": {"step_size": size} | strategy, "screening": {"drawn": drawn}}
    config = read_config(SearchConfig, whole)
    return config, build_strategy(config)


def parameters(config: SearchConfig, architecture: Architecture) -> int:
    return child_parameters(config.child, config.data.image_size, architecture)


@pytest.mark.parametrize("strategy", KINDS, ids=lambda each: each["kind"])
def test_the_largest_of_what_is_drawn_for_a_child_is_proposed(strategy: dict[str, Any]) -> None:
    config, screening = searching(strategy, drawn=4)
    _, plain = searching(strategy, drawn=1)
    groups = [plain.ask()[first : first + 4] for first in (0, 4, 8)]
    wanted = [max(group, key=lambda one: parameters(config, one.architecture)) for group in groups]
    assert [one.decisions for one in screening.ask()] == [one.decisions for one in wanted]
    assert [one.log_probability for one in screening.ask()] == [one.log_probability for one in wanted]
    assert [(one.step, one.slot) for one in screening.ask()] == [(0, 0), (0, 1), (0, 2)]
    drawn, shown = plain.pending()[0], screening.pending()[0]
    assert (shown.policy, shown.entropies) == (drawn.policy, drawn.entropies)


def test_of_equal_ones_the_first_is_proposed() -> None:
    _, plain = searching({"kind": "random"}, drawn=1)
    step = Screening(4, lambda architecture: 0.0).screened(plain.pending()[0])
    assert [one.decisions for one in step.proposals] == [plain.ask()[place].decisions for place in (0, 4, 8)]


def test_what_a_child_has_is_counted_as_it_is_trained() -> None:
    config, _ = searching({"kind": "random"}, drawn=4)
    small, large = (ToySpace([13, 13]).decode(chosen) for chosen in ((0, 0), (12, 12)))
    assert isinstance(small, CellArchitecture) and parameters(config, small) < parameters(config, large)


def test_a_state_of_another_number_is_refused() -> None:
    _, one = searching({"kind": "random"}, drawn=4)
    _, other = searching({"kind": "random"}, drawn=5)
    with pytest.raises(CheckpointError, match="another configuration"):
        other.load_state_dict(*one.state_dict())


def test_a_stored_configuration_without_screening_reads_as_one_that_trains_all() -> None:
    stored = SearchConfig().model_dump(mode="json")
    del stored["screening"]
    assert read_config(SearchConfig, stored).screening.drawn == 1


def refused(whole: dict[str, Any]) -> Sequence[str]:
    with pytest.raises(ConfigError) as error:
        read_config(SearchConfig, whole)
    return error.value.field, error.value.message


def test_local_search_tries_every_neighbour() -> None:
    whole = SMALL | {"strategy": {"kind": "local", "step_size": 1}, "screening": {"drawn": 2}}
    assert refused(whole) == ("screening.drawn", "is 2; must be 1 with local search, which tries every neighbour.")


def test_a_step_is_not_drawn_for_minutes() -> None:
    whole = {"strategy": {"kind": "ppo", "step_size": 500}, "budget": {"children": 2000}, "screening": {"drawn": 5}}
    assert refused(whole) == ("screening.drawn", "is 5; must be at most 2 with 500 children per step.")
