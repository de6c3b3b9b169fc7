"""What every space promises, each with small and full sizes."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.config.space import (
    EnasMacroSpaceConfig,
    EnasMicroSpaceConfig,
    EnasRecurrentSpaceConfig,
    NasnetSpaceConfig,
)
from search_engine.errors import ArchitectureError
from search_engine.spaces.build import build_space
from search_engine.spaces.nas_bench_201 import NasBench201Space

CONFIGS = (
    NasnetSpaceConfig(),
    EnasMicroSpaceConfig(),
    EnasMicroSpaceConfig(nodes=1, unused_inputs=False),
    EnasMacroSpaceConfig(),
    EnasMacroSpaceConfig(layers=4, indexing="released", operations=("conv_5x5", "max_pool_3x3")),
    EnasRecurrentSpaceConfig(),
    EnasRecurrentSpaceConfig(nodes=2, activations=("relu",)),
)
SPACES = [*map(build_space, CONFIGS), NasBench201Space()]


@st.composite
def drawn(draw):
    space = draw(st.sampled_from(SPACES))
    return space, tuple(draw(st.integers(0, len(decision.options) - 1)) for decision in space.decisions)


@given(drawn())
@settings(deadline=None)
def test_every_decision_list_decodes_to_a_valid_architecture_and_encodes_back(one):
    space, indices = one
    architecture = space.decode(indices)
    assert architecture.validated() == architecture
    assert space.encode(architecture) == indices


@given(drawn(), st.integers(-2, 20), st.data())
@settings(deadline=None)
def test_an_index_is_taken_when_and_only_when_it_is_an_option(one, index, data):
    space, indices = one
    place = data.draw(st.integers(0, len(indices) - 1))
    changed = [*indices[:place], index, *indices[place + 1 :]]
    if 0 <= index < len(space.decisions[place].options):
        space.decode(changed)
    else:
        with pytest.raises(ArchitectureError) as refused:
            space.decode(changed)
        assert refused.value.field == f"decisions.{place}"


@pytest.mark.parametrize("space", SPACES)
def test_decisions_have_different_names_and_options_of_different_names(space):
    names = [decision.name for decision in space.decisions]
    assert len(set(names)) == len(names)
    for decision in space.decisions:
        assert len(set(decision.options)) == len(decision.options) > 0


@pytest.mark.parametrize("space", SPACES)
def test_a_list_of_another_length_is_refused(space):
    zeros = [0] * len(space.decisions)
    for wrong in (zeros[1:], [*zeros, 0], []):
        with pytest.raises(ArchitectureError, match=f"has {len(wrong)} entries; must have {len(zeros)}"):
            space.decode(wrong)


@pytest.mark.parametrize("place", range(5))
def test_an_architecture_of_another_kind_is_refused(place):
    nasnet, micro, _, macro, _, recurrent, _, tabular = SPACES
    held = [nasnet, micro, macro, recurrent, tabular]
    others = [space.decode([0] * len(space.decisions)) for space in (macro, macro, recurrent, nasnet, micro)]
    with pytest.raises(ArchitectureError) as refused:
        held[place].encode(others[place])
    assert refused.value.field == "kind"


def test_a_uniform_architecture_has_the_entropy_of_its_decisions():
    nats = [sum(math.log(len(decision.options)) for decision in space.decisions) for space in SPACES]
    assert nats[1] == pytest.approx(58.51, abs=5e-3)  # The fact sheet's maximum for a micro search.
    assert nats[3] == pytest.approx(67.249, abs=5e-4)  # 12 ln 6 + 66 ln 2.
    assert math.exp(nats[5]) == pytest.approx(669_692_775_628_800)  # 4^12 times 11!.
