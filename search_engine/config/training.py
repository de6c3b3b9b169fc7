"""Everything that decides a training for keeps."""

from typing import Any, Self

from pydantic import model_validator

from search_engine.config.base import Config, option
from search_engine.config.data import DataConfig
from search_engine.config.layout import LayoutConfig, must_shrink
from search_engine.config.recipe import RecipeConfig
from search_engine.config.reproducibility import ReproducibilityConfig


class TrainingConfig(Config):
    """Everything that decides a training: one architecture, trained for keeps."""

    name: str = option("", "Name", "What this training is called in your list.", max_length=80)
    architecture: dict[str, Any]
    layout: LayoutConfig = LayoutConfig(normal_cells=6)
    recipe: RecipeConfig = RecipeConfig(epochs=600)
    data: DataConfig = DataConfig()
    reproducibility: ReproducibilityConfig = ReproducibilityConfig()

    @model_validator(mode="after")
    def _the_images_fit_the_layout(self) -> Self:
        must_shrink(self.layout, self.data)
        return self
