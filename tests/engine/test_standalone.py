from pathlib import Path

import pytest
import torch

from search_engine import checkpoints
from search_engine.config.budget import BudgetConfig
from search_engine.config.data import DataConfig
from search_engine.config.layout import LayoutConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.config.search import SearchConfig
from search_engine.config.space import NasnetSpaceConfig
from search_engine.errors import CheckpointError, ConfigError
from search_engine.evaluators import standalone
from search_engine.evaluators.standalone import StandaloneEvaluator, child_checkpoint
from search_engine.spaces.nasnet import NasnetSpace
from search_engine.strategies.base import Proposal
from search_engine.training import precision
from search_engine.training import train as train_module

CONFIG = SearchConfig(
    space=NasnetSpaceConfig(blocks=1),
    child=LayoutConfig(normal_cells=1, reductions=1, filters=4),
    recipe=RecipeConfig(epochs=3, batch_size=25, reestimate_batches=2),
    data=DataConfig(image_size=8, train_examples=100, held_out_examples=100),
    budget=BudgetConfig(infeasible_reward=-0.5),
)
SPACE = NasnetSpace(CONFIG.space)
DECISIONS = (0, 1, 10, 5, 1, 0, 0, 9, 4, 0)


@pytest.fixture(scope="module")
def evaluator():
    return StandaloneEvaluator(CONFIG, device=torch.device("cpu"), folder=Path("nowhere"))


def proposal(step=0, slot=0, decisions=DECISIONS):
    return Proposal(step, slot, decisions, -1.0, SPACE.decode(decisions))


def finish(epochs):
    """(events without their seconds, evaluation)."""
    events = []
    while True:
        try:
            event = next(epochs)
        except StopIteration as end:
            return events, end.value
        event = event[0] if isinstance(event, tuple) else event
        events.append(event.model_copy(update={"seconds": 0.0}))


def test_the_reward_is_the_held_out_accuracy_after_the_last_epoch(evaluator):
    events, evaluation = finish(evaluator.evaluate(proposal()))
    assert [event.accuracy is None for event in events] == [True, True, False]
    assert evaluation.reward == events[-1].accuracy
    assert evaluation.seconds > 0


def test_children_of_different_places_are_trained_differently(evaluator):
    losses = {finish(evaluator.evaluate(proposal(step, slot)))[0][0].loss for step, slot in [(0, 0), (0, 1), (1, 0)]}
    assert len(losses) == 3


@pytest.mark.parametrize("epochs_before", [1, 2])
def test_a_child_goes_on_from_a_checkpoint_to_the_same_bits(evaluator, tmp_path, epochs_before):
    events, evaluation = finish(evaluator.train_child(proposal()))
    interrupted = evaluator.train_child(proposal())
    for _ in range(epochs_before):
        _, trainee = next(interrupted)
    checkpoints.save(tmp_path / "child", *child_checkpoint(proposal(), trainee))
    later, resumed = finish(evaluator.train_child(proposal(), checkpoints.load(tmp_path / "child")))
    assert later == events[epochs_before:]
    assert resumed.reward == evaluation.reward


def test_the_checkpoint_of_another_child_is_refused(evaluator):
    _, trainee = next(evaluator.train_child(proposal()))
    checkpoint = child_checkpoint(proposal(), trainee)
    with pytest.raises(CheckpointError, match="not of child 0.1"):
        next(evaluator.train_child(proposal(slot=1), checkpoint))


def test_a_child_that_diverges_gets_the_stated_reward_and_the_reason(evaluator, monkeypatch):
    monkeypatch.setattr(train_module, "training_step", lambda *_: torch.tensor(torch.nan))
    events, evaluation = finish(evaluator.evaluate(proposal()))
    assert events == []
    assert (evaluation.reward, evaluation.reason) == (-0.5, "diverged")
    assert evaluation.parameters > 0


def test_a_child_that_does_not_fit_gets_the_stated_reward_even_before_it_trains(evaluator, monkeypatch):
    def too_large(*arguments, **options):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4398046511104 bytes.")

    monkeypatch.setattr(standalone, "PlanNetwork", too_large)
    events, evaluation = finish(evaluator.evaluate(proposal()))
    assert (events, evaluation.reward, evaluation.reason) == ([], -0.5, "out of memory")


def test_too_few_images_are_refused_before_any_child():
    config = CONFIG.model_copy(update={"data": DataConfig(image_size=8, train_examples=10_000)})
    with pytest.raises(ConfigError, match="together; the training part of “Fashion-MNIST, 10,000 images” has 10,000"):
        StandaloneEvaluator(config, device=torch.device("cpu"), folder=Path("nowhere"))


PAPERS = {"auxiliary_weight": 0.4, "drop_path": "time-and-depth", "weight_average": 0.9, "cutout": 4, "epochs": 2}


def with_recipe(**recipe):
    """An evaluator of networks that have room for an auxiliary head."""
    value = CONFIG.model_dump()
    value["child"] |= {"reductions": 2, "filters": 2}
    value["data"] |= {"image_size": 9}
    config = SearchConfig.model_validate(value | {"recipe": value["recipe"] | recipe})
    return StandaloneEvaluator(config, device=torch.device("cpu"), folder=Path("nowhere"))


def test_a_child_counts_without_the_auxiliary_head_that_it_is_trained_with():
    before, plain = finish(with_recipe(epochs=2).evaluate(proposal()))
    after, trained = finish(with_recipe(**PAPERS).evaluate(proposal()))
    assert (trained.parameters, trained.mult_adds) == (plain.parameters, plain.mult_adds)
    assert trained.reason is None and after[0].loss > before[0].loss  # The head's loss is on top.


def test_a_child_of_the_papers_recipe_goes_on_from_a_checkpoint_to_the_same_bits(tmp_path):
    evaluator = with_recipe(**PAPERS)
    events, evaluation = finish(evaluator.train_child(proposal()))
    _, trainee = next(evaluator.train_child(proposal()))
    checkpoints.save(tmp_path / "child", *child_checkpoint(proposal(), trainee))
    later, resumed = finish(with_recipe(**PAPERS).train_child(proposal(), checkpoints.load(tmp_path / "child")))
    assert later == events[1:] and resumed.reward == evaluation.reward


def test_a_device_without_the_precision_is_refused_before_any_child(monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda _: False)
    with pytest.raises(ConfigError, match='is "bfloat16"; the device cpu lacks it'):
        with_recipe(precision="bfloat16")
