"""Which sizes of an architecture come closest under a budget: how many cells, how many filters, counted by the plan.

With the cells kept, parameters and mult-adds are polynomials of second degree in the filters: widths stand in them
once or twice. So three plans tell how many filters should fit, and the plan of exactly that size is counted.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from search_engine import cost
from search_engine.architectures.reading import Architecture
from search_engine.config.layout import Layout, LayoutConfig, MacroLayoutConfig
from search_engine.network_plan import plan

MOST_CELLS, MOST_FILTERS = 20, 1024  # As the layouts allow.
MOST_ROWS = 8
REPEATING = 3  # Normal cells of a stack behind which all are alike, whatever they read before them.
CURVE_POINTS = 33
BudgetOf = Literal["parameters", "mult_adds"]


@dataclass(frozen=True, slots=True)
class SizedNetwork:
    """normal_cells: None where the layout has no such choice. mult_adds: of one image. Without the auxiliary head."""

    normal_cells: int | None
    filters: int
    parameters: int
    mult_adds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The networks of all sizes that an architecture can have in a layout, whose own cells and filters are not read."""

    architecture: Architecture
    layout: Layout
    image_size: int
    image_channels: int
    classes: int

    def fitting(self, of: BudgetOf, budget: int) -> list[SizedNetwork]:
        """For each number of cells the most filters within the budget; the closest first, at most eight.

        Raises ConfigError where image or classes do not fit.
        """
        fits = [found for cells in self._choices() if (found := self._most_filters(cells, of, budget))]
        closest = sorted(fits, key=lambda found: -found[2])[:MOST_ROWS]
        return [self._held(cells, filters, of, expected) for cells, filters, expected in closest]

    def curve(self, normal_cells: int | None) -> list[SizedNetwork]:
        """Sizes with these cells over the whole range of filters, evenly spread."""
        predicted = {name: self._predicted(normal_cells, name) for name in ("parameters", "mult_adds")}
        last = MOST_FILTERS // self.step
        filters = sorted(
            {max(1, round(last * index / (CURVE_POINTS - 1))) * self.step for index in range(CURVE_POINTS)}
        )
        return [SizedNetwork(normal_cells, f, predicted["parameters"](f), predicted["mult_adds"](f)) for f in filters]

    @functools.lru_cache(maxsize=256)  # noqa: B019 - self is a frozen value, and at most 256 of them are kept alive.
    def counted(self, normal_cells: int | None, filters: int) -> SizedNetwork:
        """By the plan."""
        layout = self.layout.model_copy(update={"filters": filters, **_cells(normal_cells)})
        network = plan(
            self.architecture, layout, image_channels=self.image_channels, image_size=self.image_size,
            classes=self.classes,
        )  # fmt: skip
        return SizedNetwork(normal_cells, filters, cost.parameters(network), cost.mult_adds(network))

    @property
    def step(self) -> int:
        """Filters are multiples of it."""
        if isinstance(self.layout, LayoutConfig):
            return 4 if self.layout.skeleton == "imagenet" else 2
        return 2 if isinstance(self.layout, MacroLayoutConfig) else 1

    def _choices(self) -> tuple[int | None, ...]:
        return (None,) if isinstance(self.layout, MacroLayoutConfig) else tuple(range(1, MOST_CELLS + 1))

    def _most_filters(self, cells: int | None, of: BudgetOf, budget: int) -> tuple[int | None, int, int] | None:
        """(cells, filters, count) of the largest that should fit; None where the smallest does not."""
        predicted = self._predicted(cells, of)
        low, high = 0, MOST_FILTERS // self.step
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if predicted(middle * self.step) <= budget else (low, middle - 1)
        return (cells, low * self.step, predicted(low * self.step)) if low else None

    def _held(self, cells: int | None, filters: int, of: BudgetOf, expected: int) -> SizedNetwork:
        found = self.counted(cells, filters)
        assert getattr(found, of) == expected, f"{filters} filters have {getattr(found, of)} {of}, not {expected}"
        return found

    def _predicted(self, cells: int | None, of: BudgetOf) -> Callable[[int], int]:
        """The count by the number of filters. From the third on, every cell of a stack costs the same."""
        if cells is None or cells <= REPEATING + 1:
            return self._polynomial(cells, of)
        third, fourth = self._polynomial(REPEATING, of), self._polynomial(REPEATING + 1, of)
        return lambda filters: third(filters) + (cells - REPEATING) * (fourth(filters) - third(filters))

    @functools.lru_cache(maxsize=256)  # noqa: B019 - self is a frozen value, and at most 256 of them are kept alive.
    def _polynomial(self, normal_cells: int | None, of: BudgetOf) -> Callable[[int], int]:
        """Through three counts (Newton)."""
        xs = [self.step, 2 * self.step, 3 * self.step]
        ys = [getattr(self.counted(normal_cells, x), of) for x in xs]
        slope = Fraction(ys[1] - ys[0], self.step)
        bend = Fraction(ys[2] - 2 * ys[1] + ys[0], 2 * self.step**2)
        return lambda x: int(ys[0] + slope * (x - xs[0]) + bend * (x - xs[0]) * (x - xs[1]))


def _cells(normal_cells: int | None) -> dict[str, int]:
    return {} if normal_cells is None else {"normal_cells": normal_cells}
