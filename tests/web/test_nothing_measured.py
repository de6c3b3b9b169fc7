"""A search of which every child failed says so where it ends."""

import pytest

from search_engine.events import ChildFinished
from tests.faults import fake_engine
from tests.faults.steady_worker import work_off
from webapp.accounts.models import User
from webapp.searches import event_log, leases, lifecycle, results
from webapp.searches.models import Search

pytestmark = pytest.mark.django_db
NOTHING = {"parameters": 1, "mult_adds": 1, "seconds": 1.0}


def searched(settings, tmp_path, *reasons):
    """A search of as many children as reasons, None for one that was measured; once it has ended."""
    settings.ARTIFACTS_DIR = tmp_path / "store"
    owner = User.objects.create(name="owner")
    config = fake_engine.small_config(children=len(reasons), step_size=len(reasons))
    search = lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)
    work_off(tmp_path, jobs=1, kinds=("learn",))
    for slot, reason in enumerate(reasons):
        claim = leases.claim("w", ("evaluate",))
        verdict = ChildFinished(step=0, slot=slot, reward=None if reason else 0.5, reason=reason, **NOTHING)
        results.record_child(claim.job_id, claim.fence, verdict)
    work_off(tmp_path, kinds=("learn",))
    return Search.objects.get(pk=search.pk)


def test_its_row_and_its_log_say_the_commonest_reason(settings, tmp_path):
    search = searched(settings, tmp_path, "diverged", "lost", "diverged")
    said = "No child could be measured; the commonest reason, of 2 of 3 children: diverged."
    assert (search.state, search.reason) == ("finished", said)
    *_, last = event_log.read(search.pk, 0, 1000)
    assert (last["kind"], last["reason"]) == ("state_changed", said)


def test_one_reason_alone_is_said_to_be_the_one(settings, tmp_path):
    assert searched(settings, tmp_path, "lost", "lost").reason == (
        "No child could be measured; the reason each time: lost."
    )


def test_a_search_with_one_measured_child_ends_without_a_reason(settings, tmp_path):
    assert searched(settings, tmp_path, "diverged", None).reason == ""
