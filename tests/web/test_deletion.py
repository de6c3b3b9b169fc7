"""What is deleted leaves no row and no file of its own, and what belongs to others stays."""

import itertools
import json
import os

import pytest
from django.apps import apps

from search_engine.config.reading import read_config
from search_engine.config.training import TrainingConfig
from search_engine.events import ChildFinished
from tests.faults import fake_engine, fake_shared
from tests.faults.legal_commands import AFTER
from tests.faults.steady_worker import work_off
from tests.web.example_search import a_search, a_training
from webapp.accounts.models import User
from webapp.searches import artifacts, checker, companion, deletion, leases, lifecycle, results
from webapp.searches.models import Artifact, Child, Event, Group, Job, Search, Stream, Training
from webapp.searches.workers import reconciler

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]


@pytest.fixture
def page(client, owner):
    client.force_login(owner)
    return client


def new_search(owner, **fields):
    config = fake_engine.small_config(children=6, step_size=2)
    return lifecycle.create_search(
        owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA, **fields
    )  # fmt: skip


def new_training(owner, child=None, **fields):
    config = read_config(TrainingConfig, {"architecture": {"drawn": 1}, "recipe": {"epochs": 2}, "name": "best"})
    return lifecycle.start_training(
        owner, config, data=fake_engine.DATA, hash="a" * 64, parameters=10, mult_adds=20, child=child, **fields
    )


def stored():
    return {path.parent.name + path.name for path in artifacts._root().glob("??/*")}


def let_files_age():
    for path in artifacts._root().glob("??/*"):
        os.utime(path, (0, 0))


def let_leases_run_out():
    Job.objects.filter(state="leased").update(lease_until=1.0)


def rows_of(stream_id):
    """How many rows of any table of the app still name this stream."""
    found = 0
    for model in apps.get_app_config("searches").get_models():
        for field in model._meta.fields:
            if field.is_relation and issubclass(field.related_model, Stream):
                found += model._base_manager.filter(**{field.name: stream_id}).count()
    return found


@pytest.mark.parametrize("jobs", [0, 1, 4, 50])
def test_at_any_moment_no_row_and_no_file_is_left(owner, tmp_path, jobs):
    search = new_search(owner)
    work_off(tmp_path, jobs=jobs)
    assert rows_of(search.pk) > 0
    named = artifacts.files_of(search.pk)
    assert bool(named) == (jobs > 0)
    deletion.delete(search.pk)
    let_files_age()
    assert deletion.remove_deleted() == 1
    assert rows_of(search.pk) == 0 and not stored() & named
    artifacts.sweep()  # What was replaced while the search ran has no row since then, and goes as it always does.
    assert stored() == set()
    assert not Stream.objects.exists() and not Event.objects.exists() and not Child.objects.exists()


@pytest.mark.parametrize("commands", list(itertools.product(("pause", "resume", "stop", "delete"), repeat=3)))
def test_with_delete_too_every_command_is_applied_or_refused_with_a_reason(owner, commands):
    search = new_search(owner)
    state = "running"
    for command in commands:
        wanted = AFTER.get((state, command))
        act = deletion.delete if command == "delete" else getattr(lifecycle, command)
        if wanted is None:
            with pytest.raises(lifecycle.CommandRefused):
                act(search.pk)
        else:
            act(search.pk)
            state = wanted
        assert Stream.objects.get(pk=search.pk).state == state
    numbers = list(Event.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, Stream.objects.get().last_event + 1))
    assert deletion.remove_deleted() == (state == "deleting")


def test_a_paused_and_a_stopped_one_are_deleted_too(owner):
    paused, stopped = new_search(owner), new_search(owner)
    lifecycle.pause(paused.pk)
    lifecycle.stop(stopped.pk)
    for each in (paused, stopped):
        deletion.delete(each.pk)
        assert checker.check(each) == []
    assert deletion.remove_deleted() == 2
    assert not Stream.objects.exists()


def test_it_waits_for_the_worker_whose_work_is_then_refused(owner, tmp_path):
    search = new_search(owner)
    work_off(tmp_path, jobs=1)
    let_files_age()
    claim = leases.claim("w", ("evaluate",))
    deletion.delete(search.pk)
    assert leases.renew(claim.job_id, claim.fence, 1) is None
    verdict = ChildFinished(
        step=claim.step, slot=claim.slot, reward=0.5, parameters=1, mult_adds=1, seconds=1.0
    )  # fmt: skip
    with pytest.raises(leases.LeaseLost):
        results.record_child(claim.job_id, claim.fence, verdict)
    assert leases.claim("other", ("evaluate", "learn")) is None
    assert deletion.remove_deleted() == 0
    assert Stream.objects.get(pk=search.pk).state == "deleting" and stored()
    let_leases_run_out()
    assert deletion.remove_deleted() == 1
    with pytest.raises(leases.LeaseLost, match="was deleted"):
        results.record_child(claim.job_id, claim.fence, verdict)
    assert leases.renew(claim.job_id, claim.fence, 1) is None


def test_a_lease_that_the_reconciler_takes_away_first_does_no_harm(owner, tmp_path):
    search = new_search(owner)
    work_off(tmp_path, jobs=1)
    let_files_age()
    for _ in range(leases.ATTEMPTS):
        leases.claim("w", ("evaluate",))
    deletion.delete(search.pk)
    let_leases_run_out()
    reconciler.expire_leases()
    assert deletion.remove_deleted() == 1
    assert not Stream.objects.filter(pk=search.pk).exists()


def test_a_file_that_was_put_a_moment_ago_is_waited_for(owner, tmp_path):
    search = new_search(owner)
    work_off(tmp_path)
    deletion.delete(search.pk)
    assert deletion.remove_deleted() == 0 and stored()
    let_files_age()
    assert deletion.remove_deleted() == 1


