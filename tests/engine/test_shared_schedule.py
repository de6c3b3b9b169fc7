"""What is due in a search with shared weights."""

from dataclasses import replace

from search_engine.shared_schedule import Derive, KnownShared, ShareWeights, TeachController, due_shared


def test_a_search_shares_and_teaches_step_by_step_and_then_derives() -> None:
    known, done = KnownShared(epochs=2), []
    while (due := due_shared(known)) is not None:
        done.append(due)
        match due:
            case ShareWeights():
                known = replace(known, is_shared=True)
            case TeachController(step):
                known = replace(known, steps_told=step + 1, is_shared=False)
            case Derive():
                known = replace(known, is_derived=True)
    assert done == [ShareWeights(0), TeachController(0), ShareWeights(1), TeachController(1), Derive()]


def test_a_controller_phase_is_due_only_behind_its_shared_epoch() -> None:
    assert due_shared(KnownShared(epochs=3, steps_told=1)) == ShareWeights(1)
    assert due_shared(KnownShared(epochs=3, steps_told=1, is_shared=True)) == TeachController(1)
