"""The honesty meter: which candidates are trained from scratch, what counts, and what is said about it."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from search_engine.config.enas_search import EnasMicroSearchConfig, EnasRecurrentSearchConfig
from search_engine.config.training import TrainingConfig
from search_engine.errors import UserError
from tests.faults import fake_engine, fake_shared
from tests.faults.steady_worker import work_off
from tests.web.example_search import a_search, a_worker
from webapp.accounts.models import User
from webapp.searches import checker, honesty_meter, leases, lifecycle, meter_trainings
from webapp.searches.models import Child, Group, Search, Training
from webapp.searches.pages.listing import entries_of
from webapp.searches.start import training_figures
from webapp.searches.workers import trainer_requests

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]
PHASES = ("share", "teach", "derive")


@pytest.fixture
def search(owner: User, tmp_path: Path) -> Search:
    """With candidates, all twelve architectures of the small space among them, and nothing trained from scratch."""
    config = fake_shared.small_config(candidates=80, train=0)
    group = Group.objects.create(owner=owner)
    started = lifecycle.create_search(
        owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA, group=group, priority=2
    )
    work_off(tmp_path / "work", kinds=PHASES)
    started.refresh_from_db()
    return started


def started_for_it(search: Search) -> list[Training]:
    found = Training.objects.filter(child__search=search, for_meter=True).select_related("child")
    return sorted(found, key=lambda training: training.child.reward)  # type: ignore[union-attr]


def finish(training: Training, held_out: float) -> None:
    Training.objects.filter(pk=training.pk).update(held_out_accuracy=held_out, test_accuracy=0.99)


def different(search: Search) -> int:
    return Child.objects.filter(search=search).values("hash").distinct().count()


def test_candidates_from_the_lowest_to_the_highest_score_are_trained_short_and_alike(search: Search) -> None:
    meter_trainings.ask(search, networks=4, epochs=3)
    trainings = started_for_it(search)
    rewards = sorted(Child.objects.filter(search=search).values_list("reward", flat=True))
    assert len(trainings) == 4
    assert trainings[0].child.reward == rewards[0] and trainings[-1].child.reward == rewards[-1]  # type: ignore[union-attr]
    assert len({training.hash for training in trainings}) == 4
    for training in trainings:
        assert training.child is not None and training.config["architecture"] == training.child.architecture
        assert (training.group, training.priority, training.owner) == (search.group, 2, search.owner)
        assert training.config["recipe"] == search.config["derived_recipe"] | {"epochs": 3}
        assert (
            training.config["layout"] == search.config["derived"] and training.config["data"] == search.config["data"]
        )
        assert checker.check(training.stream) == []
    assert checker.check(search.stream) == []


def test_a_rate_that_would_start_high_again_falls_once_and_a_test_that_nobody_looks_at_is_quick() -> None:
    child = Child(architecture=fake_engine.decode((0, 0, 0)).to_json(), step=0, slot=7)
    config = meter_trainings.meter_config(EnasMicroSearchConfig(), child, 4, "micro")
    assert isinstance(config, TrainingConfig) and config.name == "Meter of micro: candidate 0.7"
    assert (config.recipe.epochs, config.recipe.first_period, config.recipe.schedule) == (4, 4, "restarts")
    cell = {"format": 1, "kind": "recurrent", "nodes": [{"source": 0, "activation": "tanh"}]}
    text = meter_trainings.meter_config(EnasRecurrentSearchConfig(), Child(architecture=cell, step=0, slot=7), 3, "")
    assert text.recipe.epochs == 3 and text.recipe.test_batch == text.recipe.scoring_batch > 1


def test_none_of_them_gets_a_bundle(search: Search) -> None:
    meter_trainings.ask(search, networks=3, epochs=1)
    claim = leases.claim("w", ("train",))
    assert claim is not None and trainer_requests.request_for(claim)["bundle"] is False


def test_asking_again_starts_only_what_is_missing(search: Search, tmp_path: Path) -> None:
    meter_trainings.ask(search, networks=3, epochs=2)
    meter_trainings.ask(search, networks=3, epochs=2)
    assert len(started_for_it(search)) == 3
    work_off(tmp_path / "work")
    meter_trainings.ask(search, networks=5, epochs=2)
    trainings = started_for_it(search)
    assert len(trainings) == len({training.hash for training in trainings}) == 5
    meter_trainings.ask(search, networks=3, epochs=2)
    assert len(started_for_it(search)) == 5


def test_the_correlation_is_of_score_and_held_out_accuracy_and_the_test_part_plays_no_role(
    search: Search, tmp_path: Path
) -> None:
    meter_trainings.ask(search, networks=5, epochs=1)
    work_off(tmp_path / "work")
    for training, held_out in zip(started_for_it(search), (0.2, 0.1, 0.4, 0.3, 0.5), strict=True):
        finish(training, held_out)
    meter = honesty_meter.meter_of(search)
    assert meter.found is not None and meter.found.value == pytest.approx(0.8)  # Worked by hand in rank_correlation.
    assert (meter.measured, meter.found.count, meter.is_open, meter.waiting) == ("accuracy", 5, False, "")
    assert [point.held_out for point in meter.points] == [0.2, 0.1, 0.4, 0.3, 0.5]
    assert "With 5 networks the interval is wide." in meter.sentences[0]
    assert honesty_meter.SPREAD in meter.sentences
    assert any("for 1 epoch." in sentence for sentence in meter.sentences)


def test_networks_that_came_to_no_end_are_left_out_and_that_is_said(search: Search, tmp_path: Path) -> None:
    meter_trainings.ask(search, networks=5, epochs=1)
    work_off(tmp_path / "work")
    Training.objects.filter(pk=started_for_it(search)[0].pk).update(state="failed", held_out_accuracy=None)
    for training, held_out in zip(started_for_it(search)[1:], (0.1, 0.2, 0.3, 0.4), strict=True):
        finish(training, held_out)
    meter = honesty_meter.meter_of(search)
    assert meter.found is not None and (meter.found.count, meter.found.value) == (4, pytest.approx(1.0))
    assert "Left out are those that were not trained to their end: 1." in meter.sentences[1]


def test_a_low_perplexity_is_good(search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meter_trainings.ask(search, networks=3, epochs=1)
    work_off(tmp_path / "work")
    points = honesty_meter.meter_of(search).points
    falling = [honesty_meter.Point(
        child=point.child, training=point.training, epoch=1, epochs=1, held_out=100.0 - place,
    ) for place, point in enumerate(points)]  # fmt: skip
    found = honesty_meter._correlation(falling, "perplexity")
    assert found.value == pytest.approx(1.0)


def test_it_says_how_far_it_is(search: Search, tmp_path: Path) -> None:
    meter = honesty_meter.meter_of(search)
    assert (meter.points, meter.found, meter.waiting, meter.epochs) == ((), None, "", 2)
    meter_trainings.ask(search, networks=4, epochs=2)
    assert honesty_meter.meter_of(search).waiting == (
        "0 of 4 networks are trained. The correlation is worked out from 3 on."
    )
    work_off(tmp_path / "work", jobs=3)
    meter = honesty_meter.meter_of(search)
    assert meter.is_open and meter.found is not None
    assert meter.waiting == "3 of 4 networks are trained. So far: it still moves."
    assert sorted(point.epoch for point in meter.points) == [0, 2, 2, 2]


def test_two_who_ask_at_the_same_moment_start_each_network_once(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def slow_figures(config: TrainingConfig) -> dict[str, Any]:
        if not asked:
            asked.append(True)
            meter_trainings.ask(search, networks=3, epochs=1)  # While the first one counts its networks.
        return training_figures(config)

    monkeypatch.setattr(meter_trainings, "training_figures", slow_figures)
    meter_trainings.ask(search, networks=4, epochs=1)
    trainings = started_for_it(search)
    assert len(trainings) == len({training.hash for training in trainings}) == 4


def test_the_first_page_tells_of_them_with_their_search_and_not_one_by_one(search: Search, tmp_path: Path) -> None:
    meter_trainings.ask(search, networks=4, epochs=1)
    (entry,) = entries_of(search.owner)
    assert (entry.id, entry.beside) == (str(search.pk), "4 of its honesty meter in training")
    work_off(tmp_path / "work")
    (entry,) = entries_of(search.owner)
    assert entry.beside == ""


def test_what_was_stopped_can_be_asked_for_again_and_what_failed_is_not(search: Search) -> None:
    meter_trainings.ask(search, networks=3, epochs=2)
    meter_trainings.stop(search)
    meter = honesty_meter.meter_of(search)
    assert not meter.is_open and [point.training.state for point in meter.points] == ["stopped"] * 3
    assert meter.waiting.startswith("Only 0 of 3 networks were trained to their end")
    failed = meter.points[0].training
    Training.objects.filter(pk=failed.pk).update(state="failed")
    meter_trainings.ask(search, networks=3, epochs=2)
    again = [training for training in started_for_it(search) if training.is_open]
    assert len(again) == 3 and failed.hash not in {training.hash for training in again}
    most = different(search) - 1
    with pytest.raises(UserError, match=f"there are {most} different candidates with a score, without 1 that failed"):
        meter_trainings.ask(search, networks=most + 1, epochs=2)


def test_another_number_of_epochs_is_another_meter_once_the_first_has_ended(search: Search, tmp_path: Path) -> None:
    meter_trainings.ask(search, networks=3, epochs=1)
    with pytest.raises(UserError, match="is 2; networks of 1 epoch are still in training") as refused:
        meter_trainings.ask(search, networks=3, epochs=2)
    assert refused.value.field == "epochs"
    work_off(tmp_path / "work")
    meter_trainings.ask(search, networks=4, epochs=2)
    assert len(started_for_it(search)) == 3 + 4
    meter = honesty_meter.meter_of(search)
    assert meter.epochs == 2 and len(meter.points) == 4
    work_off(tmp_path / "work")
    meter_trainings.ask(search, networks=4, epochs=1)  # Back to the first: three are there.
    assert len(started_for_it(search)) == 8 and honesty_meter.meter_of(search).epochs == 1


def test_before_the_candidates_and_with_too_few_it_says_why_it_cannot(owner: User, tmp_path: Path) -> None:
    config = fake_shared.small_config(candidates=2, train=0)
    search = lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)
    assert honesty_meter.meter_of(search).waiting == meter_trainings.NO_CANDIDATES
    with pytest.raises(UserError, match="no candidates yet"):
        meter_trainings.ask(search, networks=3, epochs=1)
    other = lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)
    lifecycle.stop(other.pk)
    other.refresh_from_db()
    assert honesty_meter.meter_of(other).waiting == meter_trainings.NEVER_ANY
    work_off(tmp_path / "work")
    assert "an order takes at least 3" in honesty_meter.meter_of(search).waiting
    with pytest.raises(UserError, match="different candidates have a score; an order takes at least 3"):
        meter_trainings.ask(search, networks=3, epochs=1)


def test_more_networks_than_candidates_are_refused_at_the_field(search: Search) -> None:
    with pytest.raises(UserError, match=f"is 20; there are {different(search)} different") as refused:
        meter_trainings.ask(search, networks=20, epochs=1)
    assert refused.value.field == "networks" and not started_for_it(search)


def test_the_api_starts_shows_and_stops_it(search: Search, client: Client) -> None:
    client.force_login(search.owner)
    address = f"/api/searches/{search.pk}/honesty-meter"
    shown = client.get(address).json()
    assert shown["candidates"] == different(search) == shown["most"] and shown["networks"] == []
    assert (shown["usual"], shown["fewest"], shown["epochs"], shown["correlation"]) == (6, 3, 2, None)
    started = client.post(address, {"networks": 4, "epochs": 2}, content_type="application/json")
    assert started.status_code == 201 and len(started.json()["networks"]) == 4
    network = started.json()["networks"][0]
    assert network["training_url"] == f"/trainings/{network['training']}" and network["held_out"] is None
    assert network["url"] == f"/searches/{search.pk}/children/{network['step']}/{network['slot']}"
    stopped = client.post(f"{address}/stop").json()
    assert {network["state"] for network in stopped["networks"]} == {"stopped"} and not stopped["is_open"]


def test_the_api_tells_what_it_would_cost(search: Search, client: Client) -> None:
    client.force_login(search.owner)
    address = f"/api/searches/{search.pk}/honesty-meter/cost"
    assert client.get(address, {"networks": 4, "epochs": 2}).json() == {"networks": 4, "seconds": None, "errors": []}
    a_worker(rate=1e9)
    one = client.get(address, {"networks": 4, "epochs": 2}).json()["seconds"]
    a_worker("core-1", rate=1e9)
    assert client.get(address, {"networks": 4, "epochs": 2}).json()["seconds"] == pytest.approx(one / 2)
    (error,) = client.get(address, {"networks": 20, "epochs": 2}).json()["errors"]
    assert error["field"] == "networks" and not started_for_it(search)
    meter_trainings.ask(search, networks=3, epochs=2)
    assert client.get(address, {"networks": 4, "epochs": 2}).json()["networks"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"networks": 2, "epochs": 1}, "networks"),
        ({"networks": 21, "epochs": 1}, "networks"),
        ({"networks": 3, "epochs": 0}, "epochs"),
        ({"networks": 3}, "epochs"),
        ({"networks": 3, "epochs": 10**6}, "epochs"),
        ({"networks": "many", "epochs": 1}, "networks"),
    ],
)
def test_the_api_names_the_field_that_is_wrong(search: Search, client: Client, body: Any, field: str) -> None:
    client.force_login(search.owner)
    answer = client.post(f"/api/searches/{search.pk}/honesty-meter", body, content_type="application/json")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_the_api_refuses_strangers_and_searches_without_shared_weights(search: Search, client: Client) -> None:
    client.force_login(User.objects.create(name="stranger"))
    assert client.get(f"/api/searches/{search.pk}/honesty-meter").status_code == 404
    client.force_login(search.owner)
    other = a_search(search.owner)
    answer = client.get(f"/api/searches/{other.pk}/honesty-meter")
    assert answer.status_code == 422 and "no shared scores" in answer.json()["errors"][0]["message"]
