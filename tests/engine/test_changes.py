"""Limits that change while a search runs: what a file of them says, and that configuration and changes decide all."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.config.changes import Change, epochs_at, epochs_in_all, read_changes, step_sizes
from search_engine.config.search import SearchConfig
from search_engine.errors import CheckpointError, ConfigError
from search_engine.strategies.base import Evaluation
from search_engine.strategies.build import build_shared_strategy, build_strategy
from tests.engine.toy_shared import shared_config


def config_of(kind="random", children=10, step_size=4, lookahead=0, **strategy):
    strategy |= {"kind": kind, "step_size": step_size, "lookahead": lookahead}
    return SearchConfig.model_validate({"budget": {"children": children}, "strategy": strategy})


def answer(strategy):
    """Tell the first pending step rewards that hang on what was drawn."""
    given = [Evaluation(one.step, one.slot, sum(one.decisions) % 7 / 7) for one in strategy.ask()]
    return strategy.tell(given)


def told(config, changes=()):
    """(sizes of the steps, digests of the state after each) of a whole search."""
    strategy, found = build_strategy(config, changes), []
    while not strategy.is_finished:
        size = len(strategy.ask())
        found.append((size, answer(strategy).state_sha256))
    return found


def through_a_file(config, before, changes):
    """The strategy, gone on from its state under these changes."""
    tensors, state = before.state_dict()
    after = build_strategy(config, changes)
    after.load_state_dict(tensors, json.loads(json.dumps(state)))
    return after


@pytest.mark.parametrize(
    ("value", "field", "message"),
    [
        ({}, "changes", "must be a list."),
        ([{"from_step": 1, "children": 9, "epochs": 3}], "changes.0.children",
         "or the number of epochs must be given, not both."),
        ([{"from_step": 1}], "changes.0.children",
         "is missing, and so is what else could change: the number of epochs, bans, a proposal."),
        ([{"from_step": 1, "bans": {}}], "changes.0.children",
         "is missing, and so is what else could change: the number of epochs, bans, a proposal."),
        ([{"from_step": 3, "bans": {"operation": []}}], "changes.0.from_step",
         "comes too late: nothing is drawn from there on."),
        ([{"from_step": 2, "bans": {"operation": []}}, {"from_step": 1, "children": 9}], "changes.1.from_step",
         "is before that of the change before; they must be in their order."),
        ([{"from_step": 1, "epochs": 3}], "changes.0.children", "is missing; it is what such a search counts."),
        ([{"from_step": 1, "children": 0}], "changes.0.children", "is 0; must be at least 1."),
        ([{"from_step": 1, "lookahead": 0}], "changes.0.lookahead", "is not a setting of this program."),
        ([{"from_step": 2, "children": 7}], "changes.0.children",
         "is 7; 8 are drawn already before it takes effect."),
        ([{"from_step": 2, "children": 9}, {"from_step": 1, "children": 9}], "changes.1.children",
         "stands behind one of a later step; changes must be in the order of their steps."),
        ([{"from_step": 4, "children": 20}], "changes.0.children",
         "comes too late: the search is over after 3 steps."),
    ],
)  # fmt: skip
def test_a_file_of_changes_says_what_is_wrong_with_it(value, field, message):
    with pytest.raises(ConfigError) as refused:
        read_changes(value, config_of())
    assert (refused.value.field, refused.value.message) == (field, message)


def test_what_is_written_is_what_is_read():
    changes = (Change(from_step=1, children=16), Change(from_step=2, children=9))
    assert read_changes([change.to_json() for change in changes], config_of()) == changes
    assert changes[0].to_json() == {"from_step": 1, "children": 16}


@pytest.mark.parametrize("kind", ["random", "ppo"])
def test_a_raised_total_is_searched_as_if_it_had_been_asked_for_until_it_shows(kind):
    raised = told(config_of(kind, children=20), [Change(from_step=2, children=28)])
    assert [size for size, _ in raised] == [4] * 7
    assert len({digest for _, digest in raised}) == 7


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_search_that_is_changed_on_the_way_equals_one_that_knew_all_changes_from_the_start(data):
    """The way of the web: each step is told by a strategy that is built anew and knows the changes made so far."""
    lookahead = data.draw(st.integers(0, 2))
    config = config_of(children=data.draw(st.integers(4, 16)), lookahead=lookahead)
    changes, found, steps = [], [], 0
    strategy = build_strategy(config, changes)
    while not strategy.is_finished and steps < 12:
        if data.draw(st.booleans()):
            drawn = sum(step_sizes(config, changes).size(step) for step in range(strategy.pending()[-1].step + 1))
            changes.append(Change(from_step=steps + 1 + lookahead, children=data.draw(st.integers(drawn, drawn + 9))))
        strategy = through_a_file(config, strategy, changes)
        size = len(strategy.ask())
        found.append((size, answer(strategy).state_sha256))
        steps += 1
    assert told(config, changes)[:steps] == found
    if strategy.is_finished:
        assert sum(size for size, _ in found) == (changes[-1].children if changes else config.budget.children)


def test_a_strategy_refuses_changes_that_would_have_drawn_other_steps():
    config = config_of(children=20)
    strategy = build_strategy(config)
    answer(strategy)
    with pytest.raises(CheckpointError, match="contradict what was drawn already"):
        through_a_file(config, strategy, [Change(from_step=1, children=6)])


def test_without_changes_the_state_says_nothing_of_them():
    assert "changes" not in json.dumps(build_strategy(config_of()).state_dict()[1])


def test_epochs_are_those_in_force_and_a_strategy_of_rounds_follows_them():
    config = shared_config()
    rounds = config.phases.rounds
    changes = (Change(from_step=1, epochs=config.epochs + 2),)
    assert epochs_in_all(config, changes) == config.epochs + 2
    assert [epochs_at(config, changes, step) for step in (0, 1)] == [config.epochs, config.epochs + 2]
    strategy, told_rounds = build_shared_strategy(config, changes), 0
    while not strategy.is_finished:
        strategy.tell([Evaluation(one.step, one.slot, 0.5) for one in strategy.ask()])
        told_rounds += 1
    assert told_rounds == (config.epochs + 2) * rounds


def test_epochs_that_were_begun_cannot_be_taken_back():
    config = shared_config()
    with pytest.raises(ConfigError, match=r"changes.0.epochs: is 1; 2 are drawn already before it takes effect."):
        read_changes([{"from_step": 2, "epochs": 1}], config)
