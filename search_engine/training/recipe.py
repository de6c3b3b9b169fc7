"""The optimizer and the learning rate that a recipe stands for."""

import math

import torch
from torch import nn

from search_engine.config.recipe import RecipeConfig


def build_optimizer(network: nn.Module, recipe: RecipeConfig) -> torch.optim.SGD:
    """SGD with momentum, as one fused kernel.

    As in the released code, decay is for the weights of convolutions and linear layers only: batch norm's scales and
    all biases, which have one dimension, are left out.
    """
    weights = [parameter for parameter in network.parameters() if parameter.dim() > 1]
    others = [parameter for parameter in network.parameters() if parameter.dim() <= 1]
    groups = [{"params": weights, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.SGD(
        groups, lr=recipe.learning_rate, momentum=recipe.momentum, nesterov=recipe.nesterov, fused=True
    )


def learning_rate_at(step: int, steps: int, recipe: RecipeConfig) -> float:
    """The learning rate of a step, counted from 0, of a training that has `steps` in all.

    It rises in a straight line over the warm-up, which ends at the highest rate, and then follows one cosine to zero
    (NASNet, A.6) or stays.
    """
    warm_up = round(recipe.warm_up * steps)
    if step < warm_up:
        return recipe.learning_rate * (step + 1) / warm_up
    if recipe.schedule == "constant":
        return recipe.learning_rate
    progress = (step - warm_up) / (steps - warm_up)
    return recipe.learning_rate * (1 + math.cos(math.pi * progress)) / 2
