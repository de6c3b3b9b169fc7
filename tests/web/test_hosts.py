"""Hosts on which job after job is lost, children that are lost on every host, and both at once."""

import json
import random

import pytest

from search_engine.events import ChildFinished
from tests.faults import fake_engine
from tests.faults.steady_worker import work_off
from tests.web.example_search import a_worker
from webapp.accounts.models import User
from webapp.searches import event_log, hosts, leases, lifecycle, results
from webapp.searches.models import Child, Host, Job, Worker
from webapp.searches.workers.worker import Presence

pytestmark = pytest.mark.django_db
KILLED = "the trainer was killed by SIGKILL"
KINDS = ("learn", "evaluate")


@pytest.fixture
def owner(client, settings, tmp_path):
    settings.ARTIFACTS_DIR = tmp_path / "store"
    owner = User.objects.create(name="owner", is_admin=True)
    client.force_login(owner)
    return owner


@pytest.fixture
def search(owner, tmp_path, time):
    """Children are due, and there are three hosts."""
    config = fake_engine.small_config(children=12, step_size=6)
    search = lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)
    work_off(tmp_path, jobs=1, kinds=("learn",))
    for name in ("bad:1", "bad:2", "good:1", "third:1"):
        there(name)
    return search


def go(time, seconds):
    """Time goes by, and every worker is still there."""
    time[0] += seconds
    Worker.objects.update(seen=time[0])


def there(name, number=0):
    a_worker(name)
    Worker.objects.filter(pk=name).update(host=name.partition(":")[0], number=number)


def lose(worker, times=1):
    """It claims so often, and is killed each time; what it had."""
    claims = []
    for _ in range(times):
        claims.append(leases.claim(worker, KINDS))
        leases.lose(claims[-1].job_id, claims[-1].fence, KILLED)
    return claims


def finish(claim):
    verdict = ChildFinished(step=claim.step, slot=claim.slot, reward=0.5, parameters=1, mult_adds=1, seconds=1.0)
    results.record_child(claim.job_id, claim.fence, verdict)


def lose_different(worker, count):
    """It claims so many different jobs at once, and loses them one after the other."""
    claims = [leases.claim(worker, KINDS) for _ in range(count)]
    for claim in claims:
        leases.lose(claim.job_id, claim.fence, KILLED)
    return claims


def is_aside(name):
    return Host.objects.filter(pk=name, set_aside__isnull=False).exists()


def set_aside_children(search):
    return [(child.step, child.slot) for child in Child.objects.filter(search=search, reason=leases.LOST)]


def test_a_host_that_loses_three_jobs_in_a_row_is_set_aside_and_no_child_pays_for_it(search):
    lost = lose_different("bad:1", 3)
    assert is_aside("bad")
    assert leases.claim("bad:1", KINDS) is None and leases.claim("bad:2", KINDS) is None
    again = leases.claim("good:1", KINDS)
    assert (again.job_id, again.attempt) == (lost[0].job_id, 1)


def test_what_goes_well_between_sets_the_count_back(search):
    lose_different("bad:1", 2)
    finish(leases.claim("bad:2", KINDS))
    lose_different("bad:1", 2)
    assert not is_aside("bad")
    claim = leases.claim("bad:1", KINDS)
    results.record_epoch(claim.job_id, claim.fence, an_epoch(claim), "c" * 64)
    assert Host.objects.get(pk="bad").in_a_row == 0


def an_epoch(claim):
    config = fake_engine.small_config()
    return fake_engine.FakeEvaluator(config).epoch(claim.step, claim.slot, 1)


def test_on_one_machine_alone_three_losses_of_one_child_are_the_childs(search):
    Worker.objects.exclude(host="good").delete()
    poison = leases.claim("good:1", KINDS)
    leases.lose(poison.job_id, poison.fence, KILLED)
    while (claim := leases.claim("good:1", ("evaluate",))) is not None:
        if claim.job_id == poison.job_id:
            leases.lose(claim.job_id, claim.fence, KILLED)
        else:
            finish(claim)
    assert set_aside_children(search) == [(poison.step, poison.slot)] and not is_aside("good")


