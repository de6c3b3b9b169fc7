import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from search_engine.config.reading import read_config
from search_engine.config.training import TrainingConfig
from tests.faults import fake_engine
from tests.faults.steady_worker import work_off
from webapp.accounts.models import User
from webapp.searches import lifecycle
from webapp.searches.models import (
    NO_PLACE,
    Artifact,
    Child,
    Event,
    Group,
    Job,
    Request,
    Search,
    Stream,
    Training,
    Worker,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def search(settings, tmp_path):
    settings.ARTIFACTS_DIR = tmp_path / "store"
    owner = User.objects.create(name="owner")
    config = fake_engine.small_config()
    search = lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)
    work_off(tmp_path, jobs=3)
    return search


def test_rows_are_visible_to_their_owner_alone(search):
    owner, stranger = search.owner, User.objects.create(name="stranger")
    architecture = Child.objects.first().architecture
    config = read_config(TrainingConfig, {"architecture": architecture})
    lifecycle.start_training(owner, config, data={}, hash="a" * 64, parameters=1, mult_adds=1)
    Group.objects.create(owner=owner, name="seeds")
    Request.objects.create(owner=owner, key="k", path="/", body_sha256="", status=201, reply={}, created=0.0)
    for model in (Group, Stream, Search, Training, Child, Job, Event, Artifact, Request):
        assert set(model.objects.visible_to(owner)) == set(model.objects.all()) != set(), model.__name__
        assert not model.objects.visible_to(stranger).exists(), model.__name__
        assert not model.objects.visible_to(AnonymousUser()).exists(), model.__name__


def test_ids_in_addresses_are_random(search):
    for model in (Group, Stream, Artifact):
        ids = {model().pk for _ in range(3)}
        assert len(ids) == 3 and all(one.version == 4 for one in ids)


def test_the_code_version_is_in_the_row(search, settings):
    assert search.code_version == settings.CODE_VERSION != ""


def refused(act):
    with pytest.raises(IntegrityError), transaction.atomic():
        act()


def test_the_database_refuses_a_second_child_event_or_job_of_a_place(search):
    child, event, job = Child.objects.first(), Event.objects.first(), Job.objects.first()
    for row in (child, event, job):
        row.pk = None
        refused(lambda row=row: row.save(force_insert=True))
    refused(lambda: Job.objects.create(stream=search.stream, kind=Job.Kind.LEARN, step=NO_PLACE))


def test_the_database_refuses_a_lease_without_end_or_holder(search):
    due = Job.objects.filter(state=Job.State.DUE)
    refused(lambda: due.update(state=Job.State.LEASED, worker="w"))
    refused(lambda: due.update(state=Job.State.LEASED, lease_until=1.0))
    refused(lambda: due.update(lease_until=1.0))


def test_the_database_refuses_verdicts_that_make_no_sense(search):
    open_children = Child.objects.filter(is_final=False)
    refused(lambda: open_children.update(reward=0.5))
    refused(lambda: open_children.update(is_final=True))  # Neither a reward nor a reason.
    refused(lambda: open_children.update(is_final=True, reward=0.5, twin_step=0))
    open_children.update(is_final=True, reward=None, reason="lost")


def test_the_database_refuses_an_end_without_a_time(search):
    refused(lambda: Stream.objects.update(state=Stream.State.FINISHED))
    refused(lambda: Stream.objects.update(ended=1.0))


def test_a_job_says_what_it_is():
    assert Job(kind="learn", step=-1).what == "first draw"
    assert Job(kind="learn", step=4).what == "update 4"
    assert Job(kind="evaluate", step=3, slot=7).what == "child 3.7"
    assert Job(kind="train").what == "training"
    assert Job(kind="share", step=2).what == "shared epoch 2"
    assert Job(kind="teach", step=2).what == "controller phase 2"
    assert Job(kind="derive").what == "choice of candidates"


def test_a_worker_knows_what_it_does(search):
    job = Job.objects.filter(state=Job.State.DUE).first()
    worker = Worker.objects.create(name="w", host="h", device="cpu", seen=0.0)
    assert worker.job is None
    Job.objects.filter(pk=job.pk).update(state=Job.State.LEASED, worker="w", lease_until=1.0)
    assert worker.job == job


def test_only_a_reward_of_its_own_counts_as_measured():
    assert Child(reward=0.5).is_measured
    assert not Child(reward=None, reason="lost").is_measured
    assert not Child(reward=0.0, reason="diverged").is_measured
    assert not Child(reward=0.5, twin_step=0, twin_slot=1).is_measured
