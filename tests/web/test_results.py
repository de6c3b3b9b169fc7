import json

import pytest

from search_engine.events import ChildFinished, EpochEnded
from search_engine.runner import step_proposed
from tests.faults import fake_engine
from tests.faults.steady_worker import work_off
from tests.faults.straight_run import compared
from webapp.accounts.models import User
from webapp.searches import artifacts, checker, event_log, leases, lifecycle, results
from webapp.searches.models import Artifact, Child, Event, Job, Search, Stream

pytestmark = pytest.mark.django_db
ALL = 10_000


@pytest.fixture
def search(settings, tmp_path):
    settings.ARTIFACTS_DIR = tmp_path / "store"
    owner = User.objects.create(name="owner")
    config = fake_engine.small_config(children=4, step_size=2)
    return lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)


def epoch(claim, number):
    return EpochEnded(
        step=claim.step, slot=claim.slot, epoch=number, epochs=3, loss=1.0, learning_rate=0.1, seconds=1.0
    )


def verdict(claim, reward=0.5):
    return ChildFinished(step=claim.step, slot=claim.slot, reward=reward, parameters=10, mult_adds=20, seconds=1.0)


def a_file(tmp_path, content):
    path = tmp_path / "file"
    path.write_text(json.dumps(content))
    return artifacts.put(path)


def first_child(tmp_path):
    work_off(tmp_path, jobs=1)
    return leases.claim("w", ("evaluate",))


@pytest.mark.parametrize("lookahead", [0, 1, 3])
@pytest.mark.parametrize("reuse", ["off", "copy"])
def test_a_search_done_by_jobs_computes_what_one_process_computes(search, tmp_path, lookahead, reuse):
    config = fake_engine.small_config(children=11, step_size=3, lookahead=lookahead, reuse=reuse)
    other = lifecycle.create_search(search.owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)
    lifecycle.stop(search.pk)
    work_off(tmp_path)
    stream = Stream.objects.get(pk=other.pk)
    assert stream.state == "finished"
    assert checker.check(stream) == [] == list(compared(stream, fake_engine))


def test_a_step_brings_children_jobs_and_the_controller_for_download(search, tmp_path):
    claim = leases.claim("w", ("learn",))
    state = a_file(tmp_path, {"weights": 1})
    proposed = [step_proposed(drawn) for drawn in fake_engine.FakeStrategy(fake_engine.small_config()).pending()]
    results.record_step(claim.job_id, claim.fence, None, proposed, state)
    row = Search.objects.get(pk=search.pk)
    assert (row.steps_told, row.strategy_state, row.fingerprint) == (0, state, "")
    child = Child.objects.get(step=0, slot=1)
    shown = proposed[0].proposals[1]
    assert (child.hash, child.architecture, tuple(child.decisions)) == (
        shown.hash,
        shown.architecture,
        shown.decisions,
    )
    assert Job.objects.filter(kind="evaluate", state="due").count() == 4
    offered = Artifact.objects.get(stream_id=search.pk)
    assert (offered.sha256, offered.filename, offered.size) == (state, "controller.safetensors", artifacts.size(state))


def test_a_later_controller_takes_the_place_of_an_earlier_one(search, tmp_path):
    work_off(tmp_path)
    assert Artifact.objects.get(stream_id=search.pk).sha256 == Search.objects.get(pk=search.pk).strategy_state


def test_an_epoch_moves_the_checkpoint_forward(search, tmp_path):
    claim = first_child(tmp_path)
    leases.lose(claim.job_id, claim.fence, "it died")
    claim = leases.claim("w", ("evaluate",))
    assert claim.attempt == 2
    results.record_started(claim.job_id, claim.fence)
    results.record_epoch(claim.job_id, claim.fence, epoch(claim, 1), a_file(tmp_path, 1))
    leases.lose(claim.job_id, claim.fence, "it died")
    again = leases.claim("w", ("evaluate",))
    assert (again.checkpoint, again.attempt) == (a_file(tmp_path, 1), 2)
    told = [(event["kind"], event.get("attempt")) for event in event_log.read(search.pk, 0, ALL)][2:]
    assert told == [("job_lost", 1), ("child_started", 2), ("epoch_ended", None), ("job_lost", 1)]