def test_a_child_that_kills_every_host_is_set_aside_and_no_host_is(search):
    for attempt, worker in enumerate(("bad:1", "good:1", "third:1"), 1):
        claim = leases.claim(worker, KINDS)
        assert (claim.slot, claim.attempt) == (0, attempt)
        leases.lose(claim.job_id, claim.fence, KILLED)
    assert set_aside_children(search) == [(0, 0)]
    assert not any(map(is_aside, ("bad", "good", "third")))


def test_a_host_that_lost_a_child_leaves_it_to_others_and_after_the_second_time_waits_for_them(search):
    poison, *_ = lose("bad:1")
    while (claim := leases.claim("bad:1", ("evaluate",))).job_id != poison.job_id:
        finish_later(claim)
    leases.lose(claim.job_id, claim.fence, KILLED)
    assert leases.claim("bad:1", ("evaluate",)) is None
    assert leases.claim("good:1", ("evaluate",)).job_id == poison.job_id


def finish_later(claim):
    """It is still at it."""
    assert Job.objects.get(pk=claim.job_id).state == "leased"


def test_one_host_alone_goes_on_with_what_it_lost_once_and_leaves_it_after_the_second_time(search):
    Worker.objects.exclude(host="good").delete()
    first, second, third = lose("good:1", times=3)
    assert first.job_id == second.job_id != third.job_id


def test_a_bad_host_and_a_child_that_kills_are_told_apart_when_they_come_together(search):
    """The child is lost on the bad host as well, and only its losses on the good one count."""
    poison, *_ = lose_different("bad:1", 3)
    assert is_aside("bad")
    Worker.objects.filter(host="third").delete()
    attempts = []
    while (claim := leases.claim("good:1", ("evaluate",))) is not None:
        if claim.job_id == poison.job_id:
            attempts.append(claim.attempt)
            leases.lose(claim.job_id, claim.fence, KILLED)
        else:
            assert claim.attempt == 1
            finish(claim)
    assert attempts == [1, 2, 3] and set_aside_children(search) == [(poison.step, poison.slot)]
    assert is_aside("bad") and not is_aside("good")


@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_order_the_poisoned_children_are_set_aside_and_no_other(search, time, seed):
    """The bad host loses everything, the others lose two children of the step alone, in any order."""
    chance, poisoned = random.Random(seed), {(0, 1), (0, 4)}
    for _ in range(2000):
        worker = chance.choice(("bad:1", "bad:2", "good:1", "third:1"))
        go(time, 1)
        claim = leases.claim(worker, ("evaluate",))
        if claim is None:
            if not Job.objects.filter(state="due", kind="evaluate").exists():
                break
        elif worker.startswith("bad") or (claim.step, claim.slot) in poisoned:
            leases.lose(claim.job_id, claim.fence, KILLED)
        else:
            finish(claim)
    children = Child.objects.filter(search=search)
    assert all(child.is_final for child in children)
    assert {(child.step, child.slot) for child in children if child.reason == leases.LOST} == poisoned


def test_one_host_alone_loses_ten_in_a_row_and_goes_on_with_a_warning(search, client, time):
    Worker.objects.exclude(host="bad").delete()
    for loss in range(10):
        (claim,) = lose("bad:1")
        told = client.get("/api/workers").json()["hosts"][0]
        assert told["keeps_losing"] == (loss >= 2) and not told["is_set_aside"]
    assert told["why"] == f"Work was lost on it 10 times in a row: {KILLED} (10 times)."
    assert leases.claim("bad:1", KINDS) is not None


def test_a_host_whose_others_are_drained_gone_or_failing_themselves_goes_on(search, client, time):
    change(client, "good", is_drained=True)
    Worker.objects.filter(host="third").update(seen=time[0] - hosts.PRESENT_SECONDS)
    lose_different("bad:1", 3)
    assert not is_aside("bad")
    change(client, "good", is_drained=False)
    lose_different("good:1", 3)
    assert not is_aside("good"), "bad keeps losing jobs as well, so that neither can be spared"
    Worker.objects.filter(host="third").update(seen=time[0])
    lose("good:1")
    assert is_aside("good")


