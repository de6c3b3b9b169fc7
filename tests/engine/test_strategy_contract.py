"""What every strategy promises; each kind inherits the same tests."""

import json
import math
from abc import ABC, abstractmethod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine import checkpoints
from search_engine.config.controller import MacroControllerConfig
from search_engine.config.controller_presets import PRESET_NAMES, controller_preset
from search_engine.config.space import (
    EnasMacroSpaceConfig,
    EnasMicroSpaceConfig,
    EnasRecurrentSpaceConfig,
    NasnetSpaceConfig,
)
from search_engine.config.strategy import (
    AnyStrategyConfig,
    EvolutionConfig,
    LocalSearchConfig,
    PpoConfig,
    PpoReplayConfig,
    RandomConfig,
    ReinforceConfig,
    StrategyConfig,
)
from search_engine.errors import CheckpointError
from search_engine.spaces.build import build_space
from search_engine.spaces.nas_bench_201 import NasBench201Space
from search_engine.strategies.base import Evaluation, Strategy, Update
from search_engine.strategies.build import build_strategy_for
from search_engine.strategies.evolution import Evolution
from search_engine.strategies.local_search import LocalSearch
from search_engine.strategies.ppo import Ppo
from search_engine.strategies.ppo_replay import PpoReplay
from search_engine.strategies.random import Random
from search_engine.strategies.reinforce import Reinforce
from search_engine.strategies.screening import Screening
from tests.engine.toy import ToySpace

SIZES = [3, 4, 2]


def answer(strategy: Strategy) -> Update:
    """Tell the first pending step rewards that hang on the decisions; every fifth decision list is lost."""
    evaluations = []
    for proposal in strategy.ask():
        mark = sum(proposal.decisions) + proposal.slot
        evaluations.append(Evaluation(proposal.step, proposal.slot, None if mark % 5 == 0 else mark / 10))
    return strategy.tell(evaluations)


def through_a_file(strategy: Strategy, fresh: Strategy) -> Strategy:
    """The fresh strategy, gone on from what the other one would write."""
    tensors, state = strategy.state_dict()
    fresh.load_state_dict(tensors, json.loads(json.dumps(state)))
    return fresh


