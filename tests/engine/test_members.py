"""The same search with another seed or another strategy."""

import pytest

from search_engine.config.enas_search import EnasMicroSearchConfig
from search_engine.config.finals import FinalsConfig
from search_engine.config.members import member_config, strategies_of
from search_engine.config.search import SearchConfig
from search_engine.config.strategy import PpoConfig
from search_engine.errors import ConfigError

CONFIG = SearchConfig(strategy=PpoConfig(step_size=7, lookahead=1, learning_rate=0.01), finals=FinalsConfig(children=3))


def test_another_seed_changes_nothing_else() -> None:
    member = member_config(CONFIG, strategy="ppo", seed=9)
    assert member.reproducibility.seed == 9
    seed = {"reproducibility": CONFIG.reproducibility}
    assert member.model_copy(update=seed) == CONFIG


def test_another_strategy_has_its_defaults_the_same_steps_and_no_final_round() -> None:
    member = member_config(CONFIG, strategy="random", seed=1)
    assert member.strategy.kind == "random"
    assert (member.strategy.step_size, member.strategy.lookahead) == (7, 1)
    assert member.finals == FinalsConfig() and member.budget == CONFIG.budget


def test_which_strategies_a_search_may_have() -> None:
    assert strategies_of(SearchConfig) == ("ppo", "ppo-replay", "evolution", "local", "random")
    assert strategies_of(EnasMicroSearchConfig) == ("reinforce", "ppo", "random")
    member = member_config(EnasMicroSearchConfig(), strategy="ppo", seed=2)
    assert (member.method, member.strategy.kind, member.reproducibility.seed) == ("enas-micro", "ppo", 2)


def test_a_strategy_that_it_cannot_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="must name some of ppo, ppo-replay, evolution, local, random"):
        member_config(CONFIG, strategy="reinforce", seed=1)
