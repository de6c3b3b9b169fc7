"""Everything that decides a search."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from search_engine.config.base import Config, at, option
from search_engine.config.bounds import BoundsConfig, must_be_a_target
from search_engine.config.budget import BudgetConfig
from search_engine.config.data import DataConfig
from search_engine.config.finals import FinalsConfig
from search_engine.config.fitting import must_be_trainable
from search_engine.config.layout import LayoutConfig, must_shrink
from search_engine.config.objective import ObjectiveConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.config.reproducibility import ReproducibilityConfig
from search_engine.config.screening import ScreeningConfig
from search_engine.config.space import NasnetSpaceConfig
from search_engine.config.strategy import (
    EvolutionConfig,
    LocalSearchConfig,
    PpoConfig,
    PpoReplayConfig,
    RandomConfig,
)
from search_engine.config.training import TrainingConfig

MOST_DRAWN = 1000  # Architectures for one step, however many of them are trained.


class SearchConfig(Config):
    """Everything that decides a search. It never changes after the start."""

    name: str = option("", "Name", "What this search is called in your list.", max_length=80)
    space: NasnetSpaceConfig = NasnetSpaceConfig()
    strategy: Annotated[
        PpoConfig | PpoReplayConfig | EvolutionConfig | LocalSearchConfig | RandomConfig, Field(discriminator="kind")
    ] = PpoConfig()
    child: LayoutConfig = LayoutConfig()
    recipe: RecipeConfig = RecipeConfig()
    data: DataConfig = DataConfig()
    budget: BudgetConfig = BudgetConfig()
    finals: FinalsConfig = FinalsConfig()
    bounds: BoundsConfig = BoundsConfig()
    objective: ObjectiveConfig = ObjectiveConfig()
    screening: ScreeningConfig = ScreeningConfig()
    reproducibility: ReproducibilityConfig = ReproducibilityConfig()

    @model_validator(mode="after")
    def _a_step_fits_the_budget(self) -> Self:
        if self.strategy.step_size > self.budget.children:
            raise at(
                "strategy.step_size",
                f"is {self.strategy.step_size}; must be at most the number of children, {self.budget.children}.",
            )
        must_shrink(self.child, self.data)
        must_be_trainable(self.recipe, self.child, self.data)
        return self

    @model_validator(mode="after")
    def _screening_is_possible(self) -> Self:
        drawn, step_size = self.screening.drawn, self.strategy.step_size
        if drawn > 1 and isinstance(self.strategy, LocalSearchConfig):
            raise at("screening.drawn", f"is {drawn}; must be 1 with local search, which tries every neighbour.")
        if drawn * step_size > MOST_DRAWN:
            raise at(
                "screening.drawn",
                f"is {drawn}; must be at most {MOST_DRAWN // step_size} with {step_size} children per step.",
            )
        return self

    @model_validator(mode="after")
    def _the_final_round_is_possible(self) -> Self:
        finals = self.finals
        if finals.children > self.budget.children:
            raise at(
                "finals.children",
                f"is {finals.children}; must be at most the number of children, {self.budget.children}.",
            )
        if finals.children and self.child.skeleton == "imagenet" and finals.filters % 4:
            raise at("finals.filters", f"is {finals.filters}; with the ImageNet skeleton it must be a multiple of 4.")
        return self

    @model_validator(mode="after")
    def _costs_can_be_counted(self) -> Self:
        bounds, objective = self.bounds, self.objective
        if objective.cost != "none" and objective.target <= 0:
            raise at("objective.target", "is 0; where cost is weighed it must be more than 0.")
        if bounds.network == "target":
            must_be_a_target(bounds, self.child)
        return self

    @property
    def weighs_cost(self) -> bool:
        """Whether a reward is more than the accuracy alone."""
        return self.objective.cost != "none"

    @property
    def measures_latency(self) -> bool:
        """Whether measured times decide anything: then two runs of one seed may differ."""
        return self.bounds.latency_ms > 0 or self.objective.cost == "latency"

    def final_training(self, architecture: dict[str, Any]) -> TrainingConfig:
        """How a finalist is trained: on the images of the search, in its own layout, for its own number of epochs."""
        larger = {"normal_cells": self.finals.normal_cells, "filters": self.finals.filters}
        return TrainingConfig(
            name=f"Final round of {self.name}"[:80] if self.name else "",
            architecture=architecture,
            layout=self.child.model_copy(update=larger),
            recipe=self.recipe.model_copy(update={"epochs": self.finals.epochs}),
            data=self.data,
            reproducibility=self.reproducibility,
        )
