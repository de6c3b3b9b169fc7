"""The checker finds what it is there to find: each test breaks one thing behind everybody's back."""

import pytest

from tests.faults import fake_engine
from tests.faults.steady_worker import work_off
from webapp.accounts.models import User
from webapp.searches import artifacts, checker, leases, lifecycle, live_state
from webapp.searches.models import Child, Event, Job, Search, Snapshot, Stream

pytestmark = pytest.mark.django_db


@pytest.fixture
def search(settings, tmp_path):
    settings.ARTIFACTS_DIR = tmp_path / "store"
    owner = User.objects.create(name="owner")
    config = fake_engine.small_config(children=6, step_size=2)
    return lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)


@pytest.fixture
def begun(search, tmp_path):
    """One step told, the next one drawn."""
    work_off(tmp_path, jobs=4)
    return search


@pytest.fixture
def finished(search, tmp_path):
    work_off(tmp_path)
    return search


def problem_of(search):
    (problem,) = checker.check(search)
    return problem


def test_a_sound_search_has_no_problems_at_any_moment(search, tmp_path):
    while work_off(tmp_path, jobs=1):
        assert checker.check(search) == []
    assert Stream.objects.get(pk=search.pk).state == "finished"


def test_a_missing_event_is_found(finished):
    Event.objects.filter(stream_id=finished.pk, number=4).delete()
    assert any("The log has the numbers" in problem for problem in checker.check(finished))


def test_a_second_verdict_in_the_log_is_found(finished):
    last = Stream.objects.get(pk=finished.pk).last_event
    verdict = Event.objects.filter(stream_id=finished.pk, kind="child_finished").first()
    verdict.pk, verdict.number = None, last + 1
    verdict.save()
    Stream.objects.filter(pk=finished.pk).update(last_event=last + 1)
    assert "Child 0.0 has several verdicts in the log." in checker.check(finished)


def test_a_row_that_says_another_reward_is_found(begun):
    Child.objects.filter(step=1, slot=0).update(is_final=True, reward=0.125)
    assert any("Log and rows differ in the verdicts on [(1, 0)]." in problem for problem in checker.check(begun))


def test_a_reward_that_was_changed_later_is_found_by_the_fingerprint(finished):
    Child.objects.filter(step=0, slot=1).update(reward=0.125)
    Event.objects.filter(kind="child_finished", payload__step=0, payload__slot=1).update(
        payload=Event.objects.get(kind="child_finished", payload__step=0, payload__slot=1).payload | {"reward": 0.125}
    )
    assert problem_of(finished) == "The fingerprint of step 0 does not follow from its children."


def test_another_fingerprint_in_the_row_is_found(finished):
    Search.objects.filter(pk=finished.pk).update(fingerprint="f" * 64)
    assert problem_of(finished) == "The row has another fingerprint than the log."


def test_a_state_that_the_log_does_not_tell_is_found(begun):
    Stream.objects.filter(pk=begun.pk).update(state="paused")
    assert problem_of(begun) == "The log ends running (None), the row is paused ()."


def test_a_wrong_snapshot_is_found(finished):
    live_state.snapshot(Stream.objects.get(pk=finished.pk))
    saved = Snapshot.objects.get()
    saved.state["done"] = 5
    saved.save()
    assert problem_of(finished) == "The snapshot leads to another state than the log."


def test_a_job_that_nobody_will_do_is_found(begun):
    Job.objects.filter(kind="evaluate", step=1, slot=1).delete()
    assert problem_of(begun) == "Evaluate(step=1, slot=1) is due and nobody is to do it."


def test_a_lease_that_nobody_takes_away_is_found(begun):
    claim = leases.claim("w", ("evaluate",))
    Job.objects.filter(pk=claim.job_id).update(lease_until=1.0)
    assert problem_of(begun) == "The child 1.0 is held by w, whose lease ran out long ago."


def test_a_job_of_a_finished_search_is_found(finished):
    Job.objects.filter(kind="evaluate", step=1, slot=1).update(state="due")
    assert problem_of(finished) == "The search is finished and has 1 open jobs."


def test_a_missing_and_a_damaged_file_are_found(finished):
    state = Search.objects.get(pk=finished.pk).strategy_state
    path = artifacts.local_path(state)
    path.write_bytes(b"damaged")
    assert problem_of(finished) == f"The file {state} is damaged."
    path.unlink()
    assert problem_of(finished) == f"A row names a file that is not there: the store has no file {state}."


def test_a_child_without_a_row_is_found(begun):
    Child.objects.filter(step=1, slot=1).delete()
    assert any("4 children were drawn, 3 have a row" in problem for problem in checker.check(begun))