def test_what_was_interrupted_behind_the_files_goes_on(owner, tmp_path, monkeypatch):
    search = new_search(owner)
    work_off(tmp_path)
    let_files_age()
    deletion.delete(search.pk)

    def killed(stream_id):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(deletion, "_remove_rows", killed)
        with pytest.raises(RuntimeError):
            deletion.remove_deleted()
    assert not any(artifacts.is_there(sha256) for sha256 in artifacts.files_of(search.pk))
    assert rows_of(search.pk) > 0
    assert deletion.remove_deleted() == 1
    assert rows_of(search.pk) == 0


def test_a_file_that_another_one_names_stays(owner, tmp_path):
    search, other = new_search(owner), new_training(owner)
    work_off(tmp_path, kinds=("learn", "evaluate"))
    shared = Search.objects.get(pk=search.pk).strategy_state
    artifacts.offer(other, "The same", shared, "same")
    let_files_age()
    deletion.delete(search.pk)
    assert deletion.remove_deleted() == 1
    assert artifacts.is_whole(shared)
    assert Artifact.objects.get().sha256 == shared


def test_the_training_of_a_child_lives_on_and_says_where_it_came_from(owner, page, tmp_path):
    search = a_search(owner, children=2, name="The first")
    training = a_training(owner, search)
    deletion.delete(search.pk)
    assert deletion.remove_deleted() == 1
    training = Training.objects.get(pk=training.pk)
    assert (training.child, training.state) == (None, "running")
    assert checker.check(training) == []
    shown = page.get(f"/trainings/{training.pk}").content.decode()
    assert "of child 0.0 of The first, which was deleted" in shown
    assert page.get(f"/api/trainings/{training.pk}").json()["child"] is None


def test_networks_of_the_honesty_meter_go_with_their_search(owner, tmp_path):
    search = new_search(owner)
    work_off(tmp_path, jobs=2)
    new_training(owner, Child.objects.first(), for_meter=True)
    kept = new_training(owner, Child.objects.first())
    deletion.delete(search.pk)
    let_files_age()
    while Stream.objects.count() > 1:
        assert deletion.remove_deleted() > 0 or Stream.objects.filter(state="deleting").count() == 2
    assert Stream.objects.get().pk == kept.pk


def test_the_companion_lives_on_and_its_page_says_so(owner, page):
    search = a_search(owner, name="Led")
    beside = companion.add_companion(search)
    assert b"stood beside this one was deleted" not in page.get(f"/searches/{beside.pk}").content
    deletion.delete(search.pk)
    deletion.remove_deleted()
    assert b"stood beside this one was deleted" in page.get(f"/searches/{beside.pk}").content
    assert companion.accompanied_by(beside) is None
    deletion.delete(beside.pk)
    deletion.remove_deleted()
    assert not Group.objects.exists()


def test_deleting_by_the_api_says_what_goes_before_it_does(owner, page, tmp_path):
    search = a_search(owner, children=2)
    a_training(owner, search)
    address = f"/api/searches/{search.pk}"
    outlook = page.get(f"{address}/outlook").json()
    assert outlook["goes"] == ["2 children with what they reached, 0 files of 0.0 MB together, and its log."]
    assert outlook["stays"] == ["1 training of its children, with a note that the search was deleted."]
    answers = [page.delete(address) for _ in range(2)]
    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(202, "deleting")] * 2
    assert page.get("/").content.count(b"is-deleting") == 1
    assert b"deleting" in page.get(f"/searches/{search.pk}").content
    refused = page.post(f"{address}/stop", json.dumps({}), content_type="application/json")
    assert refused.status_code == 409
    assert "This search is being deleted; only a running or paused one" in refused.json()["errors"][0]["message"]
    deletion.remove_deleted()
    assert page.get(address).status_code == page.delete(address).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_the_reconciler_removes_a_training_with_its_files(owner, page, tmp_path):
    training = new_training(owner)
    work_off(tmp_path)
    let_files_age()
    address = f"/api/trainings/{training.pk}"
    (goes,) = page.get(f"{address}/outlook").json()["goes"]
    assert goes.startswith("Its figures and curve, 1 file of ")
    assert page.delete(address).status_code == 202
    weights = Training.objects.get(pk=training.pk).checkpoint
    assert artifacts.is_there(weights)
    reconciler.look()
    assert not artifacts.is_there(weights) and not Stream.objects.exists()


def test_a_search_is_sound_although_the_training_of_its_best_candidate_was_deleted(owner, tmp_path):
    config = fake_shared.small_config(epochs=1, train=1)
    search = lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)
    work_off(tmp_path)
    deletion.delete(Training.objects.get(child__search=search).pk)
    let_files_age()
    assert deletion.remove_deleted() == 1
    assert checker.check(search) == []


def test_nobody_deletes_what_belongs_to_another(owner, client):
    search = new_search(owner)
    client.force_login(User.objects.create(name="stranger"))
    assert client.delete(f"/api/searches/{search.pk}").status_code == 404
    assert client.get(f"/api/searches/{search.pk}/outlook").status_code == 404
    assert Stream.objects.get().state == "running"


def test_what_vanishes_under_a_command_is_answered_as_not_found(owner, page, monkeypatch):
    search = new_search(owner)

    def gone_meanwhile(stream_id):
        raise Stream.DoesNotExist

    monkeypatch.setattr(lifecycle, "pause", gone_meanwhile)
    answer = page.post(f"/api/searches/{search.pk}/pause", "{}", content_type="application/json")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["message"].startswith("There is no such search or training")
