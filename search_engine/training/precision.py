"""Whether a device computes in the precision that a recipe names."""

import torch

from search_engine.config.recipe import RecipeConfig
from search_engine.errors import ConfigError


def must_compute_on(recipe: RecipeConfig, device: torch.device) -> None:
    """Raises ConfigError where the device lacks the recipe's precision: it is never exchanged for another."""
    if recipe.precision == "bfloat16" and not has_bfloat16(device):
        raise ConfigError(
            "recipe.precision", f'is "bfloat16"; the device {device.type} lacks it, so it must be "float32".'
        )


def has_bfloat16(device: torch.device) -> bool:
    """Whether a convolution in bfloat16 works there; a GPU that only imitates it lacks it."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    try:
        ones = torch.ones(1, 1, 1, 1, dtype=torch.bfloat16, device=device)
        return bool((torch.conv2d(ones, ones) == 1).all())
    except (RuntimeError, TypeError, NotImplementedError):
        return False