class StrategyContract(ABC):
    @abstractmethod
    def make(
        self, *, children: int = 10, step_size: int = 4, lookahead: int = 0, seed: int = 1, sizes: list[int] = SIZES
    ) -> Strategy: ...

    def test_steps_are_numbered_and_the_last_one_takes_the_rest(self) -> None:
        strategy = self.make(children=10, step_size=4)
        shapes = []
        while not strategy.is_finished:
            shapes.append([(proposal.step, proposal.slot) for proposal in strategy.ask()])
            answer(strategy)
        assert shapes == [[(0, 0), (0, 1), (0, 2), (0, 3)], [(1, 0), (1, 1), (1, 2), (1, 3)], [(2, 0), (2, 1)]]
        assert strategy.pending() == ()

    def test_asking_again_gives_the_same_proposals(self) -> None:
        strategy = self.make()
        assert strategy.ask() == strategy.ask() == strategy.pending()[0].proposals

    def test_asking_after_the_end_is_our_bug(self) -> None:
        strategy = self.make(children=1, step_size=1)
        answer(strategy)
        assert strategy.is_finished
        with pytest.raises(ValueError, match="spent"):
            strategy.ask()
        with pytest.raises(ValueError, match="spent"):
            strategy.tell([])

    @pytest.mark.parametrize("lookahead", [0, 1, 2])
    def test_a_step_is_drawn_as_soon_as_the_step_lookahead_and_one_before_it_was_told(self, lookahead: int) -> None:
        strategy = self.make(children=20, step_size=4, lookahead=lookahead)
        for told in range(6):
            expected = list(range(told, min(told + 1 + lookahead, 5)))
            assert [drawn.step for drawn in strategy.pending()] == expected
            if expected:
                answer(strategy)

    def test_a_step_looks_at_no_reward_that_its_lookahead_hides(self) -> None:
        good, bad = self.make(lookahead=1), self.make(lookahead=1)
        good.tell([Evaluation(0, slot, 1.0 - slot / 9) for slot in range(4)])
        bad.tell([Evaluation(0, slot, slot / 9) for slot in range(4)])
        assert good.ask() == bad.ask()

    def test_decisions_decode_to_the_architecture_and_lie_in_the_space(self) -> None:
        space = ToySpace(SIZES)
        for proposal in self.make().ask():
            assert space.decode(proposal.decisions) == proposal.architecture
            assert all(0 <= chosen < size for chosen, size in zip(proposal.decisions, SIZES, strict=True))

    def test_the_policy_shown_is_a_distribution_per_decision_with_its_entropy(self) -> None:
        drawn = self.make().pending()[0]
        assert [len(options) for options in drawn.policy] == SIZES
        assert all(sum(options) == pytest.approx(1) for options in drawn.policy)
        for entropy, size in zip(drawn.entropies, SIZES, strict=True):
            assert 0 < entropy <= math.log(size) + 1e-6
        for proposal in drawn.proposals:
            assert -1.5 * sum(map(math.log, SIZES)) < proposal.log_probability < 0

    def test_a_seed_fixes_everything_and_another_seed_changes_it(self) -> None:
        one, same, other = self.make(seed=1), self.make(seed=1), self.make(seed=2)
        assert [answer(one) for _ in range(3)] == [answer(same) for _ in range(3)]
        assert one.state_dict()[1] == same.state_dict()[1]
        assert self.make(seed=1).ask() != other.ask()

    def test_evaluations_of_something_else_are_our_bug(self) -> None:
        strategy = self.make()
        right = [Evaluation(0, slot, 0.5) for slot in range(4)]
        for wrong in ([], right[:3], right[::-1], [*right, Evaluation(0, 4, 0.5)], [*right[:3], Evaluation(1, 3, 0.5)]):
            with pytest.raises(ValueError, match="evaluations are of"):
                strategy.tell(wrong)
        strategy.tell(right)
        with pytest.raises(ValueError, match="evaluations are of"):
            strategy.tell(right)

    def test_the_digest_of_an_update_is_that_of_the_state(self) -> None:
        strategy = self.make()
        first = answer(strategy)
        assert first.state_sha256 == checkpoints.digest(*strategy.state_dict())
        assert answer(strategy).state_sha256 != first.state_sha256

    def test_a_saved_state_does_not_change_when_learning_goes_on(self) -> None:
        strategy = self.make()
        answer(strategy)
        saved = strategy.state_dict()
        before = checkpoints.digest(*saved)
        answer(strategy)
        assert checkpoints.digest(*saved) == before

    def test_a_state_of_another_configuration_is_refused(self) -> None:
        tensors, state = self.make().state_dict()
        others = [
            self.make(children=11),
            self.make(step_size=5),
            self.make(lookahead=1),
            self.make(seed=2),
            self.make(sizes=[3, 4, 3]),
        ]
        for other in others:
            before = other.ask()
            with pytest.raises(CheckpointError, match="another configuration"):
                other.load_state_dict(tensors, state)
            assert other.ask() == before

    def test_a_sample_is_fixed_by_seed_purpose_and_number_and_changes_nothing(self) -> None:
        strategy = self.make(children=40)
        answer(strategy)
        before = checkpoints.digest(*strategy.state_dict())
        sampled = strategy.sample(5, purpose="share", number=3)
        assert [(proposal.step, proposal.slot) for proposal in sampled.proposals] == [(3, slot) for slot in range(5)]
        assert checkpoints.digest(*strategy.state_dict()) == before
        assert strategy.sample(5, purpose="share", number=3) == sampled
        assert through_a_file(strategy, self.make(children=40)).sample(5, purpose="share", number=3) == sampled
        others = [
            strategy.sample(5, purpose="derive", number=3),
            strategy.sample(5, purpose="share", number=4),
        ]
        for other in others:
            assert [one.decisions for one in other.proposals] != [one.decisions for one in sampled.proposals]
        unasked = self.make(children=40)
        answer(unasked)
        assert answer(strategy) == answer(unasked)

    def test_a_large_sample_goes_on_where_a_smaller_one_ends(self) -> None:
        strategy = self.make()
        large = strategy.sample(1002, purpose="test", number=0)
        assert len(large.proposals) == 1002
        assert large.proposals[:1000] == strategy.sample(1000, purpose="test", number=0).proposals

    def test_a_sample_comes_from_the_policy_as_it_is(self) -> None:
        strategy = self.make(children=40)
        drawn = strategy.pending()[0]
        sampled = strategy.sample(1000, purpose="test", number=0)
        for options, wanted in zip(sampled.policy, drawn.policy, strict=True):
            assert options == pytest.approx(wanted, abs=0.05)
        space = ToySpace(SIZES)
        for index, options in enumerate(sampled.policy):
            for option, probability in enumerate(options):
                share = sum(proposal.decisions[index] == option for proposal in sampled.proposals) / 1000
                assert share == pytest.approx(probability, abs=0.07)  # More than four standard errors.
        assert all(space.decode(one.decisions) == one.architecture for one in sampled.proposals[:5])


