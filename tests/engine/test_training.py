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
from search_engine.data.batches import prepare
from search_engine.data.parts import Part
from search_engine.errors import CheckpointError, ConfigError
from search_engine.network_plan import plan
from search_engine.networks.plan_network import PlanNetwork
from search_engine.seeds import Seeds
from search_engine.training import precision
from search_engine.training import train as train_module
from search_engine.training.for_keeps import TrainingForKeeps
from search_engine.training.recipe import build_optimizer, learning_rate_at
from search_engine.training.scoring import accuracy, reestimate_statistics
from search_engine.training.train import DIVERGED, OUT_OF_MEMORY, Trainee, train, training_step
from search_engine.training.trained_plan import trained_plan

CPU = torch.device("cpu")
CELL = Cell((Block((0, 1), ("sep_conv_3x3", "max_pool_3x3"), "concat"),), (2,))
ARCHITECTURE = CellArchitecture(CELL, CELL)
LAYOUT = LayoutConfig(normal_cells=1, reductions=1, filters=4)
RECIPE = RecipeConfig(epochs=3, batch_size=20, learning_rate=0.1, nesterov=True, reestimate_batches=3)
DATA = DataConfig(image_size=8, train_examples=200, held_out_examples=100)


LARGE = LayoutConfig(normal_cells=1, reductions=2, filters=2)  # With an auxiliary head,
LARGE_DATA = DataConfig(image_size=9, train_examples=60, held_out_examples=40)  # for which 9 pixels suffice.


@pytest.fixture(scope="module")
def large_data(tmp_path_factory):
    return prepare(LARGE_DATA, seed=1, folder=tmp_path_factory.mktemp("data"), device=CPU)


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


def test_the_cosine_is_at_its_half_in_the_middle_and_at_zero_in_the_end():
    recipe = RecipeConfig(learning_rate=0.025)
    assert learning_rate_at(0, 1000, recipe) == 0.025
    assert learning_rate_at(500, 1000, recipe) == pytest.approx(0.0125)
    assert learning_rate_at(1000, 1000, recipe) == pytest.approx(0)


def test_the_exponential_schedule_falls_in_stairs_of_so_many_epochs():
    recipe = RecipeConfig(epochs=12, learning_rate=0.5, schedule="exponential")  # 0.97 every 2.4 epochs.
    rates = [learning_rate_at(step, 120, recipe) for step in range(120)]  # Ten steps an epoch: stairs of 24.
    assert rates == pytest.approx([0.5 * 0.97**stair for stair in range(5) for _ in range(24)])
    warm = [learning_rate_at(step, 120, recipe.model_copy(update={"warm_up": 0.1})) for step in range(120)]
    assert warm[:12] == pytest.approx([0.5 * step / 12 for step in range(1, 13)])
    assert warm[12:] == pytest.approx(rates[:108])
    short = recipe.model_copy(update={"decay_epochs": 0.001, "decay_factor": 0.5})
    assert learning_rate_at(3, 120, short) == 0.5**4  # A stair has one step at least.


@pytest.mark.parametrize(("lowest", "rates"), [(0.001, [0.05, 0.0255, 0.002199]), (0.0005, [0.05, 0.02525, 0.001711])])
def test_restarting_cosines_have_the_rates_of_enas_the_same_for_a_whole_epoch(lowest, rates):
    recipe = RecipeConfig(epochs=310, learning_rate=0.05, schedule="restarts", lowest_rate=lowest)
    first = [learning_rate_at(epoch * 7, 310 * 7, recipe) for epoch in range(310)]
    last = [learning_rate_at(epoch * 7 + 6, 310 * 7, recipe) for epoch in range(310)]
    assert first == last
    assert [first[epoch] for epoch in (0, 5, 9)] == pytest.approx(rates, abs=1e-6)
    assert [epoch for epoch, rate in enumerate(first) if rate == 0.05] == [0, 10, 30, 70, 150]


def test_decay_is_for_weights_of_convolutions_and_linear_layers_only():
    trainee = trainee_of(RecipeConfig(weight_decay=0.01))
    decayed, others = build_optimizer(trainee.network, trainee.recipe).param_groups
    assert decayed["weight_decay"] == 0.01 and others["weight_decay"] == 0.0
    assert {parameter.dim() for parameter in decayed["params"]} == {2, 4}
    assert {parameter.dim() for parameter in others["params"]} == {1}


def test_without_momentum_there_is_nothing_to_look_ahead_along():
    trainee = trainee_of(RecipeConfig(momentum=0.0, nesterov=True))
    assert build_optimizer(trainee.network, trainee.recipe).defaults["nesterov"] is False


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


