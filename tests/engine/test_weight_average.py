import pytest
import torch
from torch import nn

from search_engine.training.weight_average import WeightAverage, decay_after


def network_with(weight, mean=0.0):
    """One weight and one statistic."""
    network = nn.Module()
    network.weight = nn.Parameter(torch.tensor([float(weight)]))
    network.register_buffer("running_mean", torch.tensor([float(mean)]))
    return network


def step_to(network, weight, mean):
    with torch.no_grad():
        network.weight.fill_(weight)
        network.running_mean.fill_(mean)


def test_the_decay_grows_with_the_steps_up_to_its_own():
    assert [decay_after(steps, 0.9999) for steps in (1, 2, 90)] == [2 / 11, 3 / 12, 0.91]
    assert decay_after(100, 0.9) == 0.9
    assert decay_after(10**7, 0.9999) == 0.9999


def test_weights_and_statistics_are_averaged_by_hand():
    network = network_with(1, 10)
    average = WeightAverage(network, 0.25)
    step_to(network, 2, 20)
    average.update(1)  # Keeps 2 / 11.
    assert average.tensors()["weight"].item() == pytest.approx(2 / 11 * 1 + 9 / 11 * 2)
    step_to(network, 4, 40)
    average.update(5)  # 6 / 15 would be more than the decay: keeps a quarter.
    assert average.tensors()["weight"].item() == pytest.approx(0.25 * 20 / 11 + 0.75 * 4)
    assert average.tensors()["running_mean"].item() == pytest.approx(0.25 * 200 / 11 + 0.75 * 40)


def test_within_the_network_has_the_averages_and_behind_its_own_weights():
    network = network_with(1)
    average = WeightAverage(network, 0.5)
    step_to(network, 3, 5)
    weight = network.weight
    with average.in_place():
        assert (network.weight.item(), network.running_mean.item()) == (1, 0)
        assert network.weight is weight
        network.running_mean.fill_(7)  # As if statistics were measured anew.
    assert (network.weight.item(), network.running_mean.item()) == (3, 5)
    assert average.tensors()["running_mean"].item() == 7


def test_an_error_within_gives_the_weights_back():
    network = network_with(1)
    average = WeightAverage(network, 0.5)
    step_to(network, 3, 5)
    with pytest.raises(ValueError, match="within"), average.in_place():
        raise ValueError("within")
    assert network.weight.item() == 3


def test_averages_are_restored():
    average, other = WeightAverage(network_with(1, 2), 0.5), WeightAverage(network_with(0), 0.5)
    other.restore(average.tensors())
    assert {name: tensor.item() for name, tensor in other.tensors().items()} == {"weight": 1, "running_mean": 2}
    with pytest.raises(KeyError):
        other.restore({})