def test_a_host_that_is_aside_has_its_trial_at_once_when_the_sound_ones_go(search, time):
    lose_different("bad:1", 3)
    assert leases.claim("bad:1", KINDS) is None
    Worker.objects.exclude(host="bad").update(seen=0)
    claim = leases.claim("bad:2", KINDS)
    assert claim is not None and leases.claim("bad:1", KINDS) is None, "one job at a time"
    leases.lose(claim.job_id, claim.fence, KILLED)
    assert not is_aside("bad"), "there is nobody else"
    assert leases.claim("bad:1", KINDS) is not None and leases.claim("bad:2", KINDS) is not None


def test_what_kills_all_workers_of_a_host_at_once_is_one_loss(search, time):
    for death in range(3):
        assert not is_aside("bad"), death
        claims = [leases.claim(worker, KINDS) for worker in ("bad:1", "bad:2")]
        for delay, claim in zip((0, hosts.MOMENT_SECONDS - 1), claims, strict=True):
            go(time, delay)
            leases.lose(claim.job_id, claim.fence, KILLED)
        go(time, hosts.MOMENT_SECONDS)
    assert is_aside("bad") and Host.objects.get(pk="bad").in_a_row == 3


def test_a_worker_that_loses_two_jobs_within_a_moment_has_lost_two(search, time):
    claims = lose_different("bad:1", 2)
    assert len(claims) == Host.objects.get(pk="bad").in_a_row == 2


def test_it_tries_with_one_job_at_a_time_and_waits_longer_after_each_loss(search, time):
    lost = {claim.job_id for claim in lose_different("bad:1", 3)}
    for pause in (60, 300, 1800, 1800):
        go(time, pause)
        claim = leases.claim("bad:1", KINDS)
        assert claim.job_id not in lost, "another job tells more than one that may be to blame"
        assert leases.claim("bad:2", KINDS) is None
        go(time, 3 * hosts.TRIAL_SECONDS)
        leases.renew(claim.job_id, claim.fence, 1)
        assert leases.claim("bad:2", KINDS) is None, "not while the first one is at it"
        leases.lose(claim.job_id, claim.fence, KILLED)
        assert leases.claim("bad:2", KINDS) is None
        lost.add(claim.job_id)
        if len(lost) > 5:
            break


def test_a_clock_that_was_set_back_does_not_lengthen_the_wait(search, time):
    lose_different("bad:1", 3)
    go(time, -900)
    assert leases.claim("bad:1", KINDS) is not None


def test_a_trial_that_finds_nothing_to_do_is_left_to_the_next_worker(search, time):
    lose_different("bad:1", 3)
    go(time, hosts.PAUSES_SECONDS[0])
    assert leases.claim("bad:1", ("retrain",)) is None
    assert leases.claim("bad:2", KINDS) is None
    go(time, hosts.TRIAL_SECONDS)
    assert leases.claim("bad:2", KINDS) is not None


def test_children_that_kill_the_only_host_are_set_aside_beside_sound_ones(search, time):
    """Nothing waits for anything meanwhile."""
    Worker.objects.exclude(host="bad").delete()
    poisoned = {(0, 0), (0, 1)}
    while (claim := leases.claim("bad:1", ("evaluate",))) is not None:
        if (claim.step, claim.slot) in poisoned:
            leases.lose(claim.job_id, claim.fence, KILLED)
        else:
            finish(claim)
    assert set(set_aside_children(search)) == poisoned
    assert all(child.is_final for child in Child.objects.filter(search=search))


def test_only_poisoned_children_left_end_too(search, time):
    Worker.objects.exclude(host="bad").delete()
    losses = 0
    while (claim := leases.claim("bad:1", ("evaluate",))) is not None:
        leases.lose(claim.job_id, claim.fence, KILLED)
        losses += 1
    assert losses == 6 * leases.ATTEMPTS and len(set_aside_children(search)) == 6


def test_an_update_is_spared_as_a_child_is(owner, tmp_path, time):
    config = fake_engine.small_config()
    starts = [
        lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA) for _ in range(2)
    ]
    there("bad:1")
    lose("bad:1", times=2)
    there("good:1")
    lose("bad:1")
    assert is_aside("bad")
    assert {search.state for search in type(starts[0]).objects.all()} == {"running"}
    assert leases.claim("good:1", KINDS).attempt == 1