class TestPpo(StrategyContract):
    def make(
        self, *, children: int = 10, step_size: int = 4, lookahead: int = 0, seed: int = 1, sizes: list[int] = SIZES
    ) -> Strategy:
        config = PpoConfig(
            step_size=step_size, lookahead=lookahead, hidden_size=6, learning_rate=0.02, normalise_advantages=True
        )
        return Ppo(ToySpace(sizes), config, children=children, seed=seed)


class TestReinforce(StrategyContract):
    def make(
        self, *, children: int = 10, step_size: int = 4, lookahead: int = 0, seed: int = 1, sizes: list[int] = SIZES
    ) -> Strategy:
        config = ReinforceConfig(step_size=step_size, lookahead=lookahead, hidden_size=6, learning_rate=0.02)
        return Reinforce(ToySpace(sizes), config, children=children, seed=seed)


class TestReinforceAsReleased(StrategyContract):
    def make(
        self, *, children: int = 10, step_size: int = 4, lookahead: int = 0, seed: int = 1, sizes: list[int] = SIZES
    ) -> Strategy:
        config = ReinforceConfig(
            step_size=step_size, lookahead=lookahead, hidden_size=6, learning_rate=0.02, gradient_clip=0,
            baseline_rule="architecture", entropy_bonus="reward-drawn",
        )  # fmt: skip
        return Reinforce(ToySpace(sizes), config, children=children, seed=seed)


class TestRandom(StrategyContract):
    def make(
        self, *, children: int = 10, step_size: int = 4, lookahead: int = 0, seed: int = 1, sizes: list[int] = SIZES
    ) -> Strategy:
        config = RandomConfig(step_size=step_size, lookahead=lookahead)
        return Random(ToySpace(sizes), config, children=children, seed=seed)


class TestPpoReplay(StrategyContract):
    def make(
        self, *, children: int = 10, step_size: int = 4, lookahead: int = 0, seed: int = 1, sizes: list[int] = SIZES
    ) -> Strategy:
        config = PpoReplayConfig(step_size=step_size, lookahead=lookahead, hidden_size=6, learning_rate=0.02)
        return PpoReplay(ToySpace(sizes), config, children=children, seed=seed)


class TestScreened(StrategyContract):
    """PPO that trains the largest of three that it draws."""

    def make(
        self, *, children: int = 10, step_size: int = 4, lookahead: int = 0, seed: int = 1, sizes: list[int] = SIZES
    ) -> Strategy:
        config = PpoConfig(
            step_size=step_size, lookahead=lookahead, hidden_size=6, learning_rate=0.02, normalise_advantages=True
        )
        screening = Screening(3, lambda architecture: float(len(str(architecture))))
        return Ppo(ToySpace(sizes), config, children=children, seed=seed, screening=screening)


class TestEvolution(StrategyContract):
    def make(
        self, *, children: int = 10, step_size: int = 4, lookahead: int = 0, seed: int = 1, sizes: list[int] = SIZES
    ) -> Strategy:
        config = EvolutionConfig(step_size=step_size, lookahead=lookahead, population_size=5, sample_size=2)
        return Evolution(ToySpace(sizes), config, children=children, seed=seed)


class TestLocalSearch(StrategyContract):
    def make(
        self, *, children: int = 10, step_size: int = 4, lookahead: int = 0, seed: int = 1, sizes: list[int] = SIZES
    ) -> Strategy:
        config = LocalSearchConfig(step_size=step_size, lookahead=lookahead)
        return LocalSearch(ToySpace(sizes), config, children=children, seed=seed)


def test_a_state_of_another_kind_is_refused() -> None:
    with pytest.raises(CheckpointError, match="another configuration"):
        TestRandom().make().load_state_dict(*TestPpo().make().state_dict())


# PPO with a memory is PPO here, and goes through files at every step in the tests below.
KINDS = [TestPpo, TestScreened, TestReinforce, TestReinforceAsReleased, TestRandom, TestEvolution, TestLocalSearch]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_order_of_asking_saving_and_loading_equals_the_straight_run(
    kind: type[StrategyContract], data: st.DataObject
) -> None:
    lookahead = data.draw(st.integers(0, 2), label="lookahead")
    straight = kind().make(children=18, lookahead=lookahead)
    strategy = kind().make(children=18, lookahead=lookahead)
    while not straight.is_finished:
        for action in data.draw(st.lists(st.sampled_from(["ask", "pending", "load"]), max_size=3), label="actions"):
            if action == "load":
                strategy = through_a_file(strategy, kind().make(children=18, lookahead=lookahead))
            else:
                getattr(strategy, action)()
        assert strategy.pending() == straight.pending()
        assert answer(strategy) == answer(straight)
    assert strategy.is_finished


