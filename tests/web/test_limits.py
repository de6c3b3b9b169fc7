"""Limits that a person changes while a search runs, and hours that run out."""

import itertools

import pytest

from search_engine.errors import ConfigError
from tests.faults import fake_engine, fake_shared
from tests.faults.steady_worker import work_off
from tests.faults.straight_run import compared
from webapp.searches import checker, event_log, leases, lifecycle, limits, live_state
from webapp.searches.models import Child, Job, Search
from webapp.searches.workers import reconciler

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]
ALL = 10_000


def new_search(owner, *, first_limits=None, **sizes):
    config = fake_engine.small_config(**({"children": 12, "step_size": 4} | sizes))
    return lifecycle.create_search(
        owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA, first_limits=first_limits
    )


def events_of(search, kind="limits_changed"):
    return [event for event in event_log.read(search.pk, 0, ALL) if event["kind"] == kind]


def refused(search, **wanted):
    with pytest.raises(ConfigError) as error:
        lifecycle.change_limits(search.pk, wanted)
    return error.value.field, error.value.message


def ended(search, folder):
    """The search at its end, sound, with the fingerprint of a run that knew its changes from the start."""
    work_off(folder)
    search.refresh_from_db()
    assert search.state == "finished" and checker.check(search) == []
    assert list(compared(search, fake_engine)) == []
    return search


@pytest.mark.parametrize("lookahead", [0, 1, 2])
@pytest.mark.parametrize(("jobs", "children"), [(0, 5), (4, 14), (7, 30), (13, 13)])
def test_a_changed_search_equals_one_that_knew_it_from_the_start(owner, tmp_path, jobs, children, lookahead):
    search = new_search(owner, lookahead=lookahead)
    work_off(tmp_path, jobs=jobs)
    children = max(children, Child.objects.filter(search=search).count())
    lifecycle.change_limits(search.pk, {"children": children})
    assert ended(search, tmp_path).children.count() == children


def test_the_event_says_what_was_set_and_from_which_step_on(owner, tmp_path):
    search = new_search(owner)
    config = search.config
    work_off(tmp_path, jobs=2)
    lifecycle.change_limits(search.pk, {"children": 20, "workers": 2, "hours": None})
    (told,) = events_of(search)
    assert (told["limits"], told["from_step"], told["by"]) == ({"children": 20, "workers": 2}, 1, "person")
    search.refresh_from_db()
    assert (search.total, search.max_workers, search.changes) == (20, 2, [{"from_step": 1, "children": 20}])
    assert search.config == config
    state = live_state.state_at(search)
    assert (state["total"], state["max_workers"], state["max_hours"]) == (20, 2, None)
    assert state["log"][-1]["text"] == "Limits changed: 20 children in all from step 1 on, at most 2 workers."


def test_what_is_in_force_already_is_no_event(owner):
    search = new_search(owner)
    lifecycle.change_limits(search.pk, {"children": 12, "workers": None})
    assert events_of(search) == []


def test_a_total_cannot_go_below_what_is_drawn(owner, tmp_path):
    search = new_search(owner)
    work_off(tmp_path, jobs=6)
    assert refused(search, children=7) == ("children", "is 7; 8 are drawn already, so it must be at least 8.")
    assert refused(search, epochs=7)[0] == "epochs"
    assert events_of(search) == []


def test_a_total_stays_once_the_final_round_has_begun(owner, tmp_path):
    search = new_search(owner, finalists=2)
    work_off(tmp_path, kinds=("learn", "evaluate"))
    search.refresh_from_db()
    assert search.finals == "chosen"
    assert refused(search, children=40) == ("children", "cannot change any more: the final round has begun.")
    lifecycle.change_limits(search.pk, {"workers": 1})
    assert Search.objects.get(pk=search.pk).max_workers == 1


def test_what_has_ended_cannot_be_changed(owner, tmp_path):
    search = new_search(owner)
    lifecycle.stop(search.pk)
    with pytest.raises(lifecycle.CommandRefused, match="only a running or paused one can be changed"):
        lifecycle.change_limits(search.pk, {"children": 40})


def test_an_update_under_way_is_taken_back_and_done_again_under_the_change(owner, tmp_path):
    """The race: the update would have drawn a step that the new total does not have."""
    search = new_search(owner)
    work_off(tmp_path, jobs=5)  # The first step is decided.
    update = leases.claim("slow", ("learn",))
    assert update.step == 0
    lifecycle.change_limits(search.pk, {"children": 4})
    with pytest.raises(leases.LeaseLost):
        leases.holding(update.job_id, update.fence)
    assert Job.objects.get(pk=update.job_id).attempts == 0  # It was no loss.
    assert ended(search, tmp_path).steps_told == 1


def test_a_paused_search_can_be_changed(owner, tmp_path):
    search = new_search(owner)
    work_off(tmp_path, jobs=3)
    lifecycle.pause(search.pk)
    lifecycle.change_limits(search.pk, {"children": 6})
    lifecycle.resume(search.pk)
    assert ended(search, tmp_path).total == 6


