"""Options that a person bans in a running search: never drawn, nothing learned wrongly, taken back, and repeatable."""

import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.config.changes import Change, bans_in_force, in_rounds, read_changes
from search_engine.config.search import SearchConfig
from search_engine.errors import CheckpointError, ConfigError
from search_engine.spaces.bans import banned_at, check_bans, check_changes
from search_engine.spaces.build import build_space
from search_engine.strategies.base import Evaluation
from search_engine.strategies.build import build_shared_strategy, build_strategy
from search_engine.strategies.controller_strategy import masks_of
from search_engine.strategies.ppo import Ppo
from search_engine.strategies.skip_penalty import skip_penalty
from tests.engine.toy import ToySpace
from tests.engine.toy_shared import shared_config

SHARED = ("enas-micro", "enas-macro", "enas-recurrent")


def nasnet(kind="ppo", children=20, lookahead=0):
    strategy = {"kind": kind, "step_size": 4, "lookahead": lookahead} | (
        {"hidden_size": 8} if kind.startswith("ppo") else {}
    )
    return SearchConfig.model_validate(
        {"space": {"blocks": 2}, "budget": {"children": children}, "strategy": strategy, "reproducibility": {"seed": 3}}
    )


def shared(method, kind="reinforce"):
    return shared_config(method, strategy={"kind": kind, "step_size": 3})


CONFIGS = {
    "nasnet ppo": nasnet("ppo"),
    **{f"nasnet {kind}": nasnet(kind) for kind in ("random", "ppo-replay", "evolution", "local")},
    **{f"{method} {kind}": shared(method, kind) for method in SHARED for kind in ("reinforce", "ppo", "random")},
}


def strategy_of(config, changes=()):
    return (build_strategy if isinstance(config, SearchConfig) else build_shared_strategy)(config, changes)


def answer(strategy):
    given = [Evaluation(one.step, one.slot, sum(one.decisions) % 7 / 7) for one in strategy.ask()]
    return strategy.tell(given)


@st.composite
def bans(draw, decisions):
    """By kind or by name, at least one option of every decision left."""
    places = draw(st.lists(st.sampled_from([*{d.family for d in decisions}, *(d.name for d in decisions)]), max_size=5))
    found = {}
    for where in places:
        known = sorted({option for d in decisions if where in (d.family, d.name) for option in d.options})
        wanted = {where: tuple(draw(st.lists(st.sampled_from(known), unique=True, max_size=len(known))))}
        try:
            check_bans(decisions, found, wanted)
        except ConfigError:
            continue
        found |= wanted
    return found


