import pytest

from search_engine.architectures.macro import MACRO_OPERATIONS, MacroArchitecture, MacroLayer
from search_engine.catalogue.published import read_published
from search_engine.config.space import EnasMacroSpaceConfig
from search_engine.errors import ArchitectureError
from search_engine.spaces.enas_macro import EnasMacroSpace

CONV3, SEP3, CONV5, SEP5, AVERAGE, MAXIMUM = range(6)


def test_twelve_layers_make_78_decisions_and_24_make_300():
    assert len(EnasMacroSpace(EnasMacroSpaceConfig()).decisions) == 78
    assert len(EnasMacroSpace(EnasMacroSpaceConfig(layers=24)).decisions) == 300


def test_a_layer_decides_its_operation_and_then_a_skip_for_each_layer_before():
    space = EnasMacroSpace(EnasMacroSpaceConfig(layers=3))
    assert [decision.name for decision in space.decisions] == [
        "layer 1 operation", "layer 2 operation", "layer 2 skip from layer 1", "layer 3 operation",
        "layer 3 skip from layer 1", "layer 3 skip from layer 2",
    ]  # fmt: skip
    assert space.decisions[0].options == MACRO_OPERATIONS
    assert space.decisions[2].options == ("no", "yes")
    assert [decision.family for decision in space.decisions[1:3]] == ["operation", "skip"]


def test_the_network_of_figure_3_decodes():
    space = EnasMacroSpace(EnasMacroSpaceConfig(layers=4))
    # conv3; sep5 with skip 1; max with skips 1 and 2; conv5 with skips 1 and 3.
    decoded = space.decode([CONV3, SEP5, 1, MAXIMUM, 1, 1, CONV5, 1, 0, 1])
    assert decoded == MacroArchitecture(
        (
            MacroLayer("conv_3x3"),
            MacroLayer("sep_conv_5x5", (1,)),
            MacroLayer("max_pool_3x3", (1, 2)),
            MacroLayer("conv_5x5", (1, 3)),
        )
    )


def test_indexed_as_released_the_first_bit_is_the_stem():
    space = EnasMacroSpace(EnasMacroSpaceConfig(layers=3, indexing="released"))
    assert [decision.name for decision in space.decisions[3:]] == [
        "layer 3 operation", "layer 3 skip from stem", "layer 3 skip from layer 1",
    ]  # fmt: skip
    decoded = space.decode([CONV3, SEP3, 1, AVERAGE, 0, 1])
    assert [layer.skips for layer in decoded.layers] == [(), (0,), (1,)]


def test_the_released_network_is_in_the_space_that_is_indexed_as_released_alone():
    released = read_published("enas-macro-released").architecture
    space = EnasMacroSpace(EnasMacroSpaceConfig(layers=24, indexing="released"))
    indices = space.encode(released)
    assert space.decode(indices) == released
    skips = [chosen for chosen, decision in zip(indices, space.decisions, strict=True) if decision.family == "skip"]
    assert (sum(skips), len(skips)) == (98, 276)
    with pytest.raises(ArchitectureError) as refused:
        EnasMacroSpace(EnasMacroSpaceConfig(layers=24)).encode(released)
    assert str(refused.value) == "layers.2.skips: joins 0; in this space layer 3 can join 1 to 2."


def test_what_the_space_does_not_hold_is_refused_at_its_field():
    space = EnasMacroSpace(EnasMacroSpaceConfig(layers=2, operations=("conv_3x3",)))
    good = MacroLayer("conv_3x3")
    for field, layers in (
        ("layers", (good,)),
        ("layers.1.operation", (good, MacroLayer("conv_5x5"))),
        ("layers.0.skips", (MacroLayer("conv_3x3", (0,)), good)),
    ):
        with pytest.raises(ArchitectureError) as refused:
            space.encode(MacroArchitecture(layers))
        assert refused.value.field == field
