import os
import subprocess
import sys

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from tests.faults import fake_engine
from tests.faults.steady_worker import work_off
from webapp.accounts.models import User
from webapp.searches import event_log, leases, lifecycle, turns
from webapp.searches.models import Child, Job, Search, Stream

KINDS = ("learn", "evaluate", "train")
ALL = 10_000


@pytest.fixture
def owner(settings, tmp_path):
    settings.ARTIFACTS_DIR = tmp_path / "store"
    return User.objects.create(name="owner")


def new_search(owner, **sizes):
    return lifecycle.create_search(
        owner, fake_engine.small_config(**sizes), decisions=fake_engine.DECISIONS, data=fake_engine.DATA
    )


def drawn_search(owner, folder, **sizes):
    search = new_search(owner, **sizes)
    assert work_off(folder, jobs=1, kinds=("learn",)) == 1
    return search


def events_of(search, kind):
    return [event for event in event_log.read(search.pk, 0, ALL) if event["kind"] == kind]


@pytest.mark.django_db
def test_a_job_is_claimed_once(owner):
    new_search(owner)
    claim = leases.claim("a", KINDS)
    assert (claim.kind, claim.step, claim.attempt, claim.fence) == ("learn", -1, 1, 1)
    assert leases.claim("b", KINDS) is None


@pytest.mark.django_db
def test_a_worker_gets_only_kinds_it_asks_for(owner):
    new_search(owner)
    assert leases.claim("a", ("evaluate", "train")) is None


@pytest.mark.django_db
def test_two_searches_take_turns_and_children_come_in_order(owner, tmp_path, time):
    first = drawn_search(owner, tmp_path)
    time[0] += 1
    second = drawn_search(owner, tmp_path)
    order = [leases.claim("w", KINDS) for _ in range(4)]
    assert [claim.stream_id for claim in order] == [first.pk, second.pk, first.pk, second.pk]
    assert [claim.slot for claim in order] == [0, 0, 1, 1]


@pytest.mark.django_db
def test_priority_goes_before_fairness_and_the_others_get_what_is_left(owner, tmp_path, time):
    normal = drawn_search(owner, tmp_path)
    time[0] += 1
    urgent, later = drawn_search(owner, tmp_path), drawn_search(owner, tmp_path)
    lifecycle.prioritise(urgent.pk, 1)
    lifecycle.prioritise(later.pk, -1)
    due = Job.objects.filter(stream_id=urgent.pk, state="due").count()
    assert due > 1
    claimed = [leases.claim("w", KINDS).stream_id for _ in range(3 * due)]
    assert claimed == [urgent.pk] * due + [normal.pk] * due + [later.pk] * due


def worked_on(turns_each=1):
    """Which search a single worker works on next, for so many turns, before it gives the job back."""
    claim = leases.claim("w", KINDS)
    for _ in range(turns_each - 1):
        leases.renew(claim.job_id, claim.fence, 1)
    leases.release(claim.job_id, claim.fence)
    return claim.stream_id


@pytest.mark.django_db
def test_one_worker_goes_round_however_many_searches_there_are(owner, tmp_path, time):
    searches = []
    for _ in range(4):
        searches.append(drawn_search(owner, tmp_path).pk)
        time[0] += 1
    Stream.objects.update(turns=0)
    assert [worked_on() for _ in range(8)] == 2 * searches


@pytest.mark.django_db
def test_what_takes_long_at_a_time_has_its_turn_less_often(owner, time):
    slow = new_search(owner).pk
    time[0] += 1
    quick = new_search(owner).pk
    assert worked_on(5) == slow
    assert [worked_on() for _ in range(5)] == [quick] * 5
    assert worked_on(5) == slow


