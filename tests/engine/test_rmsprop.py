import math

import pytest
import torch

from search_engine.training.rmsprop import RmsProp


def optimizer_of(*weights, weight_decay=0.0, **options):
    settings = {"rate": 0.1, "decay": 0.9, "epsilon": 1.0, "momentum": 0.9} | options
    return RmsProp([{"params": list(weights), "weight_decay": weight_decay}], **settings)


def weight_of(value):
    return torch.nn.Parameter(torch.tensor([float(value)]))


def test_two_steps_by_hand():
    weight = weight_of(1)
    optimizer = optimizer_of(weight)
    weight.grad = torch.tensor([2.0])
    optimizer.step()
    square = 0.9 * 1 + 0.1 * 4  # The mean square starts at one.
    momentum = 0.1 * 2 / math.sqrt(square + 1)
    assert weight.item() == pytest.approx(1 - momentum)
    optimizer.param_groups[0]["lr"] = 0.05
    weight.grad = torch.tensor([-1.0])
    optimizer.step()
    square = 0.9 * square + 0.1 * 1
    later = 0.9 * momentum + 0.05 * -1 / math.sqrt(square + 1)  # The old momentum keeps its old rate.
    assert weight.item() == pytest.approx(1 - momentum - later)


def test_decay_is_added_to_the_gradient():
    decayed, plain = weight_of(3), weight_of(3)
    decayed.grad, plain.grad = torch.tensor([0.5]), torch.tensor([0.5 + 0.01 * 3])
    optimizer_of(decayed, weight_decay=0.01).step()
    optimizer_of(plain).step()
    assert decayed.item() == plain.item()
    assert decayed.grad.item() == 0.5


def test_a_weight_without_gradient_stays():
    moved, still = weight_of(1), weight_of(1)
    moved.grad = torch.tensor([1.0])
    optimizer_of(moved, still).step()
    assert moved.item() < 1 and still.item() == 1
    optimizer_of(still).step()
    assert still.item() == 1


def test_it_finds_the_lowest_point_of_a_parabola():
    weight = weight_of(5)
    optimizer = optimizer_of(weight, rate=0.05)
    for _ in range(300):
        weight.grad = 2 * (weight.detach() - 2)
        optimizer.step()
    assert weight.item() == pytest.approx(2, abs=0.01)
