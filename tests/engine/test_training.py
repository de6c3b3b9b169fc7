import math

import pytest
import torch

from search_engine import checkpoints
from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.config.data import DataConfig
from search_engine.config.layout import LayoutConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.config.training import TrainingConfig
from search_engine.data.batches import Part, prepare
from search_engine.errors import CheckpointError, ConfigError
from search_engine.network_plan import plan
from search_engine.networks.plan_network import PlanNetwork
from search_engine.seeds import Seeds
from search_engine.training import train as train_module
from search_engine.training.for_keeps import TrainingForKeeps
from search_engine.training.recipe import build_optimizer, learning_rate_at
from search_engine.training.scoring import accuracy, reestimate_statistics
from search_engine.training.train import DIVERGED, OUT_OF_MEMORY, Trainee, train, training_step

CPU = torch.device("cpu")
CELL = Cell((Block((0, 1), ("sep_conv_3x3", "max_pool_3x3"), "concat"),), (2,))
ARCHITECTURE = CellArchitecture(CELL, CELL)
LAYOUT = LayoutConfig(normal_cells=1, reductions=1, filters=4)
RECIPE = RecipeConfig(epochs=3, batch_size=20, learning_rate=0.1, nesterov=True, reestimate_batches=3)
DATA = DataConfig(image_size=8, train_examples=200, held_out_examples=100)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return prepare(DATA, seed=1, folder=tmp_path_factory.mktemp("data"), device=CPU)


def trainee_of(recipe=RECIPE, seed=1):
    network_plan = plan(ARCHITECTURE, LAYOUT, image_channels=1, image_size=8, classes=10)
    return Trainee(PlanNetwork(network_plan, generator=torch.Generator().manual_seed(seed)), recipe)


def run(trainee, data, *, every=True):
    """(records without their seconds, reason)."""
    epochs = train(trainee, data.train, data.held_out, seeds=Seeds(1, (0, 2)), score_every_epoch=every)
    records = []
    while True:
        try:
            record = next(epochs)
        except StopIteration as end:
            return records, end.value
        records.append((record.epoch, record.loss, record.accuracy, record.learning_rate))


def test_the_learning_rate_rises_in_a_line_and_falls_along_a_cosine():
    recipe = RecipeConfig(learning_rate=0.4, warm_up=0.1)
    rates = [learning_rate_at(step, 100, recipe) for step in range(100)]
    assert rates[:10] == pytest.approx([0.04 * step for step in range(1, 11)])
    assert rates[10] == 0.4
    assert rates[55] == pytest.approx(0.2)
    assert 0 < rates[99] < 0.0002
    assert learning_rate_at(99, 100, recipe.model_copy(update={"schedule": "constant"})) == 0.4


def test_decay_is_for_weights_of_convolutions_and_linear_layers_only():
    trainee = trainee_of(RecipeConfig(weight_decay=0.01))
    decayed, others = build_optimizer(trainee.network, trainee.recipe).param_groups
    assert decayed["weight_decay"] == 0.01 and others["weight_decay"] == 0.0
    assert {parameter.dim() for parameter in decayed["params"]} == {2, 4}
    assert {parameter.dim() for parameter in others["params"]} == {1}


def test_a_step_is_the_clipped_gradient_with_momentum_and_decay_by_hand():
    recipe = RecipeConfig(
        learning_rate=0.1, momentum=0.9, nesterov=True, weight_decay=0.01, gradient_clip=0.5, batch_size=20
    )
    trainee, twin = trainee_of(recipe), trainee_of(recipe)
    images, labels = torch.randn(20, 1, 8, 8), torch.randint(0, 10, (20,))
    loss = torch.nn.functional.cross_entropy(twin.network(images), labels)
    gradients = torch.autograd.grad(loss, twin.parameters)
    norm = torch.sqrt(sum(gradient.square().sum() for gradient in gradients))
    assert norm > 0.5
    assert training_step(trainee, images, labels).item() == pytest.approx(loss.item())
    for after, before, gradient in zip(trainee.parameters, twin.parameters, gradients, strict=True):
        direction = gradient * (0.5 / norm) + (0.01 if before.dim() > 1 else 0) * before
        momentum = direction  # The first step has none behind it.
        wanted = before - 0.1 * (direction + 0.9 * momentum)
        assert torch.allclose(after, wanted, rtol=1e-4, atol=1e-6)


def test_training_learns(data):
    records, reason = run(trainee_of(RECIPE.model_copy(update={"epochs": 6})), data)
    assert reason is None
    assert records[-1][1] < records[0][1]
    assert records[-1][2] > 0.2  # Of ten classes.


def test_the_held_out_part_is_scored_after_the_last_epoch_only_if_so_wanted(data):
    records, _ = run(trainee_of(), data, every=False)
    assert [record[2] is None for record in records] == [True, True, False]


@pytest.mark.parametrize("stop_after", [1, 2])
def test_a_training_goes_on_from_a_file_to_the_same_bits(data, tmp_path, stop_after):
    recipe = RECIPE.model_copy(update={"augment": True})
    straight = trainee_of(recipe)
    records, _ = run(straight, data)
    interrupted = trainee_of(recipe)
    epochs = train(interrupted, data.train, data.held_out, seeds=Seeds(1, (0, 2)), score_every_epoch=True)
    for _ in range(stop_after):
        next(epochs)
    checkpoints.save(tmp_path / "file", interrupted.tensors(), {})
    tensors, _ = checkpoints.load(tmp_path / "file")
    resumed = trainee_of(recipe, seed=99)
    resumed.restore(tensors, interrupted.progress)
    later, _ = run(resumed, data)
    assert later == records[stop_after:]
    for name, tensor in straight.tensors().items():
        assert torch.equal(tensor, resumed.tensors()[name]), name


