import json

import pytest
from django.db import IntegrityError, transaction

from search_engine.events import ChildFinished, FinalistEpochEnded, FinalistFinished
from tests.faults import fake_engine
from tests.faults.steady_worker import work_off
from tests.faults.straight_run import compared
from webapp.searches import artifacts, checker, event_log, leases, lifecycle, planner, results
from webapp.searches.models import Artifact, Child, Finalist, Job, Search, Stream
from webapp.searches.pages.listing import entries_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]
ALL = 10_000


def new_search(owner, **sizes):
    config = fake_engine.small_config(**{"children": 4, "step_size": 4, "finalists": 2} | sizes)
    return lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)


def told_all(owner, rewards, finalists=2):
    """A search whose last step was told, with children of these (reward, hash); then planned."""
    search = new_search(owner, children=len(rewards), step_size=len(rewards), finalists=finalists)
    Job.objects.all().delete()
    Search.objects.filter(pk=search.pk).update(steps_told=1, fingerprint="f" * 64)
    for slot, (reward, one) in enumerate(rewards):
        Child.objects.create(
            search=search, step=0, slot=slot, decisions=[], architecture={}, hash=one, log_probability=0.0,
            is_final=True, reward=reward, reason="" if reward is not None else "lost",
        )  # fmt: skip
    planner.plan(search.pk)
    search.refresh_from_db()
    return search


def kinds(search):
    return [event["kind"] for event in event_log.read(search.pk, 0, ALL)]


def a_file(tmp_path, content):
    path = tmp_path / "file"
    path.write_text(json.dumps(content))
    return artifacts.put(path)


def verdict(rank, accuracy, checkpoint=None, reason=None):
    return FinalistFinished(rank=rank, accuracy=accuracy, reason=reason, checkpoint=checkpoint, parameters=10,
                            mult_adds=20, seconds=1.0)  # fmt: skip


def test_the_best_different_children_get_a_job_each_and_planning_again_changes_nothing(owner):
    search = told_all(owner, [(0.5, "a"), (0.7, "b"), (0.7, "b"), (None, "c"), (0.6, "d")])
    finalists = Finalist.objects.filter(search=search).order_by("rank")
    assert [(one.rank, one.child.slot) for one in finalists] == [(1, 1), (2, 4)]
    jobs = Job.objects.filter(stream=search.stream)
    assert sorted(jobs.values_list("kind", "step", "slot")) == [("retrain", -1, 1), ("retrain", -1, 2)]
    before = kinds(search)
    planner.plan(search.pk)
    assert kinds(search) == before and jobs.count() == 2


def test_a_search_that_wants_none_ends_with_its_last_step(owner):
    search = told_all(owner, [(0.5, "a")], finalists=0)
    assert search.state == "finished" and not Finalist.objects.exists()


def test_without_a_measured_child_the_search_finishes_without_a_result(owner):
    search = told_all(owner, [(None, "a"), (None, "b")])
    assert search.state == "finished" and search.finals == "kept"
    assert kinds(search)[-3:] == ["finalists_chosen", "result_kept", "state_changed"]
    assert not Artifact.objects.filter(stream_id=search.pk, label="Result").exists()


def test_only_the_best_network_so_far_is_kept_and_it_becomes_the_download(owner, tmp_path):
    search = told_all(owner, [(0.5, "a"), (0.7, "b"), (0.6, "c")], finalists=3)
    files = {}
    for rank, accuracy in ((1, 0.8), (2, 0.9), (3, 0.85)):
        claim = leases.claim("w", ("retrain",))
        assert claim.slot == rank
        results.record_started(claim.job_id, claim.fence)
        files[rank] = a_file(tmp_path, {"network": rank})
        results.record_finalist(claim.job_id, claim.fence, verdict(rank, accuracy, files[rank]))
        kept = Finalist.objects.exclude(checkpoint="").values_list("checkpoint", flat=True)
        assert list(kept) == [files[min(rank, 2)]]
    search.refresh_from_db()
    assert search.state == "finished" and search.fingerprint != "f" * 64
    assert Artifact.objects.get(stream_id=search.pk, label="Result").sha256 == files[2]
    assert artifacts.sweep(older_than_seconds=-1) and artifacts.is_whole(files[2])
    last = event_log.read(search.pk, 0, ALL)[-2]
    assert (last["kind"], last["rank"], last["fingerprint"]) == ("result_kept", 2, search.fingerprint)


