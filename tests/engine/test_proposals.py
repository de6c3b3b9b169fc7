"""Architectures that a person proposes to a running search: trained beside a step, and nothing is learned from them."""

import json
import math

import pytest

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.config.changes import Change, read_changes
from search_engine.config.search import SearchConfig
from search_engine.errors import CheckpointError, ConfigError
from search_engine.places import place_among_children
from search_engine.runner import step_proposed
from search_engine.spaces.build import build_space
from search_engine.spaces.proposals import decisions_of
from search_engine.strategies.base import Evaluation
from search_engine.strategies.build import build_strategy
from tests.engine.toy_shared import shared_config

KINDS = ["ppo", "ppo-replay", "evolution", "local", "random"]


def cells(blocks=2, operation="identity"):
    cell = Cell((Block((0, 1), (operation, operation), "add"),) * blocks, tuple(range(2, 2 + blocks)))
    return CellArchitecture(cell, cell)


def config_of(kind="ppo", children=10, lookahead=0):
    strategy = {"kind": kind, "step_size": 4, "lookahead": lookahead} | (
        {"hidden_size": 8} if kind.startswith("ppo") else {}
    )
    return SearchConfig.model_validate(
        {"space": {"blocks": 2}, "budget": {"children": children}, "strategy": strategy, "reproducibility": {"seed": 3}}
    )


def tell(strategy, proposed=None):
    """proposed: the reward of every proposal of a person."""
    rewards = [proposed if one.off_policy else sum(one.decisions) % 7 / 7 for one in strategy.ask()]
    asked = zip(strategy.ask(), rewards, strict=True)
    return strategy.tell([Evaluation(one.step, one.slot, reward) for one, reward in asked])


@pytest.mark.parametrize("kind", KINDS)
def test_a_proposal_stands_behind_the_slots_of_a_whole_step(kind):
    changes = [
        Change(from_step=2, proposal=cells().to_json()),
        Change(from_step=2, proposal=cells(2, "conv_1x1").to_json()),
    ]
    config = config_of(kind)
    strategy, plain = build_strategy(config, changes), build_strategy(config)
    for _ in range(2):
        assert strategy.pending() == plain.pending()
        assert tell(strategy).mean_reward == tell(plain).mean_reward
    step = strategy.pending()[0]
    assert [(one.slot, one.off_policy) for one in step.proposals] == [(0, False), (1, False), (4, True), (5, True)]
    assert step.drawn == plain.pending()[0].proposals
    assert step.proposals[2].architecture.hash == cells().hash
    assert all(math.isfinite(one.log_probability) and one.log_probability < 0 for one in step.proposals)
    shown = step_proposed(step).to_json()["proposals"]
    assert ["off_policy" in one for one in shown] == [False, False, True, True]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_learned_from_a_proposal_however_good_it_is(kind):
    """Neither gradient nor baseline: the policy after it is the one that there would have been without it."""
    config, change = config_of(kind, children=12), Change(from_step=1, proposal=cells().to_json())
    found = []
    for changes, reward in (([], None), ([change], 0.0), ([change], 1.0), ([change], None)):
        strategy, updates = build_strategy(config, changes), []
        while not strategy.is_finished:
            update = tell(strategy, reward)
            updates.append((update.mean_reward, update.baseline, update.loss, update.divergence))
        found.append((updates, {name: tensor.tolist() for name, tensor in strategy.state_dict()[0].items()}))
    assert found[0] == found[1] == found[2] == found[3]


def test_a_strategy_goes_on_from_its_state_with_the_proposals_of_a_pending_step():
    config, changes = config_of(lookahead=1, children=16), [Change(from_step=1, proposal=cells().to_json())]
    straight, left = build_strategy(config, changes), build_strategy(config, changes)
    while not straight.is_finished:
        tensors, state = left.state_dict()
        left = build_strategy(config, changes)
        left.load_state_dict(tensors, json.loads(json.dumps(state)))
        assert left.pending() == straight.pending()
        assert tell(left, 0.5) == tell(straight, 0.5)


def test_a_pending_step_that_knows_of_no_proposal_is_refused():
    config = config_of(lookahead=1)
    tensors, state = build_strategy(config).state_dict()
    with pytest.raises(CheckpointError, match="contradict what was drawn already"):
        build_strategy(config, [Change(from_step=1, proposal=cells().to_json())]).load_state_dict(tensors, state)


def test_bans_do_not_hold_for_proposals():
    config = config_of()
    changes = [
        Change(from_step=0, bans={"operation": ("identity",)}),
        Change(from_step=0, proposal=cells(2, "identity").to_json()),
    ]
    (step,) = build_strategy(config, changes).pending()
    assert math.isfinite(step.proposals[-1].log_probability) and step.proposals[-1].off_policy


@pytest.mark.parametrize(
    ("proposal", "field", "message"),
    [
        (cells(3).to_json(), "proposal.normal.blocks", "has 3 blocks; this space has 2."),
        ({"format": 1}, "proposal.kind", "is None; must be one of cells, macro, recurrent, nas_bench_201."),
    ],
)
def test_what_the_space_does_not_hold_is_refused_with_a_sentence(proposal, field, message):
    with pytest.raises(ConfigError) as refused:
        decisions_of(build_space(config_of().space), proposal)
    assert (refused.value.field, refused.value.message) == (field, message)


def test_an_operation_that_the_space_has_not_is_refused():
    space = config_of().space.model_copy(update={"operations": ("conv_1x1", "conv_3x3")})
    with pytest.raises(ConfigError, match="'identity' is not in this space; it holds conv_1x1, conv_3x3"):
        decisions_of(build_space(space), cells().to_json())


def test_a_proposal_that_no_step_takes_and_one_for_shared_weights_are_refused():
    late = {"from_step": 3, "proposal": cells().to_json()}
    with pytest.raises(ConfigError, match=r"changes.0.from_step: comes too late"):
        read_changes([late], config_of())
    with pytest.raises(ConfigError, match="is for a search that trains each child by itself"):
        read_changes([late | {"from_step": 0}], shared_config("enas-micro"))


def test_places_among_children_are_different_and_in_order():
    places = [place_among_children(step, slot, 4) for step in range(3) for slot in range(9)]
    assert places == sorted(set(places))
    assert places[:5] == [0, 1, 2, 3, 3.01]