@pytest.mark.django_db
def test_turns_of_a_job_that_is_held_count_already(owner, time):
    slow = new_search(owner).pk
    time[0] += 1
    quick = new_search(owner).pk
    held, _ = leases.claim("a", KINDS), leases.claim("b", KINDS)
    assert held.stream_id == slow
    for _ in range(4):
        leases.renew(held.job_id, held.fence, 1)
    for each in (slow, quick):
        Job.objects.create(stream_id=each, kind="evaluate", step=0, slot=0)
    assert leases.claim("c", KINDS).stream_id == quick, "each has a worker, and the older one has had five turns"
    assert turns.at_start(None) == 2
    leases.release(held.job_id, held.fence)
    assert Stream.objects.get(pk=slow).turns == 5


@pytest.mark.django_db
def test_a_renewal_writes_to_no_row_for_which_others_wait(owner):
    new_search(owner)
    claim = leases.claim("w", KINDS)
    with CaptureQueriesContext(connection) as told:
        leases.renew(claim.job_id, claim.fence, 1)
    written = [query["sql"] for query in told if not query["sql"].startswith("SELECT")]
    assert len(written) == 1 and written[0].startswith('UPDATE "searches_job"')
    assert len(told) <= 3


@pytest.mark.django_db
@pytest.mark.parametrize("due", [1, 400])
def test_a_claim_asks_the_same_few_questions_however_much_is_due(owner, tmp_path, due):
    drawn_search(owner, tmp_path, children=due, step_size=due)
    with CaptureQueriesContext(connection) as told:
        assert leases.claim("w", KINDS) is not None
    assert len(told) <= 10


ANY_STREAM = st.fixed_dictionaries(
    {
        "state": st.sampled_from(Stream.State.values),
        "max_workers": st.sampled_from([None, 1, 2]),
        "weights": st.sampled_from(["", "w" * 64]),
        "jobs": st.lists(
            st.tuples(st.sampled_from(Job.Kind.values), st.sampled_from(["due", "due", "leased", "done"])), max_size=5
        ),
    }
)


def add_stream(owner, state, max_workers, weights, jobs):
    ended = None if state in Stream.OPEN else 1.0
    search = Search.objects.create(
        owner=owner, kind="search", created=1.0, ended=ended, code_version="", config={}, total=1, steps_told=-1,
        state=state, max_workers=max_workers, weights=weights,
    )  # fmt: skip
    for slot, (kind, what) in enumerate(jobs):
        held = {"worker": "w", "lease_until": 1.0, "claimed": 0.0} if what == "leased" else {}
        Job.objects.create(stream=search, kind=kind, state=what, step=0, slot=slot, **held)


@pytest.mark.django_db
@given(streams=st.lists(ANY_STREAM, min_size=1, max_size=4), kinds=st.sets(st.sampled_from(Job.Kind.values)))
@example_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_claimed_is_what_is_claimable(owner, streams, kinds):
    """The question that a claim asks in words of its own, and the one that everybody else asks."""
    Stream.objects.all().delete()
    for each in streams:
        add_stream(owner, **each)
    waiting = leases.claimable()
    assert set(turns.in_order()) == set(waiting.values_list("stream_id", flat=True))
    wanted = set(waiting.filter(kind__in=kinds).values_list("pk", flat=True))
    found = turns.first(kinds)
    assert (found is None) == (not wanted) and (found is None or found.pk in wanted)
    refused = set()
    while (job := turns.first(Job.Kind.values, refused)) is not None:
        refused.add(job.pk)
    assert refused == set(waiting.values_list("pk", flat=True))


@pytest.mark.django_db
def test_who_comes_later_or_comes_back_begins_with_the_turns_of_the_others(owner, time):
    first = new_search(owner).pk
    resting = new_search(owner).pk
    lifecycle.pause(resting)
    assert [worked_on(10) for _ in range(3)] == [first] * 3
    time[0] += 1
    late = new_search(owner).pk
    lifecycle.resume(resting)
    assert [Stream.objects.get(pk=each).turns for each in (first, late, resting)] == [30, 30, 30]
    assert {worked_on() for _ in range(3)} == {first, late, resting}