def test_the_loss_of_a_step_smooths_labels_and_adds_the_weighted_loss_of_the_head_by_hand():
    recipe = RecipeConfig(label_smoothing=0.1, auxiliary_weight=0.4)
    images, labels = torch.randn(6, 1, 9, 9), torch.randint(0, 10, (6,))
    logits, auxiliary = (each.double() for each in large_trainee(recipe).network.both_logits(images))

    def by_hand(logits):
        wanted = torch.full((6, 10), 0.01, dtype=torch.float64)  # 0.1 over ten classes,
        wanted[range(6), labels] += 0.9  # and the rest for the label.
        return -(wanted * logits.log_softmax(1)).sum(1).mean()

    loss = training_step(large_trainee(recipe), images, labels)
    assert loss.item() == pytest.approx((by_hand(logits) + 0.4 * by_hand(auxiliary)).item(), rel=1e-5)


def test_the_averaged_weights_are_scored_tested_and_kept(data):
    recipe = RECIPE.model_copy(update={"weight_average": 0.9, "reestimate_batches": 0})
    trainee = trainee_of(recipe)
    records, _ = run(trainee, data)
    trained = trainee.trained_network()
    averages = {name: tensor for name, tensor in trainee.tensors().items() if name.startswith("average/")}
    assert {f"average/{name}" for name in trained} == set(averages)
    assert all(torch.equal(tensor, averages[f"average/{name}"]) for name, tensor in trained.items())
    last = trainee.network.state_dict()
    assert not any(torch.equal(tensor, last[name]) for name, tensor in trained.items())
    twin = trainee_of(seed=2)
    twin.network.load_state_dict(trained)
    assert accuracy(twin.network, data.held_out) == records[-1][2]


def test_averaging_leaves_the_training_itself_as_it_is(data):
    plain, averaged = (trainee_of(RECIPE.model_copy(update=more)) for more in ({}, {"weight_average": 0.9}))
    losses = [[record[1] for record in run(trainee, data)[0]] for trainee in (plain, averaged)]
    assert losses[0] == losses[1]
    assert all(torch.equal(*pair) for pair in zip(plain.parameters, averaged.parameters, strict=True))


def test_bfloat16_computes_convolutions_at_16_bits_and_the_rest_at_32(data):
    trainee = trainee_of(RECIPE.model_copy(update={"precision": "bfloat16"}))
    kinds = {}
    for name in ("stem.conv", "stem.batch_norm"):
        trainee.network.get_submodule(name).register_forward_hook(
            lambda _, __, output, name=name: kinds.__setitem__(name, output.dtype)
        )
    trainee.network.get_submodule("head.linear").register_forward_pre_hook(
        lambda _, inputs: kinds.__setitem__("mean", inputs[0].dtype)
    )
    images, labels = next(data.train.batches(20))
    loss = training_step(trainee, images, labels)
    assert kinds == {"stem.conv": torch.bfloat16, "stem.batch_norm": torch.bfloat16, "mean": torch.float32}
    assert loss.dtype == torch.float32
    assert {tensor.dtype for tensor in trainee.tensors().values()} == {torch.float32}
    exact = training_step(trainee_of(), images, labels)
    assert loss.item() == pytest.approx(exact.item(), rel=0.02) and loss.item() != exact.item()


def large_trainee(recipe, seed=1):
    """A network with room for whatever a recipe wants, as the recipe wants it."""
    network_plan = trained_plan(
        ARCHITECTURE, LARGE, recipe, image_channels=1, image_size=LARGE_DATA.image_size, classes=10
    )
    return Trainee(PlanNetwork(network_plan, generator=torch.Generator().manual_seed(seed)), recipe)


def test_training_learns(data):
    records, reason = run(trainee_of(RECIPE.model_copy(update={"epochs": 6})), data)
    assert reason is None
    assert records[-1][1] < records[0][1]
    assert records[-1][2] > 0.2  # Of ten classes.


def test_the_held_out_part_is_scored_after_the_last_epoch_only_if_so_wanted(data):
    records, _ = run(trainee_of(), data, every=False)
    assert [record[2] is None for record in records] == [True, True, False]


PARTS = [
    {"augment": False},
    {"cutout": 4},
    {"label_smoothing": 0.1},
    {"drop_path": "time"},
    {"drop_path": "time-and-depth", "drop_path_keep": 0.5},
    {"auxiliary_weight": 0.4},
    {"dropout_keep": 0.5},
    {"weight_average": 0.99},
    {"optimizer": "rmsprop", "nesterov": False},
    {"schedule": "constant"},
    {"schedule": "exponential", "decay_epochs": 0.5},
    {"warm_up": 0.2},
    {"batch_norm_epsilon": 0.001},
    {"batch_norm_momentum": 0.2, "reestimate_batches": 0},
    {"precision": "bfloat16"},
]
EVERYTHING = {name: value for part in PARTS for name, value in part.items()} | {"augment": True}
COMBINATIONS = [*PARTS, EVERYTHING, EVERYTHING | {"optimizer": "sgd", "nesterov": True, "reestimate_batches": 2}]


def as_id(more):
    if isinstance(more, int):
        return f"after {more}"
    return " ".join(more) if len(more) < 3 else "everything"


