"""What every evaluator promises, tested on each of them."""

from pathlib import Path

import pytest
import torch

from search_engine.config.bounds import BoundsConfig
from search_engine.config.data import DataConfig
from search_engine.config.layout import LayoutConfig
from search_engine.config.objective import ObjectiveConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.config.search import SearchConfig
from search_engine.config.space import NasnetSpaceConfig
from search_engine.evaluators.base import Evaluator
from search_engine.evaluators.benchmark_table import BenchmarkTable, Entry
from search_engine.evaluators.reusing import Reusing
from search_engine.evaluators.standalone import StandaloneEvaluator
from search_engine.evaluators.tabular import TabularEvaluator
from search_engine.events import EpochEnded
from search_engine.spaces.nas_bench_201 import NasBench201Space
from search_engine.spaces.nasnet import NasnetSpace
from search_engine.strategies.base import Evaluation, Proposal
from search_engine.strategies.build import build_strategy

CONFIG = SearchConfig(
    space=NasnetSpaceConfig(blocks=1),
    child=LayoutConfig(normal_cells=1, reductions=1, filters=4),
    recipe=RecipeConfig(epochs=2, batch_size=25, reestimate_batches=2),
    data=DataConfig(image_size=8, train_examples=100, held_out_examples=100),
)
SPACE = NasnetSpace(CONFIG.space)


def standalone() -> Evaluator:
    return StandaloneEvaluator(CONFIG, device=torch.device("cpu"), folder=Path("nowhere"))


def weighing() -> Evaluator:
    """With bounds that hold nothing back, and cost in the reward."""
    bounds, objective = BoundsConfig(parameters=10**9), ObjectiveConfig(cost="parameters", target=1e6, weighing="hard")
    config = CONFIG.model_copy(update={"bounds": bounds, "objective": objective})
    return StandaloneEvaluator(config, device=torch.device("cpu"), folder=Path("nowhere"))


EVALUATORS = {
    "standalone": standalone,
    "reusing": lambda: Reusing(standalone(), lookahead=0),
    "weighing cost": weighing,
}


def test_a_table_promises_the_same_but_epochs_and_costs():
    space = NasBench201Space()
    cells = [space.decode((one,) * 6) for one in range(5)]
    table = BenchmarkTable({cell: Entry(reward=one / 5, score=one / 10) for one, cell in enumerate(cells)})
    first = Proposal(1, 2, (3,) * 6, -1.0, cells[3])
    torch.manual_seed(0)
    before = torch.get_rng_state()
    alone = evaluate(TabularEvaluator(table), first)
    assert alone == ([], Evaluation(1, 2, 3 / 5, accuracy=3 / 5))
    evaluator = TabularEvaluator(table)
    evaluate(evaluator, Proposal(0, 0, (1,) * 6, -1.0, cells[1]))
    assert evaluate(evaluator, first) == alone
    assert torch.equal(torch.get_rng_state(), before)
    assert list(evaluator.prepare(build_strategy(CONFIG))) == []


def proposal(step: int, slot: int, decisions: tuple[int, ...] = (0, 1, 10, 5, 1, 0, 0, 9, 4, 0)) -> Proposal:
    return Proposal(step, slot, decisions, -1.0, SPACE.decode(decisions))


def evaluate(evaluator: Evaluator, proposed: Proposal) -> tuple[list[EpochEnded], Evaluation]:
    events = []
    steps = evaluator.evaluate(proposed)
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


@pytest.fixture(params=EVALUATORS)
def build(request):
    return EVALUATORS[request.param]


def test_an_evaluation_names_its_place_and_has_a_reward_between_0_and_1(build):
    events, evaluation = evaluate(build(), proposal(3, 0))
    assert (evaluation.step, evaluation.slot) == (3, 0)
    assert 0 <= evaluation.reward <= 1 and evaluation.reason is None and evaluation.twin is None
    assert evaluation.parameters > 0 and evaluation.mult_adds > 0
    assert [event.epoch for event in events] == [1, 2]
    assert all((event.step, event.slot, event.epochs) == (3, 0, 2) for event in events)


def test_the_reward_is_the_same_whatever_ran_before(build):
    alone = evaluate(build(), proposal(1, 0))[1].reward
    evaluator = build()
    evaluate(evaluator, proposal(0, 0, (0, 0, 7, 12, 0, 1, 1, 1, 2, 1)))
    torch.manual_seed(3)
    torch.rand(5)
    assert evaluate(evaluator, proposal(1, 0))[1].reward == alone


def test_the_global_generator_is_left_alone(build):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    evaluate(build(), proposal(0, 0))
    assert torch.equal(torch.get_rng_state(), before)


def test_preparing_a_step_yields_events_and_needs_no_more(build):
    assert list(build().prepare(build_strategy(CONFIG))) == []