@pytest.mark.django_db
def test_an_update_goes_before_the_children_that_were_drawn_ahead(owner, tmp_path):
    drawn_search(owner, tmp_path, children=8, step_size=2, lookahead=1)
    work_off(tmp_path, jobs=2)
    assert leases.claim("w", KINDS).kind == "learn"
    assert leases.claim("w", KINDS).step == 1


@pytest.mark.django_db
def test_nothing_of_a_paused_search_is_claimed(owner):
    search = new_search(owner)
    lifecycle.pause(search.pk)
    assert leases.claim("w", KINDS) is None
    lifecycle.resume(search.pk)
    assert leases.claim("w", KINDS) is not None


@pytest.mark.django_db
def test_a_renewal_extends_the_lease_and_tells_what_is_wanted(owner, time):
    search = new_search(owner)
    claim = leases.claim("w", KINDS)
    time[0] += 4
    assert leases.renew(claim.job_id, claim.fence, 7) == "running"
    job = Job.objects.get(pk=claim.job_id)
    assert (job.lease_until, job.progress) == (time[0] + leases.LEASE_SECONDS, 7)
    lifecycle.pause(search.pk)
    assert leases.renew(claim.job_id, claim.fence, 8) == "paused"
    lifecycle.stop(search.pk)
    assert leases.renew(claim.job_id, claim.fence, 9) is None


@pytest.mark.django_db
def test_a_lease_runs_out_and_the_late_worker_is_refused(owner, time):
    search = new_search(owner)
    late = leases.claim("late", KINDS)
    time[0] += leases.LEASE_SECONDS
    assert leases.expire() == []
    time[0] += 0.1
    assert [(lost.worker, lost.is_due) for lost in leases.expire()] == [("late", True)]
    assert leases.renew(late.job_id, late.fence, 1) is None
    with pytest.raises(leases.LeaseLost):
        leases.release(late.job_id, late.fence)
    again = leases.claim("new", KINDS)
    assert (again.job_id, again.attempt) == (late.job_id, 2) and again.fence > late.fence
    with pytest.raises(leases.LeaseLost):
        leases.holding(late.job_id, late.fence)
    assert leases.holding(again.job_id, again.fence).worker == "new"
    (lost,) = events_of(search, "job_lost")
    assert (lost["what"], lost["worker"], lost["attempt"]) == ("first draw", "late", 1)


@pytest.mark.django_db
def test_giving_back_counts_no_attempt(owner):
    search = new_search(owner)
    for _ in range(5):
        claim = leases.claim("w", KINDS)
        leases.release(claim.job_id, claim.fence)
    assert leases.claim("w", KINDS).attempt == 1
    assert events_of(search, "job_lost") == []


def lose(claim):
    leases.lose(claim.job_id, claim.fence, "the trainer was killed by SIGKILL")


@pytest.mark.django_db
def test_a_child_that_is_lost_three_times_is_set_aside_and_the_search_goes_on(owner, tmp_path):
    search = drawn_search(owner, tmp_path, children=1, step_size=1)
    for _ in range(3):
        lose(leases.claim("w", KINDS))
    child = Child.objects.get()
    assert (child.is_final, child.reward, child.reason, child.parameters) == (True, None, "lost", None)
    (verdict,) = events_of(search, "child_finished")
    assert (verdict["reward"], verdict["reason"]) == (None, "lost")
    assert len(events_of(search, "job_lost")) == 3
    assert leases.claim("w", KINDS).kind == "learn"


@pytest.mark.django_db
def test_a_checkpoint_starts_the_count_of_losses_anew(owner, tmp_path):
    drawn_search(owner, tmp_path, children=1, step_size=1)
    for attempt in (1, 2):
        assert (claim := leases.claim("w", KINDS)).attempt == attempt
        lose(claim)
    Job.objects.filter(kind="evaluate").update(checkpoint="c" * 64, attempts=0)  # As record_epoch does.
    claim = leases.claim("w", KINDS)
    assert (claim.attempt, claim.checkpoint) == (1, "c" * 64)
    lose(claim)
    assert not Child.objects.get().is_final


