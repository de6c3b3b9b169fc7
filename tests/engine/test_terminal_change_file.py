"""Changes of a search as a file: bans and proposals that a terminal is given, from the start or on the way."""

import json

import pytest
import torch

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.config.changes import Change
from search_engine.config.search import SearchConfig
from search_engine.errors import UserError
from search_engine.events import ArchitectureProposed, SearchSteered, StepProposed
from search_engine.terminal.change_file import events_of, read_change_file
from search_engine.terminal.search_folder import SearchFolder
from search_engine.terminal.shared_search_folder import SharedSearchFolder
from search_engine.training.shared_building import prepare_shared
from tests.engine.toy import ToyEvaluator
from tests.engine.toy_shared import shared_config

CPU = torch.device("cpu")
CELL = Cell((Block((0, 1), ("identity", "identity"), "add"),) * 2, (2, 3))
PROPOSAL = CellArchitecture(CELL, CELL).to_json()
BANS = Change(from_step=2, bans={"operation": ("identity",), "normal 1 input 1": ("previous input",)})
FREE = Change(from_step=4, bans={"operation": ()})
CONFIG = SearchConfig.model_validate(
    {
        "space": {"blocks": 2}, "budget": {"children": 12},
        "strategy": {"kind": "ppo", "step_size": 2, "hidden_size": 8}, "reproducibility": {"seed": 3},
    }
)  # fmt: skip


def searched(folder, changes=None, *, steps=None):
    """Run to the end, or until so many steps were told: the folder, closed."""
    search = SearchFolder(folder, CONFIG, changes)
    evaluator = ToyEvaluator(lambda proposal: sum(proposal.decisions) % 7 / 7)
    told = 0

    def should_stop():
        nonlocal told
        told += 1
        return steps is not None and told > steps

    list(search.run(evaluator, data={"name": "toy"}, should_stop=should_stop))
    search.close()
    return search


def test_bans_and_proposals_lead_to_the_same_fingerprint_whenever_they_were_asked_for(tmp_path):
    changes = (BANS, Change(from_step=3, proposal=PROPOSAL), FREE)
    whole = searched(tmp_path / "one", changes)
    searched(tmp_path / "two", steps=1)
    searched(tmp_path / "two", changes[:1], steps=1)
    later = searched(tmp_path / "two", changes)
    assert later.fingerprint == whole.fingerprint != searched(tmp_path / "plain").fingerprint
    steps = {event.step: event for event in whole.events if isinstance(event, StepProposed)}
    assert [len(steps[step].proposals) for step in range(6)] == [2, 2, 2, 3, 2, 2]
    places = [place for place, name in enumerate(whole.events[0].decisions) if "operation" in name.name]
    for step in (2, 3):
        for proposal in steps[step].proposals:
            assert proposal.off_policy or all(proposal.decisions[place] != 0 for place in places)
    assert sum(isinstance(event, SearchSteered) for event in later.events) == 2
    assert sum(isinstance(event, ArchitectureProposed) for event in later.events) == 1
    assert json.loads((tmp_path / "two" / "changes.json").read_text())[0] == BANS.to_json()


def test_what_is_drawn_already_cannot_have_been_drawn_under_other_bans_or_without_a_proposal(tmp_path):
    searched(tmp_path / "bans", steps=3)
    with pytest.raises(UserError, match="would ban other options from step 2 on, which is drawn already"):
        searched(tmp_path / "bans", (BANS,))
    searched(tmp_path / "proposal", steps=2)
    with pytest.raises(UserError, match="contradict what was drawn already"):
        searched(tmp_path / "proposal", (Change(from_step=2, proposal=PROPOSAL),))


@pytest.mark.parametrize("method", ["enas-micro", "enas-macro"])
def test_with_shared_weights_bans_lead_to_the_same_fingerprint_whenever_they_were_asked_for(method, tmp_path):
    config = shared_config(method)
    data = prepare_shared(config, folder=tmp_path / "data", device=CPU)
    banned = config.space.operations[0]
    changes = (Change(from_step=1, bans={"operation": (banned,)}),)

    def run(folder, changes, stop_at=None):
        asked = 0

        def should_stop():
            nonlocal asked
            asked += 1
            return stop_at is not None and asked > stop_at

        search = SharedSearchFolder(folder, config, changes)
        list(search.run(data, device=CPU, should_stop=should_stop))
        search.close()
        return search

    whole = run(tmp_path / "one", changes)
    run(tmp_path / "two", None, stop_at=4)  # Within the first epoch.
    later = run(tmp_path / "two", changes)
    assert later.fingerprint == whole.fingerprint != run(tmp_path / "plain", None).fingerprint
    (drawn,) = [event for event in whole.events if isinstance(event, StepProposed)]
    assert len(drawn.proposals) == 4 and all(
        f'"{banned}"' not in json.dumps(each.architecture) for each in drawn.proposals
    )
    with pytest.raises(UserError, match="would ban other options"):
        run(tmp_path / "plain", changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bans": {"operation": ["conv_9x9"]}}, "changes.0.bans.operation names 'conv_9x9', which is no option there."),
        ({"bans": {"combination": ["add", "concat"]}},
         "changes.0.bans.combination would leave normal 1 combination without an option."),
        ({"proposal": {}}, "changes.0.proposal.format is None; this program reads format 1."),
    ],
)  # fmt: skip
def test_a_file_with_what_cannot_be_is_refused_in_one_sentence(change, message, tmp_path):
    (tmp_path / "changes.json").write_text(json.dumps([{"from_step": 1, **change}]))
    with pytest.raises(UserError) as refused:
        read_change_file(tmp_path / "changes.json", CONFIG)
    assert (refused.value.field, refused.value.message) == ("--changes", message)


def test_a_change_may_say_several_things_at_once():
    change = Change(from_step=1, children=14, bans=BANS.bans, proposal=PROPOSAL)
    kinds = [event.kind for event in events_of([change], CONFIG)]
    assert kinds == ["limits_changed", "search_steered", "architecture_proposed"]


def test_a_total_that_leaves_a_proposal_out_says_so():
    changes = [Change(from_step=4, proposal=PROPOSAL), Change(from_step=4, children=8), Change(from_step=4, children=9)]
    _, smaller, larger = events_of(changes, CONFIG)
    assert (smaller.proposals_left_out, larger.proposals_left_out) == (1, None)
