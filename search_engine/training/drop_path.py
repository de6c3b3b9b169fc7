"""What a training step drops: ScheduledDropPath (NASNet, section 4) and dropout before the last layer."""

import torch
from torch import Tensor

from search_engine.config.recipe import RecipeConfig
from search_engine.network_plan import NetworkPlan
from search_engine.networks.plan_network import Dropped
from search_engine.seeds import Seeds


def keep_probability(done: float, depth: float, recipe: RecipeConfig) -> float:
    """How probably an operation is kept in a training step.

    done: the part of all steps that lies behind, t / T; more than 1 counts as 1. depth: of the operation's cell,
    (c + 1) / C with c from 0 over all C cells, reductions and the stem's own among them; the schedule by time leaves
    it out.
    """
    depth = depth if recipe.drop_path == "time-and-depth" else 1.0
    return 1 - min(1.0, done) * depth * (1 - recipe.drop_path_keep)


class Dropping:
    """Draws what each step of a training drops, as a function of its seed and of its place in the training alone."""

    def __init__(self, plan: NetworkPlan, recipe: RecipeConfig) -> None:
        self._recipe = recipe
        self._depths = [layer.depth for layer in plan.layers if layer.kind == "drop_path"]
        self._features = next(layer.in_channels for layer in plan.layers if layer.name == plan.output)

    def draw(
        self, seeds: Seeds, epoch: int, number: int, *, done: float, images: int, device: torch.device
    ) -> Dropped | None:
        """For the batch with this number, counted from 0, of an epoch; None where the recipe never drops anything.

        done: as in `keep_probability`. images: how many the batch has. One draw serves all operations of the step.
        """
        recipe = self._recipe
        paths = features = None
        if recipe.drop_path != "off" and self._depths:
            keep = torch.tensor([keep_probability(done, depth, recipe) for depth in self._depths])[:, None]
            paths = _scales((len(self._depths), images), keep, seeds.of("drop_path", epoch, number)).to(device)
        if recipe.dropout_keep < 1:
            keep = torch.tensor(recipe.dropout_keep)
            features = _scales((images, self._features), keep, seeds.of("dropout", epoch, number)).to(device)
        return None if paths is None and features is None else Dropped(paths, features)


def _scales(shape: tuple[int, int], keep: Tensor, seed: int) -> Tensor:
    """1 / keep with probability keep, else 0, so that the expectation is 1."""
    drawn = torch.rand(shape, generator=torch.Generator().manual_seed(seed))
    return (drawn < keep) / keep