@pytest.mark.parametrize("kind", [PpoReplayConfig, EvolutionConfig, LocalSearchConfig])
def test_every_strategy_of_a_search_of_single_children_searches_nas_bench_201(kind: type[StrategyConfig]) -> None:
    space, config = NasBench201Space(), kind(step_size=4)
    straight, strategy = (build_strategy_for(space, config, None, children=24, seed=1) for _ in range(2))
    while not straight.is_finished:
        fresh = build_strategy_for(space, config, None, children=24, seed=1)
        strategy = through_a_file(strategy, fresh)
        assert strategy.pending() == straight.pending()
        assert all(space.encode(proposal.architecture) == proposal.decisions for proposal in strategy.ask())
        assert answer(strategy) == answer(straight)


ENAS_SPACES = [EnasMicroSpaceConfig(nodes=2), EnasMacroSpaceConfig(layers=4), EnasRecurrentSpaceConfig(nodes=4)]


OTHER_KINDS: dict[str, AnyStrategyConfig] = {
    "ppo": PpoConfig(step_size=4, hidden_size=8),
    "ppo-replay": PpoReplayConfig(step_size=4, hidden_size=8),
    "evolution": EvolutionConfig(step_size=4, population_size=4),
    "local": LocalSearchConfig(step_size=4),
    "random": RandomConfig(step_size=4),
}


def of_space(
    config: EnasMicroSpaceConfig | EnasMacroSpaceConfig | EnasRecurrentSpaceConfig, kind: str, seed: int = 1
) -> Strategy:
    """A small strategy over a space of ENAS: of another kind, or a preset of REINFORCE."""
    space, preset = build_space(config), controller_preset(config.kind, kind if kind in PRESET_NAMES else "default")
    chosen = OTHER_KINDS.get(kind, preset.strategy.model_copy(update={"step_size": 4, "hidden_size": 8}))
    return build_strategy_for(space, chosen, preset.controller, children=12, seed=seed)


@pytest.mark.parametrize("kind", [*PRESET_NAMES, *OTHER_KINDS])
@pytest.mark.parametrize("config", ENAS_SPACES, ids=lambda config: config.kind)
def test_every_strategy_searches_every_space_of_enas_and_goes_on_from_a_file(
    config: EnasMicroSpaceConfig | EnasMacroSpaceConfig | EnasRecurrentSpaceConfig, kind: str
) -> None:
    space = build_space(config)
    straight, strategy = of_space(config, kind), of_space(config, kind)
    while not straight.is_finished:
        strategy = through_a_file(strategy, of_space(config, kind))
        assert strategy.pending() == straight.pending()
        for proposal in strategy.ask():
            assert space.decode(proposal.decisions) == proposal.architecture
        drawn = strategy.pending()[0]
        assert [len(options) for options in drawn.policy] == [len(one.options) for one in space.decisions]
        assert answer(strategy) == answer(straight)
    assert strategy.is_finished
    assert of_space(config, kind, seed=2).ask() != of_space(config, kind).ask()


def test_a_state_of_another_controller_is_refused() -> None:
    space = build_space(EnasMacroSpaceConfig(layers=4))
    strategies = [
        Reinforce(space, ReinforceConfig(hidden_size=8), MacroControllerConfig(skip_prior=prior), children=20, seed=1)
        for prior in (0.4, 0.5)
    ]
    with pytest.raises(CheckpointError, match="another configuration"):
        strategies[0].load_state_dict(*strategies[1].state_dict())


def test_what_a_search_without_a_controller_of_its_own_is_kept_as_stays_as_it_was() -> None:
    strategy = build_strategy_for(
        build_space(NasnetSpaceConfig(blocks=1)), PpoConfig(hidden_size=4), None, children=20, seed=1
    )
    tensors, state = strategy.state_dict()
    assert list(state["made_for"]) == ["strategy", "decisions", "children", "seed"]
    assert list(tensors) == [
        "controller.start", "controller.embeddings", "controller.head_weights", "controller.head_biases",
        "controller.lstm.weight_ih_l0", "controller.lstm.weight_hh_l0", "controller.lstm.bias_ih_l0",
        "controller.lstm.bias_hh_l0",
    ]  # fmt: skip
