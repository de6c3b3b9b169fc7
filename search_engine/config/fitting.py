"""What a recipe asks of the network and of the images: refused in the configuration, before anything starts."""

from search_engine.config.base import at
from search_engine.config.data import DataConfig
from search_engine.config.layout import LayoutConfig
from search_engine.config.recipe import RecipeConfig

AUXILIARY_POOL = 5  # Pixels that the auxiliary head's first pool needs (released code).


def must_be_trainable(recipe: RecipeConfig, layout: object, data: DataConfig) -> None:
    """Raises AtField where the recipe wants what this network of these images does not have.

    layout: of any kind; only networks of cells (LayoutConfig) have an auxiliary head and operations to drop.
    """
    if recipe.cutout > data.image_size:
        raise at("recipe.cutout", f"is {recipe.cutout}; must be at most the size of the images, {data.image_size}.")
    if recipe.auxiliary_weight > 0:
        _must_have_a_place_for_the_head(recipe.auxiliary_weight, layout, data)
    if recipe.drop_path != "off" and not isinstance(layout, LayoutConfig):
        raise at("recipe.drop_path", f'is "{recipe.drop_path}"; only networks of cells have it, so it must be "off".')


def _must_have_a_place_for_the_head(weight: float, layout: object, data: DataConfig) -> None:
    field, wanted = "recipe.auxiliary_weight", f"is {weight:g}; the auxiliary head"
    if not isinstance(layout, LayoutConfig):
        raise at(field, f"{wanted} belongs to networks of cells, so it must be 0.")
    if layout.reductions < 2:
        raise at(field, f"{wanted} stands before the second reduction cell, and this network has one, so it must be 0.")
    size = _size_at_the_head(layout, data.image_size)
    if size < AUXILIARY_POOL:
        raise at(
            field,
            f"{wanted} needs {AUXILIARY_POOL} pixels, and images of {data.image_size} leave {size} there; "
            "set it to 0 or take larger images.",
        )


def _size_at_the_head(layout: LayoutConfig, size: int) -> int:
    """Height and width in pixels: behind the first reduction, with the skeletons of ENAS and DARTS behind the last.

    The ImageNet stem halves three times, first by a convolution without padding.
    """
    if layout.skeleton in ("enas", "darts"):
        for _ in range(layout.reductions):
            size = _halved(size)
        return size
    if layout.skeleton == "imagenet":
        size = _halved(_halved((size - 1) // 2))
    return _halved(size)


def _halved(size: int) -> int:
    return (size + 1) // 2