def test_what_is_handed_in_again_because_the_answer_was_lost_is_told_once(search, tmp_path):
    claim = first_child(tmp_path)
    before = Stream.objects.get(pk=search.pk).last_event
    other = leases.claim("v", ("evaluate",))
    for _ in range(2):
        results.record_started(claim.job_id, claim.fence)
        results.record_started(other.job_id, other.fence)  # The answer may be awaited while others go on.
    for number in (1, 2):
        for _ in range(2):
            results.record_epoch(claim.job_id, claim.fence, epoch(claim, number), a_file(tmp_path, number))
            results.record_epoch(other.job_id, other.fence, epoch(other, number), None)
    told = [(event["kind"], event["slot"], event.get("epoch")) for event in event_log.read(search.pk, before, ALL)]
    assert told == [
        *(("child_started", slot, None) for slot in (0, 1)),
        *(("epoch_ended", slot, number) for number in (1, 2) for slot in (0, 1)),
    ]


def test_a_child_that_is_begun_again_after_a_loss_is_told_again(search, tmp_path):
    claim = first_child(tmp_path)
    before = Stream.objects.get(pk=search.pk).last_event
    for _ in range(2):
        results.record_started(claim.job_id, claim.fence)
        results.record_epoch(claim.job_id, claim.fence, epoch(claim, 1), None)
        leases.lose(claim.job_id, claim.fence, "it died")
        claim = leases.claim("w", ("evaluate",))
    told = [event["kind"] for event in event_log.read(search.pk, before, ALL)]
    assert told == 2 * ["child_started", "epoch_ended", "job_lost"]


def test_a_verdict_is_one_commit(search, tmp_path):
    first_child(tmp_path)
    claim = leases.claim("w", ("evaluate",))
    before = Stream.objects.get(pk=search.pk).last_event
    results.record_child(claim.job_id, claim.fence, verdict(claim))
    child = Child.objects.get(step=claim.step, slot=claim.slot)
    job = Job.objects.get(pk=claim.job_id)
    assert (child.is_final, child.reward, child.seconds) == (True, 0.5, 1.0)
    assert (job.state, job.checkpoint, job.lease_until) == ("done", "", None)
    assert event_log.read(search.pk, before, ALL)[0]["kind"] == "child_finished"


def test_a_failure_in_the_middle_of_a_commit_leaves_nothing(search, tmp_path, monkeypatch):
    claim = first_child(tmp_path)
    rows = list(Child.objects.values()), list(Job.objects.values()), list(Event.objects.values())

    def fail(stream_id, events):
        raise RuntimeError

    monkeypatch.setattr(event_log, "append", fail)
    with pytest.raises(RuntimeError):
        results.record_child(claim.job_id, claim.fence, verdict(claim))
    assert (list(Child.objects.values()), list(Job.objects.values()), list(Event.objects.values())) == rows


def test_a_result_without_the_lease_is_refused_by_every_function(search, tmp_path):
    claim = first_child(tmp_path)
    leases.release(claim.job_id, claim.fence)
    writes = [
        lambda fence: results.record_started(claim.job_id, fence),
        lambda fence: results.record_epoch(claim.job_id, fence, epoch(claim, 1), None),
        lambda fence: results.record_child(claim.job_id, fence, verdict(claim)),
        lambda fence: results.record_step(claim.job_id, fence, None, [], "a" * 64),
        lambda fence: results.record_training(claim.job_id, fence, None),
        lambda fence: results.record_failure(claim.job_id, fence, "It is wrong."),
        lambda fence: leases.release(claim.job_id, fence),
        lambda fence: leases.lose(claim.job_id, fence, "it died"),
    ]
    new = leases.claim("new", ("evaluate",))
    before = list(Event.objects.values()), list(Job.objects.values())
    for write in writes:
        with pytest.raises(leases.LeaseLost):
            write(claim.fence)
    assert (list(Event.objects.values()), list(Job.objects.values())) == before
    results.record_child(new.job_id, new.fence, verdict(new))


def test_handing_in_the_same_result_again_is_refused(search, tmp_path):
    claim = first_child(tmp_path)
    results.record_child(claim.job_id, claim.fence, verdict(claim))
    with pytest.raises(leases.LeaseLost):
        results.record_child(claim.job_id, claim.fence, verdict(claim))


def test_a_verdict_on_another_child_is_our_bug(search, tmp_path):
    first_child(tmp_path)
    claim = leases.claim("w", ("evaluate",))
    wrong = verdict(claim).model_copy(update={"slot": claim.slot - 1})
    with pytest.raises(AssertionError, match="cannot decide another child"):
        results.record_child(claim.job_id, claim.fence, wrong)


def test_what_nobody_can_do_fails_the_search_at_once(search, tmp_path):
    claim = first_child(tmp_path)
    results.record_failure(claim.job_id, claim.fence, "data.name: is gone.")
    row = Stream.objects.get(pk=search.pk)
    assert (row.state, row.reason) == ("failed", "data.name: is gone.")
    assert checker.check(row) == []
