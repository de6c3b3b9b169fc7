import itertools

import pytest

from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.config.training import TrainingConfig
from tests.faults import fake_engine
from tests.faults.legal_commands import AFTER
from tests.faults.steady_worker import work_off
from webapp.searches import checker, event_log, leases, lifecycle, live_state
from webapp.searches.models import Child, Group, Job, Stream

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]
ALL = 10_000


def new_search(owner, group=None, **sizes):
    config = fake_engine.small_config(**sizes)
    return lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA, group=group)


def new_training(owner, child=None):
    config = read_config(TrainingConfig, {"architecture": {"drawn": 1}, "recipe": {"epochs": 2}, "name": "best"})
    return lifecycle.start_training(
        owner, config, data=fake_engine.DATA, hash="a" * 64, parameters=10, mult_adds=20, child=child
    )


def state_of(stream):
    return Stream.objects.get(pk=stream.pk).state


def test_a_new_search_keeps_its_configuration_and_says_what_it_was_started_with(owner):
    config = fake_engine.small_config(children=7)
    group = Group.objects.create(owner=owner)
    search = lifecycle.create_search(
        owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA, group=group, priority=2
    )
    assert read_config(SearchConfig, search.config) == config
    assert (search.name, search.total, search.kind, search.priority) == (config.name, 7, "search", 2)
    assert list(group.streams.all()) == [Stream.objects.get(pk=search.pk)]
    (started,) = event_log.read(search.pk, 0, ALL)
    assert (started["kind"], started["config"], started["data"]) == ("search_started", search.config, fake_engine.DATA)
    assert started["decisions"][0] == {"name": "input", "options": ["current", "previous"]}


def test_a_new_training_has_one_job_and_knows_its_child(owner, tmp_path):
    search = new_search(owner)
    work_off(tmp_path, jobs=1)
    child = Child.objects.filter(search=search).first()
    training = new_training(owner, child)
    assert training.child.search_id == search.pk
    assert Job.objects.get(stream=training.stream).kind == "train"
    assert event_log.read(training.pk, 0, ALL)[0]["kind"] == "training_started"


def test_a_training_runs_to_its_end(owner, tmp_path):
    training = new_training(owner)
    assert work_off(tmp_path) == 1
    training.refresh_from_db()
    assert (training.state, training.test_accuracy, training.test_examples) == ("finished", 0.5, 100)
    assert checker.check(training) == []
    assert [point[0] for point in live_state.state_at(training)["curve"]] == [1, 2]
    assert training.artifacts.get().sha256 == training.checkpoint


def test_pause_and_resume_change_nothing_but_the_state(owner):
    search = new_search(owner)
    lifecycle.pause(search.pk)
    assert state_of(search) == "paused"
    lifecycle.resume(search.pk)
    assert state_of(search) == "running"
    told = [(event["kind"], event.get("state")) for event in event_log.read(search.pk, 1, ALL)]
    assert told == [("state_changed", "paused"), ("state_changed", "running")]


def test_what_is_under_way_at_a_pause_is_still_accepted(owner, tmp_path):
    search = new_search(owner, children=1, step_size=1)
    work_off(tmp_path, jobs=2)
    claim = leases.claim("w", ("learn",))
    lifecycle.pause(search.pk)
    assert leases.renew(claim.job_id, claim.fence, 1) == "paused"
    leases.release(claim.job_id, claim.fence)
    assert work_off(tmp_path) == 0
    lifecycle.resume(search.pk)
    assert work_off(tmp_path) == 1
    assert state_of(search) == "finished"


def test_stopping_drops_what_is_due_and_refuses_what_is_under_way(owner, tmp_path):
    search = new_search(owner)
    work_off(tmp_path, jobs=1)
    claim = leases.claim("w", ("evaluate",))
    lifecycle.stop(search.pk)
    with pytest.raises(leases.LeaseLost):
        leases.holding(claim.job_id, claim.fence)
    assert not Job.objects.filter(state__in=("due", "leased")).exists()
    assert checker.check(search) == []


@pytest.mark.parametrize("commands", list(itertools.product(("pause", "resume", "stop"), repeat=3)))
def test_every_command_is_applied_once_or_refused_with_a_reason(owner, commands):
    search = new_search(owner)
    state = "running"
    events = 1
    for command in commands:
        wanted = AFTER.get((state, command))
        if wanted is None:
            with pytest.raises(lifecycle.CommandRefused, match=f"This search is {state}; only a .* one can be") as no:
                getattr(lifecycle, command)(search.pk)
            assert no.value.found == state and state not in no.value.wanted
        else:
            getattr(lifecycle, command)(search.pk)
            state, events = wanted, events + 1
        assert state_of(search) == state
        assert Stream.objects.get(pk=search.pk).last_event == events
    assert checker.check(search) == []


def test_a_priority_holds_for_all_that_stands_beside_and_is_refused_behind_the_end(owner):
    group = Group.objects.create(owner=owner)
    search, beside, alone = new_search(owner, group=group), new_search(owner, group=group), new_search(owner)
    lifecycle.prioritise(search.pk, -1)
    assert Stream.objects.filter(priority=-1).count() == 2
    lifecycle.prioritise(alone.pk, 1)
    assert [Stream.objects.get(pk=each.pk).priority_word for each in (beside, alone)] == ["later", "first"]
    lifecycle.stop(search.pk)
    with pytest.raises(lifecycle.CommandRefused, match="This search is stopped; only a running or paused one"):
        lifecycle.prioritise(search.pk, 0)
    assert Stream.objects.get(pk=beside.pk).priority_word == "later"


def test_a_refusal_is_one_plain_sentence(owner):
    search = new_search(owner)
    with pytest.raises(lifecycle.CommandRefused) as refused:
        lifecycle.resume(search.pk)
    assert str(refused.value) == "This search is running; only a paused one can be resumed."
    lifecycle.stop(search.pk)
    with pytest.raises(lifecycle.CommandRefused) as refused:
        lifecycle.stop(search.pk)
    assert str(refused.value) == "This search is stopped; only a running or paused one can be stopped."