def test_weights_of_another_network_are_refused():
    tensors = trainee_of().tensors()
    del tensors["stem.conv.weight"]
    with pytest.raises(CheckpointError, match="another network"):
        trainee_of().restore(tensors, trainee_of().progress)


def test_a_rate_that_is_too_high_diverges_as_a_value(data):
    _, reason = run(
        trainee_of(RecipeConfig(epochs=2, batch_size=20, learning_rate=10, gradient_clip=1000)), broken(data)
    )
    assert reason == DIVERGED


def broken(data):
    """The same data with a normalisation that makes every pixel infinite."""
    part = Part(data.train.images, data.train.labels, torch.full((1,), math.inf), torch.zeros(1))
    return type(data)(data.description, part, part, part)


def test_a_gradient_that_is_not_finite_counts_as_divergence():
    trainee = trainee_of()
    for parameter in trainee.parameters:
        parameter.register_hook(lambda gradient: gradient * math.inf)
        break
    loss = training_step(trainee, torch.randn(20, 1, 8, 8), torch.randint(0, 10, (20,)))
    assert math.isnan(loss.item())


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to allocate"
        ),
        MemoryError(),
    ],
)
def test_running_out_of_memory_is_a_value(data, monkeypatch, error):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(train_module, "training_step", fail)
    assert run(trainee_of(), data) == ([], OUT_OF_MEMORY)


def test_a_bug_of_ours_is_not_taken_for_a_failure_of_the_child(data, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("shapes do not match, whatever the memory format")

    monkeypatch.setattr(train_module, "training_step", fail)
    with pytest.raises(RuntimeError, match="shapes"):
        run(trainee_of(), data)


def test_accuracy_counts_what_the_largest_logit_names(data):
    trainee = trainee_of()
    right = 0
    trainee.network.eval()
    with torch.no_grad():
        for images, labels in data.held_out.batches(1):
            right += int(trainee.network(images).argmax().item() == labels.item())
    assert accuracy(trainee.network, data.held_out) == right / 100


def test_reestimated_statistics_are_plain_means_over_the_batches(data):
    network = trainee_of().network
    seen = []
    network.get_submodule("stem.conv").register_forward_hook(lambda _, __, output: seen.append(output))
    reestimate_statistics(network, data.train, batches=4, batch_size=20, order_seed=5)
    assert len(seen) == 4
    means = torch.stack([output.mean((0, 2, 3)) for output in seen]).mean(0)
    variances = torch.stack([output.var((0, 2, 3)) for output in seen]).mean(0)
    assert torch.allclose(network.get_buffer("stem.batch_norm.running_mean"), means, atol=1e-5)
    assert torch.allclose(network.get_buffer("stem.batch_norm.running_var"), variances, rtol=1e-4)


def kept(recipe=RECIPE):
    return TrainingConfig(architecture=ARCHITECTURE.to_json(), layout=LAYOUT, recipe=recipe, data=DATA)


def test_a_training_for_keeps_scores_every_epoch_and_tests_once_at_the_end(data, tmp_path):
    training = TrainingForKeeps(kept(), data=data, device=CPU)
    with pytest.raises(AssertionError):
        training.test()
    events = list(training.epochs())
    assert [event.epoch for event in events] == [1, 2, 3]
    assert all(event.accuracy is not None and event.step is None for event in events)
    assert data.test.batches_served == 0
    result = training.test()
    assert result.test_examples == 2000 and result.held_out_accuracy == events[-1].accuracy
    tensors, metadata = training.network_file(result)
    assert set(tensors) == set(training.plan.parameter_shapes()) | set(training.plan.buffer_shapes())
    assert metadata["test_accuracy"] == result.test_accuracy
    assert TrainingConfig.model_validate(metadata["config"]) == kept()
    assert len(metadata["normalisation"]["scale"]) == 1
    checkpoints.save(tmp_path / "network", tensors, metadata)


def test_a_training_for_keeps_goes_on_from_its_last_checkpoint(data):
    straight = TrainingForKeeps(kept(), data=data, device=CPU)
    list(straight.epochs())
    stopped = TrainingForKeeps(kept(), data=data, device=CPU)
    next(stopped.epochs())
    tensors, metadata = stopped.checkpoint()
    resumed = TrainingForKeeps(kept(), data=data, device=CPU)
    resumed.restore({name: tensor.clone() for name, tensor in tensors.items()}, metadata)
    assert [event.epoch for event in resumed.epochs()] == [2, 3]
    assert resumed.test().test_accuracy == straight.test().test_accuracy
    with pytest.raises(CheckpointError, match="another training"):
        TrainingForKeeps(kept(RecipeConfig()), data=data, device=CPU).restore(tensors, metadata)


def test_a_recipe_that_diverges_is_refused_at_the_learning_rate(data):
    training = TrainingForKeeps(kept(), data=broken(data), device=CPU)
    with pytest.raises(ConfigError, match="ceased to be finite in epoch 1") as caught:
        list(training.epochs())
    assert caught.value.field == "recipe.learning_rate"
