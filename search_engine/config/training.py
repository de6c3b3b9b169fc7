"""Everything that decides a training for keeps."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from search_engine.config.base import Config, at, option
from search_engine.config.data import DataConfig
from search_engine.config.fitting import must_be_trainable
from search_engine.config.layout import (
    LayoutConfig,
    MacroLayoutConfig,
    NasBench201LayoutConfig,
    layout_of_kind,
    must_shrink,
)
from search_engine.config.recipe import RecipeConfig
from search_engine.config.reproducibility import ReproducibilityConfig
from search_engine.errors import ArchitectureError


class TrainingConfig(Config):
    """Everything that decides a training: one architecture, trained for keeps."""

    name: str = option("", "Name", "What this training is called in your list.", max_length=80)
    architecture: dict[str, Any]
    layout: Annotated[LayoutConfig | MacroLayoutConfig | NasBench201LayoutConfig, Field(discriminator="kind")] = (
        LayoutConfig(normal_cells=6)  # For the reader: what is not given is filled in below, by the kind.
    )
    recipe: RecipeConfig = RecipeConfig(epochs=600)
    data: DataConfig = DataConfig()
    reproducibility: ReproducibilityConfig = ReproducibilityConfig()

    @model_validator(mode="before")
    @classmethod
    def _the_architecture_chooses_the_layout(cls, value: Any) -> Any:
        """What says no kind of layout, or no layout at all, gets that of the architecture's kind."""
        if not isinstance(value, Mapping):
            return value
        kind = _kind(value.get("architecture"))
        if "layout" not in value:
            return {**value, "layout": _layout_of(kind)}
        layout = value["layout"]
        if isinstance(layout, Mapping) and "kind" not in layout:
            return {**value, "layout": {**layout, "kind": _layout_of(kind).kind}}
        return value

    @model_validator(mode="after")
    def _the_layout_is_of_the_architectures_kind(self) -> Self:
        kind = _kind(self.architecture)
        if self.layout.kind != _layout_of(kind).kind:
            raise at("layout.kind", f'is "{self.layout.kind}"; an architecture of kind "{kind}" needs "{kind}".')
        must_shrink(self.layout, self.data)
        must_be_trainable(self.recipe, self.layout, self.data)
        return self


def _kind(architecture: Any) -> str:
    """The kind that an architecture's JSON form names. What names none is read elsewhere, and refused there."""
    kind = architecture.get("kind", "cells") if isinstance(architecture, Mapping) else "cells"
    return kind if isinstance(kind, str) else "cells"


def _layout_of(kind: str) -> LayoutConfig | MacroLayoutConfig | NasBench201LayoutConfig:
    try:
        return layout_of_kind(kind)
    except ArchitectureError as error:
        raise at("architecture.kind", error.message) from error
