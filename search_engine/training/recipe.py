"""The optimizer and the learning rate that a recipe stands for."""

import math

import torch
from torch import nn

from search_engine.config.recipe import RecipeConfig
from search_engine.config.shared_recipe import SharedRecipeConfig
from search_engine.training.rmsprop import RmsProp


def build_optimizer(network: nn.Module, recipe: RecipeConfig) -> torch.optim.Optimizer:
    """SGD with momentum, as one fused kernel, or RMSProp.

    As in the released code, decay is for the weights of convolutions and linear layers only: batch norm's scales and
    all biases, which have one dimension, are left out.
    """
    weights = [parameter for parameter in network.parameters() if parameter.dim() > 1]
    others = [parameter for parameter in network.parameters() if parameter.dim() <= 1]
    groups = [{"params": weights, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    if recipe.optimizer == "rmsprop":
        return RmsProp(
            groups,
            rate=recipe.learning_rate,
            decay=recipe.rmsprop_decay,
            epsilon=recipe.rmsprop_epsilon,
            momentum=recipe.momentum,
        )
    return torch.optim.SGD(
        groups, lr=recipe.learning_rate, momentum=recipe.momentum, nesterov=looks_ahead(recipe), fused=True
    )


def looks_ahead(recipe: RecipeConfig | SharedRecipeConfig) -> bool:
    """Whether SGD is told to take Nesterov's step; with a momentum of 0 it is the plain one, and PyTorch refuses it."""
    return recipe.nesterov and recipe.momentum > 0


def learning_rate_at(step: int, steps: int, recipe: RecipeConfig) -> float:
    """The learning rate of a step, counted from 0, of a training that has `steps` in all.

    It rises in a straight line over the warm-up, which ends at the highest rate. Then it follows one cosine to zero
    (NASNet, A.6), stays, falls by a factor in stairs, each some epochs long and at least one step (A.7), or follows
    cosines that start again, the same for a whole epoch (ENAS).
    """
    warm_up = round(recipe.warm_up * steps)
    if step < warm_up:
        return recipe.learning_rate * (step + 1) / warm_up
    if recipe.schedule == "constant":
        return recipe.learning_rate
    if recipe.schedule == "exponential":
        stair = max(1, round(recipe.decay_epochs * steps / recipe.epochs))
        return float(recipe.learning_rate * recipe.decay_factor ** ((step - warm_up) // stair))
    if recipe.schedule == "restarts":
        epoch = (step - warm_up) * recipe.epochs // steps
        return restarting_rate(
            epoch, highest=recipe.learning_rate, lowest=recipe.lowest_rate, first_period=recipe.first_period,
            factor=recipe.period_factor,
        )  # fmt: skip
    progress = (step - warm_up) / (steps - warm_up)
    return recipe.learning_rate * (1 + math.cos(math.pi * progress)) / 2


def restarting_rate(epoch: int, *, highest: float, lowest: float, first_period: int, factor: int) -> float:
    """The learning rate of an epoch, counted from 0: one cosine per period (Loshchilov and Hutter 2017).

    first_period: epochs of the first one; each is `factor` times as long as the one before.
    """
    period = first_period
    while epoch >= period:
        epoch -= period
        period *= factor
    return lowest + (highest - lowest) * (1 + math.cos(math.pi * epoch / period)) / 2
