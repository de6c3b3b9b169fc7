import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search_engine import schedule
from search_engine.events import ChildFinished
from tests.faults import fake_engine
from tests.faults.steady_worker import work_off
from webapp.searches import event_log, leases, lifecycle, planner
from webapp.searches.models import Child, Event, Job, Search, Stream, Worker

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]
ALL = 10_000


def new_search(owner, **sizes):
    return lifecycle.create_search(
        owner, fake_engine.small_config(**sizes), decisions=fake_engine.DECISIONS, data=fake_engine.DATA
    )


def with_children(owner, hashes, **sizes):
    """A search of which one step was drawn, with architectures of these hashes."""
    search = new_search(owner, children=len(hashes), step_size=len(hashes), **sizes)
    Job.objects.all().delete()
    Search.objects.filter(pk=search.pk).update(steps_told=0)
    Child.objects.bulk_create(
        Child(search=search, step=0, slot=slot, decisions=[], architecture={}, hash=one, log_probability=0.0)
        for slot, one in enumerate(hashes)
    )
    return search


def due_jobs(search):
    return list(Job.objects.filter(stream=search.stream, state="due").order_by("pk").values_list("kind", "slot"))


def decide(search, slot, reward, reason=None):
    verdict = ChildFinished(step=0, slot=slot, reward=reward, reason=reason, parameters=10, mult_adds=20, seconds=1.0)
    planner.decide(search, verdict)
    Job.objects.filter(stream=search.stream, kind="evaluate", slot=slot).update(state="done")


def test_a_new_search_has_one_job(owner):
    search = new_search(owner)
    assert due_jobs(search) == [("learn", -1)]


def test_planning_twice_changes_nothing(owner):
    search = with_children(owner, ["a", "b"])
    planner.plan(search.pk)
    before = due_jobs(search), event_log.read(search.pk, 0, ALL)
    planner.plan(search.pk)
    assert (due_jobs(search), event_log.read(search.pk, 0, ALL)) == before
    assert before[0] == [("evaluate", 0), ("evaluate", 1)]


def test_a_step_that_is_complete_makes_an_update_due(owner):
    search = with_children(owner, ["a", "b"])
    decide(search, 0, 0.5)
    decide(search, 1, None, "lost")
    planner.plan(search.pk)
    assert due_jobs(search) == [("learn", -1)]


def test_twins_copy_and_complete_the_step_at_once(owner):
    search = with_children(owner, ["a", "a", "a"], reuse="copy")
    planner.plan(search.pk)
    assert due_jobs(search) == [("evaluate", 0)]
    decide(search, 0, 0.5)
    planner.plan(search.pk)
    copies = Child.objects.filter(slot__gt=0).values_list("reward", "twin_step", "twin_slot", "parameters", "seconds")
    assert list(copies) == [(0.5, 0, 0, 10, 0.0)] * 2
    told = [event for event in event_log.read(search.pk, 0, ALL) if event["kind"] == "child_finished"]
    assert [(event["slot"], event["twin"], event["reward"]) for event in told] == [(1, [0, 0], 0.5), (2, [0, 0], 0.5)]
    assert due_jobs(search) == [("learn", -1)]


def test_a_twin_of_a_failed_child_is_trained_itself(owner):
    search = with_children(owner, ["a", "a"], reuse="copy")
    decide(search, 0, 0.0, "diverged")
    planner.plan(search.pk)
    assert due_jobs(search) == [("evaluate", 1)]


def test_without_reuse_twins_are_trained_again(owner):
    search = with_children(owner, ["a", "a"], reuse="off")
    planner.plan(search.pk)
    assert due_jobs(search) == [("evaluate", 0), ("evaluate", 1)]


def test_a_search_ends_when_nothing_is_due(owner, tmp_path):
    search = new_search(owner, children=5, step_size=2)
    assert work_off(tmp_path) == 1 + 5 + 3
    row = Search.objects.get(pk=search.pk)
    assert (row.state, row.steps_told, row.ended is not None) == ("finished", 3, True)
    assert event_log.read(search.pk, 0, ALL)[-1]["kind"] == "state_changed"
    planner.plan(search.pk)
    assert Event.objects.filter(kind="state_changed").count() == 1


def test_a_verdict_is_written_once(owner):
    search = with_children(owner, ["a"])
    decide(search, 0, 0.5)
    with pytest.raises(AssertionError, match="has its verdict already"):
        decide(search, 0, 0.5)


def test_closing_refuses_whoever_still_works(owner):
    search = new_search(owner)
    claim = leases.claim("w", ("learn",))
    planner.close(search, Stream.State.FAILED, "It is wrong.")
    with pytest.raises(leases.LeaseLost):
        leases.holding(claim.job_id, claim.fence)
    with pytest.raises(AssertionError, match="only a running or paused one can end"):
        planner.close(search, Stream.State.STOPPED)