@pytest.mark.django_db
def test_an_update_that_is_lost_three_times_fails_the_search_with_its_reason(owner):
    search = new_search(owner)
    for _ in range(3):
        lose(leases.claim("w", KINDS))
    row = Search.objects.get(pk=search.pk)
    assert row.state == "failed"
    assert row.reason == (
        "First draw was lost 3 times in a row, the last time because of this: the trainer was killed by SIGKILL."
    )
    assert leases.claim("w", KINDS) is None


@pytest.mark.django_db
def test_a_claim_in_the_very_moment_of_another_gets_the_next_job(owner, tmp_path, monkeypatch):
    drawn_search(owner, tmp_path)
    first = turns.first

    def somebody_is_faster(*what):
        job = first(*what)
        monkeypatch.setattr(turns, "first", first)
        faster.append(leases.claim("faster", KINDS))
        return job

    faster = []
    monkeypatch.setattr(turns, "first", somebody_is_faster)
    claim = leases.claim("slower", KINDS)
    assert (faster[0].slot, claim.slot) == (0, 1)


PROCESS = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings"
import django
django.setup()
from pathlib import Path
from tests.faults.steady_worker import work_off
print(work_off(Path(sys.argv[1])))
"""
PREPARE = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings"
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0, skip_checks=True)
from tests.faults import fake_engine
from webapp.accounts.models import User
from webapp.searches import lifecycle
owner = User.objects.create(name="owner")
for seed in range(4):
    config = fake_engine.small_config(children=20, step_size=10, seed=seed)
    lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)
"""
VERDICT = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings"
import django
django.setup()
from tests.faults.fake_engine import *
from tests.faults import fake_engine
from tests.faults.straight_run import compared
from webapp.searches import checker
from webapp.searches.models import Stream
for stream in Stream.objects.all():
    print(stream.state, checker.check(stream), list(compared(stream, fake_engine)))
"""


@pytest.mark.processes
def test_six_processes_share_one_sqlite_file_without_a_locked_error(tmp_path):
    environment = os.environ | {"CELLWRIGHT_DATA": str(tmp_path / "data"), "DATABASE_URL": ""}

    def start(code, *arguments):
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments], env=environment, text=True, stdout=-1, stderr=-1
        )

    output, errors = start(PREPARE).communicate(timeout=60)
    assert errors == ""
    workers = [start(PROCESS, str(tmp_path / f"worker-{number}")) for number in range(6)]
    ended = [worker.communicate(timeout=120) for worker in workers]
    assert [errors for _, errors in ended] == [""] * 6
    # A worker leaves when nothing is due, also while others still work; the last one to look does the rest.
    output, errors = start(PROCESS, str(tmp_path / "last")).communicate(timeout=60)
    assert errors == ""
    done = [int(output) for output, _ in ended] + [int(output)]
    assert sum(done) == 4 * (1 + 20 + 2)
    assert sum(number > 0 for number in done) > 1
    output, errors = start(VERDICT).communicate(timeout=60)
    assert (output, errors) == ("finished [] []\n" * 4, "")


@pytest.mark.django_db
def test_what_was_lost_goes_before_everything_else_of_its_priority(owner, tmp_path, time):
    older = drawn_search(owner, tmp_path)
    time[0] += 1
    younger = drawn_search(owner, tmp_path)
    leases.claim("a", KINDS)
    lost = leases.claim("b", KINDS)
    assert lost.stream_id == younger.pk
    leases.lose(lost.job_id, lost.fence, "killed")
    lifecycle.prioritise(older.pk, 1)
    assert leases.claim("a", KINDS).stream_id == older.pk
    lifecycle.prioritise(older.pk, 0)
    again = leases.claim("a", KINDS)
    assert (again.job_id, again.attempt) == (lost.job_id, 2)
    assert leases.claim("a", KINDS).stream_id == younger.pk, "from here by turns: the older one has two workers"
