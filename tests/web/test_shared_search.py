"""A search with shared weights as rows: its phases become jobs, its candidates children, the best of them trainings."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from search_engine.errors import ConfigError
from tests.faults import fake_engine, fake_shared
from tests.faults.steady_worker import work_off
from tests.faults.straight_run import compared
from webapp.accounts.models import User
from webapp.searches import artifacts, checker, event_log, leases, lifecycle, shared_results
from webapp.searches.leases import ATTEMPTS, LeaseLost
from webapp.searches.models import Artifact, Child, Group, Job, Search, Stream, Training

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]
ALL = 10_000
PHASES = ("share", "teach", "derive")


def started(owner: User, group: Group | None = None, **sizes: Any) -> Search:
    config = fake_shared.small_config(**sizes)
    return lifecycle.create_search(
        owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA, group=group, priority=3
    )


def kinds(search: Search) -> list[str]:
    return [event["kind"] for event in event_log.read(search.pk, 0, ALL)]


def a_file(tmp_path: Path, value: Any) -> str:
    path = tmp_path / "file"
    path.write_text(json.dumps(value))
    return artifacts.put(path)


def test_phases_follow_one_another_and_then_come_candidates(owner: User, tmp_path: Path) -> None:
    search = started(owner, epochs=2, candidates=3, train=0)
    done = []
    while (job := Job.objects.filter(stream=search.stream, state=Job.State.DUE).first()) is not None:
        assert Job.objects.filter(stream=search.stream, state=Job.State.DUE).count() == 1  # One thing at a time.
        done.append((job.kind, job.step))
        work_off(tmp_path / "work", jobs=1)
    assert done == [("share", 0), ("teach", 0), ("share", 1), ("teach", 1), ("derive", -1)]
    assert kinds(search) == [
        "search_started",
        *("shared_epoch_ended", "controller_phase_ended") * 2,
        "step_proposed",
        *("child_finished",) * 3,
        "state_changed",
    ]
    stream = Stream.objects.get(pk=search.pk)
    assert stream.state == "finished"
    assert checker.check(stream) == [] == list(compared(stream, fake_engine))
    assert not Training.objects.exists()


def test_the_first_event_tells_of_epochs_and_candidates(owner: User) -> None:
    search = started(owner, epochs=5, candidates=3)
    told = event_log.read(search.pk, 0, 1)[0]
    assert (told["epochs"], told["children"], told["step_size"]) == (5, 3, 3)
    assert (search.epochs, search.total, search.steps_told, search.epochs_shared) == (5, 3, 0, 0)


def test_the_best_candidates_become_trainings_of_the_same_owner_and_group(owner: User, tmp_path: Path) -> None:
    group = Group.objects.create(owner=owner)
    search = started(owner, group=group, candidates=6, train=2, name="macro")
    work_off(tmp_path / "work", kinds=PHASES)
    ordered = Child.objects.filter(search=search).order_by("-reward", "slot")
    best = list({child.hash: child for child in reversed(ordered)}.values())
    best = sorted(best, key=lambda child: -(child.reward or 0))[:2]
    trainings = list(Training.objects.order_by("created", "name"))
    assert [training.child for training in trainings] == best
    assert [training.name for training in trainings] == ["Best of macro", "Number 2 of macro"]
    for training in trainings:
        assert (training.owner, training.group, training.priority, training.state) == (owner, group, 3, "running")
        assert training.child is not None and training.config["architecture"] == training.child.architecture
        assert training.config["recipe"]["epochs"] == 2 and training.parameters > 0
        assert checker.check(training.stream) == []
    assert checker.check(search.stream) == []


def test_two_equal_candidates_are_trained_once(owner: User, tmp_path: Path) -> None:
    search = started(owner, candidates=40, train=40)  # Of twelve architectures.
    work_off(tmp_path / "work", kinds=PHASES)
    children = Child.objects.filter(search=search)
    assert Training.objects.count() == children.values("hash").distinct().count() < 40
    assert checker.check(search.stream) == []


def test_where_the_images_are_gone_the_search_ends_all_the_same_and_says_what_is_missing(
    owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = started(owner)
    monkeypatch.setattr("webapp.searches.start.describe", gone)
    work_off(tmp_path / "work")
    search.refresh_from_db()
    assert search.state == "finished"
    assert re.fullmatch(
        r"Candidate \d was not trained from scratch: is a set of images that is not there\.", search.reason
    )
    assert not Training.objects.exists() and checker.check(search.stream) == []


def gone(name: str) -> None:
    raise ConfigError("data.name", "is a set of images that is not there.")


def test_weights_and_controller_can_be_downloaded_and_are_the_newest(owner: User, tmp_path: Path) -> None:
    search = started(owner, epochs=3)
    for jobs in (1, 2, 2):
        work_off(tmp_path / "work", jobs=jobs)
        search.refresh_from_db()
        (offered,) = Artifact.objects.filter(stream_id=search.pk, label="Shared weights")
        assert (offered.sha256, offered.filename) == (search.weights, "shared-weights.safetensors")
        assert artifacts.is_whole(search.weights)
    (controller,) = Artifact.objects.filter(stream_id=search.pk, label="Controller")
    assert controller.sha256 == search.strategy_state


def test_a_position_is_gone_on_from_and_forgives_losses(owner: User, tmp_path: Path) -> None:
    search = started(owner)
    for _ in range(ATTEMPTS - 1):
        claim = leases.claim("w", PHASES)
        assert claim is not None
        leases.lose(claim.job_id, claim.fence, "it broke")
    claim = leases.claim("w", PHASES)
    assert claim is not None and claim.attempt == ATTEMPTS
    position = a_file(tmp_path, {"of": "weights", "value": "x", "at": 1})
    shared_results.record_position(claim.job_id, claim.fence, position)
    leases.lose(claim.job_id, claim.fence, "it broke")
    claim = leases.claim("w", PHASES)
    assert claim is not None and (claim.checkpoint, claim.attempt) == (position, 2)
    assert kinds(search).count("job_lost") == ATTEMPTS


@pytest.mark.parametrize(
    ("jobs", "what"), [(0, "Shared epoch 0"), (1, "Controller phase 0"), (4, "Choice of candidates")]
)
def test_a_phase_that_is_lost_three_times_fails_the_search_with_a_sentence(
    owner: User, tmp_path: Path, jobs: int, what: str
) -> None:
    search = started(owner, epochs=2)
    work_off(tmp_path / "work", jobs=jobs)
    for _ in range(ATTEMPTS):
        claim = leases.claim("w", PHASES)
        assert claim is not None
        leases.lose(claim.job_id, claim.fence, "the trainer was killed by SIGKILL")
    search.refresh_from_db()
    assert search.state == "failed"
    assert search.reason == (
        f"{what} was lost 3 times in a row, the last time because of this: the trainer was killed by SIGKILL."
    )
    assert leases.claim("w", PHASES) is None and checker.check(search.stream) == []


def test_whoever_lost_the_lease_writes_nothing(owner: User, tmp_path: Path) -> None:
    search = started(owner)
    claim = leases.claim("w", PHASES)
    assert claim is not None
    leases.lose(claim.job_id, claim.fence, "it froze")
    position = a_file(tmp_path, {})
    with pytest.raises(LeaseLost):
        shared_results.record_position(claim.job_id, claim.fence, position)
    config = fake_shared.small_config()
    ended = fake_shared.shared_epoch_ended(config, 0, fake_shared.read(None, "weights", config))
    with pytest.raises(LeaseLost):
        shared_results.record_shared_epoch(claim.job_id, claim.fence, ended, position, position)
    search.refresh_from_db()
    assert (search.weights, search.epochs_shared) == ("", 0)


def test_a_stopped_search_starts_no_trainings(owner: User, tmp_path: Path) -> None:
    search = started(owner, epochs=1)
    work_off(tmp_path / "work", jobs=2)
    claim = leases.claim("w", PHASES)
    assert claim is not None and claim.kind == "derive"
    lifecycle.stop(search.pk)
    config = fake_shared.small_config(epochs=1)
    state = fake_shared.read(None, "strategy", config)
    with pytest.raises(LeaseLost):
        shared_results.record_candidates(claim.job_id, claim.fence, *fake_shared.derived(config, state, state, ""))
    assert not Training.objects.exists() and not Child.objects.exists()


def test_two_searches_of_a_group_advance_alike(owner: User) -> None:
    group = Group.objects.create(owner=owner)
    first, second = started(owner, group=group), started(owner, group=group)
    claims = [leases.claim(f"w{number}", PHASES) for number in range(2)]
    assert [claim and claim.stream_id for claim in claims] == [first.pk, second.pk]


@pytest.mark.django_db(transaction=True)
def test_a_file_that_was_replaced_goes_unless_it_is_young(
    owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "REPLACED_SECONDS", -1.0)  # Everything is old enough.
    search = started(owner, epochs=3)
    work_off(tmp_path / "work", jobs=1)
    search.refresh_from_db()
    first = search.weights
    work_off(tmp_path / "work", jobs=2)
    assert artifacts.is_whole(first)  # The one before the last is kept, in case that is damaged.
    work_off(tmp_path / "work", jobs=2)
    with pytest.raises(artifacts.ArtifactMissing):
        artifacts.local_path(first)
    assert checker.check(search.stream) == []
    search.refresh_from_db()
    assert not artifacts.drop_replaced(search.weights)  # A row names it.
    monkeypatch.undo()
    young = a_file(tmp_path, {"young": True})
    assert not artifacts.drop_replaced(young) and artifacts.is_whole(young)
