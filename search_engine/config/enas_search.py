"""Everything that decides a search with shared weights: one model for each of the three searches of ENAS."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from search_engine.config.base import AtField, Config, at, option
from search_engine.config.controller import (
    AnyControllerConfig,
    MacroControllerConfig,
    MicroControllerConfig,
    RecurrentControllerConfig,
)
from search_engine.config.controller_presets import default
from search_engine.config.data import DataConfig
from search_engine.config.deriving import DerivingConfig
from search_engine.config.fitting import must_be_trainable
from search_engine.config.language import (
    LanguageRecipeConfig,
    LanguageTrainingConfig,
    RecurrentLayoutConfig,
    TextDataConfig,
)
from search_engine.config.layout import LayoutConfig, MacroLayoutConfig, must_shrink
from search_engine.config.phases import ControllerPhaseConfig, TextPhaseConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.config.reproducibility import ReproducibilityConfig
from search_engine.config.shared_language import SharedLanguageRecipeConfig
from search_engine.config.shared_recipe import SharedRecipeConfig
from search_engine.config.space import EnasMacroSpaceConfig, EnasMicroSpaceConfig, EnasRecurrentSpaceConfig
from search_engine.config.strategy import PpoConfig, RandomConfig, ReinforceConfig
from search_engine.config.supernet import MacroSupernetConfig, MicroSupernetConfig
from search_engine.config.supernet_text import RecurrentSupernetConfig
from search_engine.config.training import TrainingConfig

EnasStrategyConfig = Annotated[ReinforceConfig | PpoConfig | RandomConfig, Field(discriminator="kind")]
# Published from-scratch recipes: cosine with warm restarts, Nesterov momentum.
_MICRO_FOR_KEEPS = RecipeConfig(
    epochs=630, batch_size=144, learning_rate=0.05, schedule="restarts", lowest_rate=0.0001, nesterov=True,
    weight_decay=0.0004, drop_path="time-and-depth", drop_path_keep=0.6, auxiliary_weight=0.4, dropout_keep=0.8,
)  # fmt: skip
_MACRO_FOR_KEEPS = RecipeConfig(
    epochs=310, batch_size=100, learning_rate=0.05, schedule="restarts", lowest_rate=0.001, nesterov=True,
    weight_decay=0.0004, dropout_keep=0.5,
)  # fmt: skip


class EnasSearchConfig(Config):
    """What the three searches have in common. A step is a shared epoch and the controller phase behind it."""

    method: str
    name: str = option("", "Name", "What this search is called in your list.", max_length=80)
    space: EnasMicroSpaceConfig | EnasMacroSpaceConfig | EnasRecurrentSpaceConfig
    strategy: EnasStrategyConfig = ReinforceConfig()
    controller: AnyControllerConfig
    supernet: MicroSupernetConfig | MacroSupernetConfig | RecurrentSupernetConfig
    shared: SharedRecipeConfig | SharedLanguageRecipeConfig
    phases: ControllerPhaseConfig = ControllerPhaseConfig()
    deriving: DerivingConfig = DerivingConfig()
    data: DataConfig | TextDataConfig
    derived: LayoutConfig | MacroLayoutConfig | RecurrentLayoutConfig
    derived_recipe: RecipeConfig | LanguageRecipeConfig
    reproducibility: ReproducibilityConfig = ReproducibilityConfig()

    @property
    def epochs(self) -> int:
        """Shared epochs, and so steps of the search."""
        return self.shared.epochs

    @property
    def children(self) -> int:
        """How many architectures the strategy draws in all rounds; the candidates at the end are not among them."""
        return self.epochs * self.phases.rounds * self.strategy.step_size

    @model_validator(mode="after")
    def _a_round_waits_for_the_one_before(self) -> Self:
        if self.strategy.lookahead:
            raise at("strategy.lookahead", f"is {self.strategy.lookahead}; with shared weights it must be 0.")
        if self.deriving.train > self.deriving.candidates:
            raise at(
                "deriving.train",
                f"is {self.deriving.train}; must be at most the number of candidates, {self.deriving.candidates}.",
            )
        return self

    def _given_to_training(self, architecture: dict[str, Any], name: str) -> dict[str, Any]:
        """What a training of an architecture that it found is told: the rest is as this search says."""
        return {
            "name": name[:80],
            "architecture": architecture,
            "layout": self.derived,
            "recipe": self.derived_recipe,
            "data": self.data,
            "reproducibility": self.reproducibility,
        }


class _EnasImageSearchConfig(EnasSearchConfig):
    """What both searches on images have in common."""

    shared: SharedRecipeConfig = SharedRecipeConfig()
    data: DataConfig = DataConfig()
    supernet: MicroSupernetConfig | MacroSupernetConfig
    derived: LayoutConfig | MacroLayoutConfig
    derived_recipe: RecipeConfig

    @model_validator(mode="after")
    def _images_suffice(self) -> Self:
        shared, data = self.shared, self.data
        must_shrink(self.derived, data)
        _as("derived_recipe", lambda: must_be_trainable(self.derived_recipe, self.derived, data))
        if shared.cutout > data.image_size:
            raise at("shared.cutout", f"is {shared.cutout}; must be at most the size of the images, {data.image_size}.")
        if self.phases.score_batch > data.held_out_examples:
            raise at(
                "phases.score_batch",
                f"is {self.phases.score_batch}; must be at most the number of held-out images, "
                f"{data.held_out_examples}.",
            )
        smallest = 1 << (self.supernet.halvings + 1)
        if data.image_size < smallest:
            times = self.supernet.halvings
            raise at(
                "data.image_size", f"is {data.image_size}; to be halved {times} times it must be at least {smallest}."
            )
        return self

    def final_training(self, architecture: dict[str, Any], name: str) -> TrainingConfig:
        """How a derived architecture is trained from scratch: on the images of the search, with its seed."""
        return TrainingConfig(**self._given_to_training(architecture, name))


class EnasMicroSearchConfig(_EnasImageSearchConfig):
    """Two cells of nodes, found with shared weights (ENAS, section 2.4)."""

    method: Literal["enas-micro"] = "enas-micro"
    space: EnasMicroSpaceConfig = EnasMicroSpaceConfig()
    strategy: EnasStrategyConfig = default("enas-micro").strategy
    controller: MicroControllerConfig = MicroControllerConfig()
    supernet: MicroSupernetConfig = MicroSupernetConfig()
    derived: LayoutConfig = LayoutConfig(skeleton="enas", normal_cells=5, filters=36)
    derived_recipe: RecipeConfig = _MICRO_FOR_KEEPS

    @model_validator(mode="after")
    def _the_head_has_a_place(self) -> Self:
        if self.shared.auxiliary_weight:
            like = LayoutConfig(skeleton="enas", normal_cells=1, reductions=self.supernet.reductions)
            recipe = RecipeConfig(auxiliary_weight=self.shared.auxiliary_weight)
            _as("shared", lambda: must_be_trainable(recipe, like, self.data))
        return self


class EnasMacroSearchConfig(_EnasImageSearchConfig):
    """A whole network of layers and skip connections, found with shared weights (ENAS, section 2.3)."""

    method: Literal["enas-macro"] = "enas-macro"
    space: EnasMacroSpaceConfig = EnasMacroSpaceConfig()
    strategy: EnasStrategyConfig = default("enas-macro").strategy
    controller: MacroControllerConfig = MacroControllerConfig()
    supernet: MacroSupernetConfig = MacroSupernetConfig()
    shared: SharedRecipeConfig = SharedRecipeConfig(weight_decay=0.0005)
    derived: MacroLayoutConfig = MacroLayoutConfig()
    derived_recipe: RecipeConfig = _MACRO_FOR_KEEPS

    @model_validator(mode="after")
    def _there_is_no_second_head(self) -> Self:
        if self.shared.auxiliary_weight:
            raise at(
                "shared.auxiliary_weight",
                f"is {self.shared.auxiliary_weight:g}; macro networks have no auxiliary head, so it must be 0.",
            )
        return self


class EnasRecurrentSearchConfig(EnasSearchConfig):
    """A recurrent cell, found with shared weights on text (ENAS, section 2.1)."""

    method: Literal["enas-recurrent"] = "enas-recurrent"
    space: EnasRecurrentSpaceConfig = EnasRecurrentSpaceConfig()
    strategy: EnasStrategyConfig = default("enas-recurrent").strategy
    controller: RecurrentControllerConfig = RecurrentControllerConfig()
    supernet: RecurrentSupernetConfig = RecurrentSupernetConfig()
    shared: SharedLanguageRecipeConfig = SharedLanguageRecipeConfig()
    phases: TextPhaseConfig = TextPhaseConfig()
    data: TextDataConfig = TextDataConfig()
    derived: RecurrentLayoutConfig = RecurrentLayoutConfig()
    # With the usual rate of 20, cells of ReLU and identity, which a search may well choose, diverge without batch norm.
    derived_recipe: LanguageRecipeConfig = LanguageRecipeConfig(learning_rate=5.0)

    @model_validator(mode="after")
    def _batch_norm_sees_several(self) -> Self:
        fewest = self.supernet.smallest_batch
        sizes = {"shared.batch_size": self.shared.batch_size, "phases.score_batch": self.phases.score_batch}
        for field, size in sizes.items():
            if size < fewest:
                raise at(field, f"is {size}; with batch norm it must be at least {fewest}.")
        return self

    def final_training(self, architecture: dict[str, Any], name: str) -> LanguageTrainingConfig:
        """How a derived cell is trained from scratch: on the text of the search, with its seed."""
        return LanguageTrainingConfig(**self._given_to_training(architecture, name))


def _as(section: str, check: Callable[[], None]) -> None:
    """Check a recipe that stands in this section: what is wrong is named there."""
    try:
        check()
    except AtField as error:
        place, _, field = error.field.partition(".")
        raise at(f"{section}.{field}" if place == "recipe" else error.field, str(error)) from error
