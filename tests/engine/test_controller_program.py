import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_engine.config.controller import MacroControllerConfig, MicroControllerConfig, RecurrentControllerConfig
from search_engine.config.space import EnasMacroSpaceConfig, EnasMicroSpaceConfig, EnasRecurrentSpaceConfig
from search_engine.spaces.build import build_space
from search_engine.strategies.controller_program import Bits, Pointer, Softmax, program_of, softmax_chain
from tests.engine.toy import nasnet_decisions


def program(space, config):
    return program_of(build_space(space).decisions, config)


def test_a_micro_search_takes_27_turns_a_cell_and_keeps_7_anchors():
    turns = program(EnasMicroSpaceConfig(), MicroControllerConfig()).turns
    assert len(turns) == 2 * (2 + 5 * 5)
    assert [index for index, turn in enumerate(turns[:27]) if turn.keeps] == [0, 1, 6, 11, 16, 21, 26]
    assert [turn.as_zero for turn in turns[:27] if turn.keeps] == [True, True, *[False] * 5]
    assert sum(turn.chooses is not None for turn in turns) == 40


def test_a_macro_search_takes_two_turns_a_layer_and_has_66_skips():
    found = program(EnasMacroSpaceConfig(), MacroControllerConfig())
    assert len(found.turns) == 24
    assert [bits.count for bits in found.skips] == list(range(1, 12))
    assert found.skips[:2] == (Bits(2, 1, 1.5), Bits(4, 2, 1.5))


def test_a_recurrent_search_takes_one_turn_a_decision():
    turns = program(EnasRecurrentSpaceConfig(), RecurrentControllerConfig()).turns
    assert len(turns) == 23 and all(turn.chooses is not None for turn in turns)
    assert sum(turn.keeps for turn in turns) == 12


def test_nasnet_takes_one_turn_a_decision_and_points_at_nothing():
    chain = softmax_chain(nasnet_decisions())
    assert len(chain.turns) == 50 and not chain.has_attention
    assert (chain.embeddings, chain.heads) == (6 + 13 + 2, 360)


SIZES = st.one_of(
    st.integers(1, 7).map(lambda nodes: (EnasMicroSpaceConfig(nodes=nodes), MicroControllerConfig())),
    st.integers(2, 24).map(lambda layers: (EnasMacroSpaceConfig(layers=layers), MacroControllerConfig())),
    st.integers(2, 32).map(lambda nodes: (EnasRecurrentSpaceConfig(nodes=nodes), RecurrentControllerConfig())),
)


@given(SIZES)
def test_every_decision_is_made_once_in_order_among_its_options_and_points_only_at_what_was_kept(sizes):
    decisions = build_space(sizes[0]).decisions
    made, kept = [], 0
    for turn in program_of(decisions, sizes[1]).turns:
        match turn.chooses:
            case Softmax(decision, _, fixed, _):
                assert len(fixed) == len(decisions[decision].options)
                made.append(decision)
            case Pointer(decision, first, fixed, _):
                assert len(fixed) == len(decisions[decision].options)
                assert first + len(fixed) == kept  # All that was kept of this cell.
                made.append(decision)
            case Bits(first_decision, count, _):
                assert count == kept
                assert all(decision.family == "skip" for decision in decisions[first_decision : first_decision + count])
                made.extend(range(first_decision, first_decision + count))
        kept += turn.keeps
    assert made == list(range(len(decisions)))


def test_a_configuration_of_no_controller_has_no_program():
    with pytest.raises(AssertionError, match="no program for"):
        program_of(build_space(EnasMicroSpaceConfig()).decisions, EnasMicroSpaceConfig())