@pytest.mark.parametrize("moment", [0, 2, 6, 11])
def test_the_hours_let_a_search_end_with_what_is_drawn(owner, tmp_path, time, moment):
    search = new_search(owner, first_limits={"hours": 2}, finalists=2)
    work_off(tmp_path, jobs=moment)
    drawn = Child.objects.filter(search=search).count()
    time[0] += 2 * 3600
    reconciler.end_in_time()
    reconciler.end_in_time()
    told = [event for event in events_of(search) if event["by"] == "time"]
    if moment:
        assert [event["limits"] for event in told] == ([{"children": drawn}] if drawn < 12 else [])
        assert work_off(tmp_path) and Search.objects.get(pk=search.pk).state == "finished"
        assert Child.objects.filter(search=search).count() == drawn
        assert checker.check(search) == []
    else:
        assert told == []  # Nothing is drawn: it ends when something is.


def test_pauses_are_no_hours(owner, tmp_path, time):
    search = new_search(owner, first_limits={"hours": 1})
    work_off(tmp_path, jobs=1)
    time[0] += 1800
    lifecycle.pause(search.pk)
    time[0] += 7200
    lifecycle.resume(search.pk)
    time[0] += 1799
    reconciler.end_in_time()
    assert len(events_of(search)) == 1
    time[0] += 1
    reconciler.end_in_time()
    assert events_of(search)[-1]["by"] == "time"


def test_more_children_need_more_hours(owner, tmp_path, time):
    search = new_search(owner, first_limits={"hours": 1})
    work_off(tmp_path, jobs=1)
    time[0] += 3600
    reconciler.end_in_time()
    assert refused(search, children=40) == ("hours", "is 1, and they are over; to go on, allow more of them.")
    lifecycle.change_limits(search.pk, {"children": 16, "hours": 2})
    assert ended(search, tmp_path).total == 16


def test_nobody_joins_a_search_that_has_its_workers(owner, tmp_path):
    first, second = new_search(owner, first_limits={"workers": 2}), new_search(owner)
    work_off(tmp_path, jobs=2, kinds=("learn",))
    held = [leases.claim(f"w{number}", ("evaluate",)) for number in range(6)]
    assert [claim.stream_id for claim in held].count(first.pk) == 2
    lifecycle.change_limits(first.pk, {"workers": None})
    assert leases.claim("late", ("evaluate",)).stream_id == first.pk
    assert leases.claim("later", ("evaluate",)).stream_id == first.pk
    assert leases.claim("last", ("evaluate",)) is None
    assert second.pk in {claim.stream_id for claim in held}


def test_a_lower_number_of_workers_takes_nothing_from_those_at_work(owner, tmp_path):
    search = new_search(owner)
    work_off(tmp_path, jobs=1)
    held = [leases.claim(f"w{number}", ("evaluate",)) for number in range(3)]
    lifecycle.change_limits(search.pk, {"workers": 1})
    assert all(leases.renew(claim.job_id, claim.fence, 1) == "running" for claim in held)
    for claim in held[:2]:
        leases.release(claim.job_id, claim.fence)
    assert leases.claim("w", ("evaluate",)) is None
    leases.release(held[2].job_id, held[2].fence)
    assert leases.claim("w", ("evaluate",)) is not None


# --- With shared weights ---------------------------------------------------------------------------------------------


def shared_search(owner):
    return lifecycle.create_search(
        owner, fake_shared.small_config(epochs=2, train=0), decisions=fake_engine.DECISIONS, data=fake_engine.DATA
    )


@pytest.mark.parametrize(("jobs", "more"), list(itertools.product([0, 1, 3], [0, 2])))
def test_epochs_can_be_changed_until_the_last_one_is_over(owner, tmp_path, jobs, more):
    search = shared_search(owner)
    work_off(tmp_path, jobs=jobs)
    search.refresh_from_db()
    if search.steps_told == search.epochs:
        assert refused(search, epochs=9)[1] == "cannot change any more: the candidates are being chosen."
        return
    least = search.steps_told + 1
    lifecycle.change_limits(search.pk, {"epochs": least + more})
    work_off(tmp_path, kinds=("share", "teach", "derive"))
    search.refresh_from_db()
    assert (search.state, search.steps_told, search.epochs) == ("finished", least + more, least + more)
    assert checker.check(search) == []


def test_an_epoch_under_way_stays(owner, tmp_path):
    search = shared_search(owner)
    work_off(tmp_path, jobs=2)
    assert refused(search, epochs=1) == ("epochs", "is 1; epoch 2 is under way, so it must be at least 2.")
    assert refused(search, children=5)[0] == "children"


def test_a_phase_under_way_is_taken_back_and_keeps_its_checkpoint(owner, tmp_path):
    search = shared_search(owner)
    work_off(tmp_path, jobs=1)
    phase = leases.claim("slow", ("teach",))
    Job.objects.filter(pk=phase.job_id).update(checkpoint="c" * 64)
    lifecycle.change_limits(search.pk, {"epochs": 5})
    job = Job.objects.get(pk=phase.job_id)
    assert (job.state, job.checkpoint, job.attempts) == ("due", "c" * 64, 0)


def test_the_hours_let_shared_weights_end_with_the_epoch_under_way(owner, tmp_path, time):
    search = shared_search(owner)
    lifecycle.change_limits(search.pk, {"epochs": 4, "hours": 0.5})
    work_off(tmp_path, jobs=1)
    time[0] += 1800
    reconciler.end_in_time()
    assert live_state.state_at(search)["log"][-1]["text"] == "Its hours are over: 1 epoch in all from epoch 2 on."
    work_off(tmp_path, kinds=("share", "teach", "derive"))
    search.refresh_from_db()
    assert (search.state, search.steps_told) == ("finished", 1)
    assert limits.limits_of(search) == {"epochs": 1, "workers": None, "hours": 0.5}