def test_an_epoch_handed_in_twice_is_told_once_and_its_checkpoint_goes_to_the_next(owner, tmp_path):
    search = told_all(owner, [(0.5, "a"), (0.7, "b")])
    claim = leases.claim("w", ("retrain",))
    ended = FinalistEpochEnded(rank=1, epoch=1, epochs=2, loss=1.0, accuracy=0.4, learning_rate=0.1, seconds=1.0)
    checkpoint = a_file(tmp_path, {"epoch": 1})
    for _ in range(2):
        results.record_epoch(claim.job_id, claim.fence, ended, checkpoint)
    assert kinds(search).count("finalist_epoch_ended") == 1
    leases.release(claim.job_id, claim.fence)
    again = leases.claim("v", ("retrain",))
    assert (again.slot, again.checkpoint) == (1, checkpoint)


def test_a_finalist_that_is_lost_three_times_is_simply_not_the_best(owner, tmp_path):
    search = told_all(owner, [(0.5, "a"), (0.7, "b")])
    for host in range(leases.ATTEMPTS):  # One that lost it twice would leave it to others.
        claim = leases.claim(f"host {host}:1", ("retrain",))
        assert claim.slot == 1
        leases.lose(claim.job_id, claim.fence, "the trainer was killed by SIGKILL")
    claim = leases.claim("w", ("retrain",))
    results.record_finalist(claim.job_id, claim.fence, verdict(2, 0.3, a_file(tmp_path, {"network": 2})))
    search.refresh_from_db()
    assert search.state == "finished"
    assert event_log.read(search.pk, 0, ALL)[-2]["rank"] == 2
    assert Finalist.objects.get(search=search, rank=1).reason == "lost"


def test_who_no_longer_holds_the_job_cannot_decide_a_finalist(owner):
    search = told_all(owner, [(0.5, "a"), (0.7, "b")])
    claim = leases.claim("w", ("retrain",))
    lifecycle.stop(search.pk)
    with pytest.raises(leases.LeaseLost):
        results.record_finalist(claim.job_id, claim.fence, verdict(1, 0.3))
    assert not Finalist.objects.filter(is_final=True).exists()


@pytest.mark.parametrize("finalists", [1, 3, 11])
@pytest.mark.parametrize("reuse", ["off", "copy"])
def test_a_search_done_by_jobs_ends_as_one_process_ends(owner, tmp_path, finalists, reuse):
    search = new_search(owner, children=11, step_size=3, finalists=finalists, reuse=reuse)
    work_off(tmp_path)
    stream = Stream.objects.get(pk=search.pk)
    assert stream.state == "finished"
    assert checker.check(stream) == [] == list(compared(stream, fake_engine))


def test_children_best_reward_and_counts_are_free_of_finalists(owner, tmp_path):
    search = new_search(owner)
    work_off(tmp_path)
    verdicts = [e for e in event_log.read(search.pk, 0, ALL) if e["kind"] == ChildFinished.model_fields["kind"].default]
    assert len(verdicts) == Child.objects.filter(search=search).count() == 4


def test_the_checker_sees_a_result_that_is_not_the_best(owner, tmp_path):
    search = new_search(owner, children=8)
    work_off(tmp_path)
    best = Finalist.objects.filter(search=search, accuracy__isnull=False).order_by("-accuracy", "rank").first()
    Finalist.objects.filter(pk=best.pk).update(accuracy=-1.0)
    problems = checker.check(Stream.objects.get(pk=search.pk))
    assert "Log and rows differ in the verdicts on finalists." in problems
    assert any("fingerprint" in problem for problem in problems)


def test_the_database_refuses_a_verdict_that_says_nothing(owner):
    search = told_all(owner, [(0.5, "a"), (0.7, "b")])
    with pytest.raises(IntegrityError), transaction.atomic():
        Finalist.objects.filter(search=search, rank=1).update(is_final=True)


def test_lists_count_finalists_while_the_final_round_lasts(owner):
    told_all(owner, [(0.5, "a"), (0.7, "b")])
    Finalist.objects.filter(rank=1).update(is_final=True, accuracy=0.8)
    (entry,) = entries_of(owner)
    assert (entry.done, entry.total, entry.unit) == (1, 2, "finalists")
    Finalist.objects.update(is_final=True, accuracy=0.8)
    (entry,) = entries_of(owner)
    assert (entry.done, entry.total, entry.unit) == (2, 2, "children")