def test_a_person_may_say_that_it_is_sound_again(search, client):
    lose_different("bad:1", 3)
    (told,) = client.get("/api/workers").json()["hosts"]
    assert told["is_set_aside"] and told["seconds_until_trial"] == 60.0
    assert told["why"] == f"Work was lost on it 3 times in a row: {KILLED} (3 times)."
    reply = change(client, "bad", is_set_aside=False)
    assert (reply.status_code, reply.json()["is_set_aside"]) == (200, False)
    assert leases.claim("bad:1", KINDS) is not None


def change(client, host, **what):
    return client.patch(f"/api/workers/hosts/{host}", json.dumps(what), content_type="application/json")


def test_a_host_that_nobody_knows_is_not_found(owner, client):
    assert change(client, "nowhere", is_drained=True).status_code == 404


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("the trainer failed: no file /data/anna/secret.txt", "the trainer failed"),
        ("the trainer sent a line that is no JSON: b'anna'", "the trainer said something that nobody understands"),
        (KILLED, KILLED),
        ("the trainer ended with status 1; see its log", "the trainer ended with status 1; see its log"),
    ],
)
def test_other_users_read_the_kind_of_a_loss_and_nothing_that_the_trainer_said(search, client, reason, told):
    claim = leases.claim("bad:1", KINDS)
    leases.lose(claim.job_id, claim.fence, reason)
    client.force_login(User.objects.create(name="another"))
    (host,) = client.get("/api/workers").json()["hosts"]
    assert host["why"] == f"Work was lost on it once: {told}."


def test_a_refusal_of_the_disk_is_no_loss_of_the_host(search):
    for _ in range(4):
        claim = leases.claim("bad:1", KINDS)
        leases.release(claim.job_id, claim.fence)
    assert not Host.objects.exists()


def test_a_drained_worker_that_is_started_again_stays_drained(search, client):
    Worker.objects.all().delete()
    Presence("bad:41", "bad", "cpu", 1).say()
    Presence("bad:42", "bad", "cpu", 2).say()
    client.patch("/api/workers/bad:41", json.dumps({"is_drained": True}), content_type="application/json")
    Worker.objects.filter(pk="bad:41").delete()
    Presence("bad:57", "bad", "cpu", 1).say()
    assert leases.claim("bad:57", KINDS) is None
    assert leases.claim("bad:42", KINDS) is not None
    Presence("bad:57", "bad", "cpu", 1).say()
    assert Worker.objects.get(pk="bad:57").is_drained


def test_a_worker_that_works_again_does_so_after_the_next_start_as_well(search, client):
    there("bad:41", number=1)
    for value in (True, False):
        client.patch("/api/workers/bad:41", json.dumps({"is_drained": value}), content_type="application/json")
    Presence("bad:57", "bad", "cpu", 1).say()
    assert leases.claim("bad:57", KINDS) is not None


def test_a_host_is_drained_with_all_that_is_still_to_come(search, client):
    assert change(client, "bad", is_drained=True).json()["is_drained"]
    Presence("bad:99", "bad", "cpu", 9).say()
    assert [leases.claim(f"bad:{pid}", KINDS) for pid in (1, 2, 99)] == [None] * 3
    assert leases.claim("good:1", KINDS) is not None
    change(client, "bad", is_drained=False)
    assert all(leases.claim(f"bad:{pid}", KINDS) for pid in (1, 2, 99))


def test_one_worker_of_a_drained_host_may_work_again_alone(search, client):
    Worker.objects.all().delete()
    there("bad:1", number=1), there("bad:2", number=2)
    change(client, "bad", is_drained=True)
    client.patch("/api/workers/bad:1", json.dumps({"is_drained": False}), content_type="application/json")
    Presence("bad:3", "bad", "cpu", 2).say()
    assert [leases.claim(f"bad:{pid}", KINDS) is None for pid in (1, 2, 3)] == [False, True, True]


def test_the_log_of_the_search_has_every_loss(search):
    lose_different("bad:1", 3)
    told = [each for each in event_log.read(search.pk, 0, 1000) if each["kind"] == "job_lost"]
    assert [each["worker"] for each in told] == ["bad:1"] * 3