@pytest.mark.parametrize("name", CONFIGS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_what_is_banned_is_never_drawn_and_what_is_learned_stays_finite(name, data):
    config = CONFIGS[name]
    decisions = build_space(config.space).decisions
    wanted = data.draw(bans(decisions))
    strategy = strategy_of(config, [Change(from_step=0, bans=wanted or {decisions[0].name: ()})])
    for _ in range(2):
        (drawn,) = strategy.pending()
        sampled = strategy.sample(40, purpose="share", number=0, under=0)
        for step in (drawn, sampled):
            assert step.banned == sampled.banned
            for proposal in step.proposals:
                taken = zip(decisions, proposal.decisions, strict=True)
                for decision, option in taken:
                    gone = (*wanted.get(decision.family, ()), *wanted.get(decision.name, ()))
                    assert decision.options[option] not in gone
                assert math.isfinite(proposal.log_probability)
            for decision, policy, entropy in zip(decisions, step.policy, step.entropies, strict=True):
                gone = (*wanted.get(decision.family, ()), *wanted.get(decision.name, ()))
                zeros = [option for option, one in zip(decision.options, policy, strict=True) if one == 0.0]
                assert zeros == [option for option in decision.options if option in gone]
                assert sum(policy) == pytest.approx(1) and 0 <= entropy <= math.log(len(policy) - len(zeros)) + 1e-6
        update = answer(strategy)
        assert update.loss is None or math.isfinite(update.loss)
        assert update.divergence is None or math.isfinite(update.divergence)
        assert all(bool(tensor.isfinite().all()) for tensor in strategy.state_dict()[0].values())


def test_the_ratio_of_a_banned_draw_is_the_one_worked_on_paper():
    """One decision of three options, whose scores are their biases alone: ln 1, ln 2, ln 5. Without the third, the
    first two have 1/3 and 2/3. After the biases became ln 3, ln 2, ln 5 they have 3/5 and 2/5: ratios of 9/5 and 3/5.
    Over all three options they would be 3/10 to 1/8 = 12/5 and 2/10 to 2/8 = 4/5, or, mixed up, 9/10 and 3/10."""
    space = ToySpace([3])
    third = space.decisions[0].options[2]
    config = nasnet("ppo").strategy
    strategy = Ppo(space, config, children=8, seed=1, changes=[Change(from_step=0, bans={"operation": (third,)})])
    with torch.no_grad():
        for weights in strategy._controller.parameters():
            weights.zero_()
        strategy._controller.head_biases.copy_(torch.tensor([1.0, 2.0, 5.0]).log())
    drawn = strategy.sample(40, purpose="test", number=0, under=0)
    assert {one.decisions for one in drawn.proposals} == {(0,), (1,)}
    assert drawn.policy[0] == (pytest.approx(1 / 3), pytest.approx(2 / 3), 0.0)
    assert drawn.entropies[0] == pytest.approx(math.log(3) - 2 / 3 * math.log(2))
    old = torch.tensor([one.log_probability for one in drawn.proposals])
    with torch.no_grad():
        strategy._controller.head_biases.copy_(torch.tensor([3.0, 2.0, 5.0]).log())
    ratios = (strategy._score(drawn).joint - old).exp().tolist()
    wanted = {(0,): 9 / 5, (1,): 3 / 5}
    assert ratios == pytest.approx([wanted[one.decisions] for one in drawn.proposals])


def test_a_step_that_was_drawn_before_a_ban_is_learned_from_as_it_was_drawn():
    config = nasnet("ppo", lookahead=1)
    change = Change(from_step=2, bans={"operation": ("identity",)})
    strategy = strategy_of(config, [change])
    plain = strategy_of(config)
    assert strategy.pending() == plain.pending() and [step.banned for step in strategy.pending()] == [(), ()]
    assert answer(strategy).loss == answer(plain).loss
    assert [bool(step.banned) for step in strategy.pending()] == [False, True]
    assert answer(strategy).loss == answer(plain).loss


@pytest.mark.parametrize("kind", ["ppo", "random"])
def test_what_is_taken_back_is_drawn_again(kind):
    config, every = nasnet(kind, children=40), build_space(nasnet().space).decisions[2].options
    changes = [
        Change(from_step=1, bans={"operation": every[1:]}),
        Change(from_step=3, bans={"operation": ()}),
    ]
    strategy, found = strategy_of(config, changes), []
    while not strategy.is_finished:
        (step,) = strategy.pending()
        places = [place for place, d in enumerate(build_space(config.space).decisions) if d.family == "operation"]
        found.append({proposal.decisions[place] for proposal in step.proposals for place in places})
        answer(strategy)
    assert found[1] == found[2] == {0}
    assert all(len(options) > 4 for options in (found[0], *found[3:]))
    if kind == "random":
        plain = strategy_of(config)
        for _ in range(3):
            answer(plain)
        again = strategy_of(config, changes)
        for _ in range(3):
            answer(again)
        assert again.ask() == plain.ask()


@pytest.mark.parametrize("name", CONFIGS)
def test_a_steered_strategy_goes_on_from_its_state_as_if_it_had_never_stopped(name):
    config = CONFIGS[name]
    decisions = build_space(config.space).decisions
    where = decisions[-1].name
    changes = [
        Change(from_step=1, bans={where: decisions[-1].options[:1]}),
        Change(from_step=2, bans={where: ()}),
    ]
    straight, left, told = strategy_of(config, changes), strategy_of(config), 0
    while not straight.is_finished:
        tensors, state = left.state_dict()
        left = strategy_of(config, [change for change in changes if change.from_step <= told + 1])  # Made so far.
        left.load_state_dict(tensors, json.loads(json.dumps(state)))
        assert answer(left).state_sha256 == answer(straight).state_sha256
        told += 1


def test_a_pending_step_under_other_bans_is_refused():
    config = nasnet("ppo")
    tensors, state = strategy_of(config).state_dict()
    other = strategy_of(config, [Change(from_step=0, bans={"operation": ("identity",)})])
    with pytest.raises(CheckpointError, match="contradict what was drawn already"):
        other.load_state_dict(tensors, state)


@pytest.mark.parametrize("kind", ["figure", "released"])
def test_a_skip_that_is_banned_is_no_part_of_the_penalty_and_of_its_gradient(kind):
    config = shared_config("enas-macro", controller={"skip_penalty": kind} if kind == "released" else {})
    strategy = build_shared_strategy(config)
    decisions, controller = strategy._space.decisions, strategy._controller
    names = [decision.name for decision in decisions]
    first = names.index("layer 2 skip from layer 1")
    banned = tuple((0,) if place == first else () for place in range(len(decisions)))
    drawn, _ = controller.draw(5, torch.Generator().manual_seed(1), masks_of(decisions, banned))
    assert drawn[:, first].tolist() == [1] * 5
    found = skip_penalty(
        controller.score(drawn, masks_of(decisions, banned)), controller.program.skips, config.controller
    )
    free = controller.score(drawn)
    logs = free.conditionals[:, first + 2 : first + 4, :2]  # Of layer 3; that of layer 2 counts as nothing.
    whole = skip_penalty(free, controller.program.skips[1:], config.controller)
    assert logs.isfinite().all() and found.item() == pytest.approx(whole.item() / 2, abs=1e-5)
    found.backward()
    grads = [weights.grad for weights in controller.parameters() if weights.grad is not None]
    assert grads and all(bool(grad.isfinite().all()) for grad in grads)


@pytest.mark.parametrize(
    ("bans", "field", "message"),
    [
        ({"operations": ("identity",)}, "bans.operations",
         "is no decision of this search; must be one of its, or input, operation, combination."),
        ({"operation": ("conv_9x9",)}, "bans.operation", "names 'conv_9x9', which is no option there."),
        ({"normal 1 input 1": ("block 1",)}, "bans.normal 1 input 1", "names 'block 1', which is no option there."),
        ({"combination": ("add", "concat")}, "bans.combination",
         "would leave normal 1 combination without an option."),
        ({"input": ("current input",), "normal 1 input 2": ("previous input",)}, "bans.input",
         "would leave normal 1 input 2 without an option."),
    ],
)  # fmt: skip
def test_what_cannot_be_banned_is_said_at_its_place(bans, field, message):
    decisions = build_space(nasnet().space).decisions
    with pytest.raises(ConfigError) as refused:
        check_bans(decisions, {}, bans)
    assert (refused.value.field, refused.value.message) == (field, message)
    with pytest.raises(ConfigError) as refused:
        check_changes(decisions, [Change(from_step=0, children=9), Change(from_step=1, bans=bans)])
    assert refused.value.field == f"changes.1.{field}"


def test_a_ban_that_stood_before_counts():
    decisions = build_space(nasnet().space).decisions
    with pytest.raises(ConfigError, match="would leave normal 1 combination without an option"):
        check_bans(decisions, {"combination": ("add",)}, {"normal 1 combination": ("concat",)})
    check_bans(decisions, {"combination": ("add",)}, {"combination": ("concat",)})


def test_the_last_word_for_each_place_is_in_force():
    changes = read_changes(
        [
            {"from_step": 1, "bans": {"operation": ["identity"], "combination": ["add"]}},
            {"from_step": 2, "children": 24, "bans": {"combination": []}},
        ],
        nasnet(),
    )
    assert [bans_in_force(changes, step) for step in range(3)] == [
        {}, {"operation": ("identity",), "combination": ("add",)}, {"operation": ("identity",)},
    ]  # fmt: skip
    assert banned_at(build_space(nasnet().space).decisions, changes, 0) == ()
    assert [change.to_json() for change in changes][1] == {"from_step": 2, "children": 24, "bans": {"combination": []}}


def test_with_shared_weights_a_step_is_an_epoch_and_the_candidates_come_behind_the_last_one():
    config = shared("enas-micro")
    changes = read_changes([{"from_step": 2, "bans": {"operation": ["identity"]}}], config)
    rounds = config.phases.rounds
    assert in_rounds(config, changes)[0].from_step == 2 * rounds
    strategy = build_shared_strategy(config, changes)
    assert strategy.sample(5, purpose="share", number=1, under=2 * rounds - 1).banned == ()
    assert strategy.sample(5, purpose="derive", number=0, under=2 * rounds).banned != ()
    with pytest.raises(ConfigError, match="comes too late"):
        read_changes([{"from_step": 3, "bans": {"operation": ["identity"]}}], config)