def test_workers_are_called_once_for_new_jobs_and_after_the_commit(
    owner, settings, monkeypatch, django_capture_on_commit_callbacks
):
    called = []
    monkeypatch.setattr(planner, "call_workers", called.append)
    search = with_children(owner, ["a", "b", "c"])
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            planner.plan(search.pk)
    assert called == [3]


@given(
    hashes=st.lists(st.sampled_from("ab"), min_size=12, max_size=12),
    verdicts=st.lists(st.sampled_from(["open", "measured", "failed", "copied"]), min_size=12, max_size=12),
    reuse=st.booleans(),
    lookahead=st.integers(0, 2),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_due_needs_only_the_rows_that_are_read(owner, hashes, verdicts, reuse, lookahead):
    """Whatever the rows are, the few that `known` reads lead to the same answer as all of them."""
    Search.objects.all().delete()
    search = new_search(owner, children=12, step_size=3, lookahead=lookahead, reuse="copy" if reuse else "off")
    Search.objects.filter(pk=search.pk).update(steps_told=2)
    search.steps_told = 2
    children = [
        Child(
            search=search, step=n // 3, slot=n % 3, decisions=[], architecture={}, hash=one, log_probability=0.0,
            is_final=verdict != "open", reward=None if verdict == "open" else 0.5,
            reason="diverged" if verdict == "failed" else "",
            twin_step=0 if verdict == "copied" else None, twin_slot=0 if verdict == "copied" else None,
        )
        for n, (one, verdict) in enumerate(zip(hashes, ["measured" if v == "open" and n < 6 else v
                                                        for n, v in enumerate(verdicts)], strict=True))
    ]  # fmt: skip
    Child.objects.bulk_create(children)
    everything = {
        step: {
            child.slot: schedule.KnownChild(child.hash, child.is_final, child.is_measured)
            for child in children
            if child.step == step
        }
        for step in range(4)
    }
    known = planner.known(search, fake_engine.SearchConfig.model_validate(search.config))
    whole = schedule.Known(steps_told=2, steps=4, lookahead=lookahead, reuse=reuse, children=everything)
    assert schedule.due(known) == schedule.due(whole)


def test_planning_costs_the_same_however_long_the_search_is(owner, tmp_path):
    search = new_search(owner, children=40, step_size=2, reuse="copy", epochs=1)
    costs = []
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            planner.plan(search.pk)
        costs.append(len(queries))
        work_off(tmp_path, jobs=30)
    assert costs[0] == costs[1]


@given(
    hashes=st.lists(st.sampled_from("ab"), min_size=4, max_size=4),
    order=st.permutations(range(4)),
    diverged=st.sets(st.integers(0, 3)),
    reuse=st.sampled_from(["off", "copy"]),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_behind_a_verdict_nothing_is_left_to_be_done(owner, hashes, order, diverged, reuse):
    """Whatever is not looked at after a verdict, a look at everything finds nothing more to do."""
    Search.objects.all().delete()
    search = Search.objects.get(pk=with_children(owner, hashes, reuse=reuse).pk)
    planner.plan(search.pk)
    for slot in order:
        job = Job.objects.filter(stream=search.stream, kind="evaluate", slot=slot, state="due").first()
        if job is None:
            continue  # It is a copy, or waits for its twin, and is decided with it.
        reason = "diverged" if slot in diverged else None
        reward = 0.0 if reason else 0.5
        decide(search, slot, reward, reason)
        verdict = ChildFinished(
            step=0, slot=slot, reward=reward, reason=reason, parameters=10, mult_adds=20, seconds=1.0
        )  # fmt: skip
        planner.follow(search, verdict)
        jobs = Job.objects.count()
        assert planner.what_follows(search) == [] and Job.objects.count() == jobs


def test_as_many_workers_are_called_as_rest_wherever_they_are(owner, settings, monkeypatch, time):
    rung = []
    monkeypatch.setattr(planner.celery, "ring_workers", rung.append)
    settings.REDIS_URL, settings.WORKERS = "redis://nowhere", 1
    for number in range(4):
        Worker.objects.create(name=f"h{number}:1", host=f"h{number}", device="cpu", seen=time[0])
    Worker.objects.create(name="gone:1", host="gone", device="cpu", seen=time[0] - 60)
    new_search(owner)
    assert leases.claim("h0:1", ("learn",)) is not None
    planner.call_workers(20)
    planner.call_workers(2)
    planner.call_workers()
    assert rung == [3, 2, 3]
