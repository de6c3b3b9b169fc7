"""Everything that decides a search."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from search_engine.config.base import Config, at, option
from search_engine.config.budget import BudgetConfig
from search_engine.config.data import DataConfig
from search_engine.config.layout import LayoutConfig, must_shrink
from search_engine.config.recipe import RecipeConfig
from search_engine.config.reproducibility import ReproducibilityConfig
from search_engine.config.space import NasnetSpaceConfig
from search_engine.config.strategy import PpoConfig, RandomConfig


class SearchConfig(Config):
    """Everything that decides a search. It never changes after the start."""

    name: str = option("", "Name", "What this search is called in your list.", max_length=80)
    space: NasnetSpaceConfig = NasnetSpaceConfig()
    strategy: Annotated[PpoConfig | RandomConfig, Field(discriminator="kind")] = PpoConfig()
    child: LayoutConfig = LayoutConfig()
    recipe: RecipeConfig = RecipeConfig()
    data: DataConfig = DataConfig()
    budget: BudgetConfig = BudgetConfig()
    reproducibility: ReproducibilityConfig = ReproducibilityConfig()

    @model_validator(mode="after")
    def _a_step_fits_the_budget(self) -> Self:
        if self.strategy.step_size > self.budget.children:
            raise at(
                "strategy.step_size",
                f"is {self.strategy.step_size}; must be at most the number of children, {self.budget.children}.",
            )
        must_shrink(self.child, self.data)
        return self
