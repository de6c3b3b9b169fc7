import pytest

from search_engine import cost
from search_engine.architectures.macro import MacroArchitecture, MacroLayer
from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.budget_fit import Sizes
from search_engine.catalogue.published import read_published
from search_engine.config.layout import LayoutConfig, MacroLayoutConfig, NasBench201LayoutConfig
from search_engine.errors import ConfigError
from search_engine.network_plan import plan

NASNET_A = read_published("nasnet-a").architecture
MACRO = MacroArchitecture(
    (MacroLayer("conv_3x3"), MacroLayer("sep_conv_5x5", (0, 1)), MacroLayer("max_pool_3x3", (1,)))
)
KINDS = [
    (NASNET_A, LayoutConfig()),
    (NASNET_A, LayoutConfig(skeleton="imagenet", previous_after_reduction="two-before")),
    (read_published("darts-v2").architecture, LayoutConfig(skeleton="darts")),
    (MACRO, MacroLayoutConfig()),
    (NasBench201Architecture(("nor_conv_3x3",) * 6), NasBench201LayoutConfig()),
]


def sizes_of(architecture, layout, image_size=32, classes=10):
    return Sizes(architecture=architecture, layout=layout, image_size=image_size, image_channels=3, classes=classes)


@pytest.mark.parametrize("of", ["parameters", "mult_adds"])
@pytest.mark.parametrize(("architecture", "layout"), KINDS)
def test_what_fits_is_counted_by_the_plan_and_two_filters_more_would_not_fit(architecture, layout, of):
    sizes, budget = sizes_of(architecture, layout), {"parameters": 3_000_000, "mult_adds": 300_000_000}[of]
    fits = sizes.fitting(of, budget)
    counts = [getattr(network, of) for network in fits]
    assert fits and counts == sorted(counts, reverse=True) and counts[0] <= budget
    for network in fits[:2] + fits[-1:]:
        cells = {} if network.normal_cells is None else {"normal_cells": network.normal_cells}
        laid = layout.model_copy(update={"filters": network.filters, **cells})
        whole = plan(architecture, laid, image_channels=3, image_size=32, classes=10)
        assert (network.parameters, network.mult_adds) == (cost.parameters(whole), cost.mult_adds(whole))
        assert getattr(sizes.counted(network.normal_cells, network.filters + sizes.step), of) > budget


def test_the_mobile_network_of_the_paper_is_the_best_fit_for_its_own_budget():
    sizes = sizes_of(NASNET_A, LayoutConfig(skeleton="imagenet"), 224, 1000)
    best = sizes.fitting("parameters", 5_300_000)[0]
    assert (best.normal_cells, best.filters) == (4, 44)


@pytest.mark.parametrize(("architecture", "layout"), KINDS)
@pytest.mark.parametrize("cells", [1, 2, 9])
def test_the_curve_holds_what_the_plan_counts(architecture, layout, cells):
    sizes = sizes_of(architecture, layout)
    cells = None if isinstance(layout, MacroLayoutConfig) else cells
    curve = sizes.curve(cells)
    assert [network.filters for network in curve] == sorted({network.filters for network in curve})
    for network in (curve[0], curve[7], curve[-1]):
        assert network == sizes.counted(cells, network.filters)


def test_a_budget_below_the_smallest_network_fits_nothing():
    assert sizes_of(NASNET_A, LayoutConfig()).fitting("parameters", 100) == []


def test_an_image_that_cannot_be_halved_is_refused():
    with pytest.raises(ConfigError, match="image_size"):
        sizes_of(NASNET_A, LayoutConfig(), image_size=1).fitting("parameters", 10**6)