@pytest.mark.parametrize(("more", "stop_after"), [*((more, 1) for more in COMBINATIONS), (EVERYTHING, 2)], ids=as_id)
def test_a_training_goes_on_from_a_file_to_the_same_bits(large_data, tmp_path, more, stop_after):
    data = large_data
    recipe = RecipeConfig(**RECIPE.model_dump() | more)
    straight = large_trainee(recipe)
    records, reason = run(straight, data)
    assert reason is None and len(records) == 3
    interrupted = large_trainee(recipe)
    epochs = train(interrupted, data.train, data.held_out, seeds=Seeds(1, (0, 2)), score_every_epoch=True)
    for _ in range(stop_after):
        next(epochs)
    checkpoints.save(tmp_path / "file", interrupted.tensors(), {})
    tensors, _ = checkpoints.load(tmp_path / "file")
    resumed = large_trainee(recipe, seed=99)
    resumed.restore(tensors, interrupted.progress)
    later, _ = run(resumed, data)
    assert later == records[stop_after:]
    assert straight.tensors().keys() == resumed.tensors().keys()
    for name, tensor in straight.tensors().items():
        assert torch.equal(tensor, resumed.tensors()[name]), name


@pytest.mark.parametrize("more", COMBINATIONS, ids=as_id)
def test_every_part_of_a_recipe_changes_what_is_trained_or_kept(large_data, more):
    same = {"reestimate_batches": more.get("reestimate_batches", 3)}
    plain, changed = (large_trainee(RecipeConfig(**RECIPE.model_dump() | each)) for each in (same, more))
    for trainee in (plain, changed):
        run(trainee, large_data, every=False)
    kept = changed.trained_network()
    assert kept.keys() == plain.trained_network().keys()
    assert not all(torch.equal(tensor, kept[name]) for name, tensor in plain.trained_network().items())


def test_a_checkpoint_without_averages_is_refused_where_the_recipe_wants_them():
    averaging = trainee_of(RECIPE.model_copy(update={"weight_average": 0.9}))
    with pytest.raises(CheckpointError, match="another network"):
        averaging.restore(trainee_of().tensors(), averaging.progress)


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


def test_a_training_with_everything_diverges_as_a_value_too(large_data):
    trainee = large_trainee(RecipeConfig(**RECIPE.model_dump() | EVERYTHING))
    assert run(trainee, broken(large_data)) == ([], DIVERGED)


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


def kept_large(**more):
    recipe = RecipeConfig(**RECIPE.model_dump() | EVERYTHING | more)
    return TrainingConfig(architecture=ARCHITECTURE.to_json(), layout=LARGE, recipe=recipe, data=LARGE_DATA)


def test_the_file_of_a_trained_network_has_the_averages_and_no_auxiliary_head(large_data, tmp_path):
    training = TrainingForKeeps(kept_large(), data=large_data, device=CPU)
    list(training.epochs())
    tensors, metadata = training.checkpoint()
    assert any(name.startswith("auxiliary.") for name in tensors)
    result = training.test()
    network, metadata = training.network_file(result)
    assert set(network) == set(training.plan.parameter_shapes()) | set(training.plan.buffer_shapes())
    assert not any(name.startswith("auxiliary.") for name in network)
    assert all(torch.equal(tensor, tensors[f"average/{name}"]) for name, tensor in network.items())
    checkpoints.save(tmp_path / "network", network, metadata)
    read_back = PlanNetwork(training.plan, generator=torch.Generator())
    read_back.load_state_dict(checkpoints.load(tmp_path / "network")[0])
    assert accuracy(read_back, large_data.test) == result.test_accuracy


def test_a_checkpoint_from_before_there_were_such_recipes_is_gone_on_with(large_data):
    config = kept_large(**RecipeConfig().model_dump() | {"epochs": 2, "batch_size": 20})
    stopped = TrainingForKeeps(config, data=large_data, device=CPU)
    next(stopped.epochs())
    tensors, metadata = stopped.checkpoint()
    for name in EVERYTHING.keys() - {"augment", "nesterov", "schedule", "warm_up", "reestimate_batches"}:
        del metadata["config"]["recipe"][name]
    resumed = TrainingForKeeps(config, data=large_data, device=CPU)
    resumed.restore(tensors, metadata)
    assert [event.epoch for event in resumed.epochs()] == [2]


def test_a_device_without_the_precision_is_refused_before_anything_is_trained(large_data, monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda _: False)
    with pytest.raises(ConfigError, match='is "bfloat16"; the device cpu lacks it'):
        TrainingForKeeps(kept_large(), data=large_data, device=CPU)


def test_a_recipe_that_diverges_is_refused_at_the_learning_rate(data):
    training = TrainingForKeeps(kept(), data=broken(data), device=CPU)
    with pytest.raises(ConfigError, match="ceased to be finite in epoch 1") as caught:
        list(training.epochs())
    assert caught.value.field == "recipe.learning_rate"
