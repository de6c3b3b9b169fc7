"""Recurrent architectures trained from the web: form, cost, start, results, lists, live page. Texts that come along."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.catalogue.published import published_names, read_published
from search_engine.config.language import LanguageTrainingConfig
from search_engine.config.trainings import read_training_config
from search_engine.data.texts import COMPARABLE, TEXTS
from search_engine.events import EpochEnded, TrainingFinished
from search_engine.training_speed import TrainingSpeed
from search_engine.training_start import small_training
from webapp.searches import artifacts, checker, event_log, leases, live_state, results
from webapp.searches.costs.text_estimate import text_training_cost
from webapp.searches.many_compared import families_of
from webapp.searches.models import Stream, Training

pytestmark = pytest.mark.django_db
RECURRENT = [name for name in published_names() if read_published(name).architecture.kind == "recurrent"]
TINY = {"layout": {"hidden": 8}, "recipe": {"epochs": 2}}
FLAT = TrainingSpeed(0.0, 1e-9, 0.0)  # A worker of 10^9 mult-adds a second.


@pytest.fixture(autouse=True)
def _store(settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACTS_DIR = tmp_path / "store"


def send(client: Client, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    answer = client.post(path, json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


def started(client: Client, **changes: Any) -> Training:
    status, reply = send(client, "/api/trainings", {"name": "enas-recurrent-paper", "config": TINY | changes})
    assert status == 201, reply
    return Training.objects.get(pk=reply["id"])


def finish(training: Training, folder: Path) -> None:
    """What a worker hands in: two epochs and the look at the test part."""
    claim = leases.claim("worker", ("train",))
    assert claim is not None and claim.stream_id == training.pk
    for epoch in (1, 2):
        ended = EpochEnded(
            epoch=epoch, epochs=2, loss=6.0 / epoch, perplexity=200.0 / epoch, learning_rate=20.0, seconds=1.0
        )
        results.record_epoch(claim.job_id, claim.fence, ended, None)
    weights = folder / "weights"
    weights.write_text("weights")
    finished = TrainingFinished(
        test_perplexity=72.84, test_examples=69_398, held_out_perplexity=100.0, checkpoint=artifacts.put(weights),
        seconds=2.0,
    )  # fmt: skip
    results.record_training(claim.job_id, claim.fence, finished)
    training.refresh_from_db()


@pytest.mark.parametrize("name", RECURRENT)
def test_every_published_recurrent_cell_leads_to_a_form_that_can_be_started(signed_in: Client, name: str) -> None:
    text = signed_in.get(f"/trainings/new?architecture={name}").content.decode()
    assert 'data-path="layout.hidden"' in text and 'data-path="data.image_size"' not in text
    assert all(f'value="{known.name}"' in text for known in TEXTS)
    assert COMPARABLE.replace("'", "&#x27;") in text and "Mult-adds per token" in text
    _, cost = send(signed_in, "/api/trainings/estimate", {"name": name, "config": TINY})
    assert cost["errors"] == [] and cost["parameters"]["low"] > 0


def test_the_first_event_holds_what_the_engine_says_of_the_text(signed_in: Client) -> None:
    training = started(signed_in)
    (first,) = event_log.read(training.pk, 0, 10)
    nodes = len(read_published("enas-recurrent-paper").architecture.nodes)  # type: ignore[union-attr]
    assert first["kind"] == "training_started"
    # The embedding, node 0 with two H x 2H matrices, every other node with one.
    assert first["parameters"] == first["mult_adds"] == training.parameters == 2000 * 8 + (nodes + 1) * 8 * 16
    assert first["data"]["kind"] == "text" and first["data"]["vocabulary"] == 2000
    assert first["data"]["unigram_perplexity"] == pytest.approx({"valid": 229.0412, "test": 224.2303}, abs=1e-3)
    fewer = event_log.read(started(signed_in, data={"vocabulary": 50}).pk, 0, 1)[0]
    assert fewer["data"]["vocabulary"] == 50
    assert fewer["data"]["unigram_perplexity"]["test"] < 100


def test_a_finished_one_has_perplexities_in_rows_api_list_and_page(signed_in: Client, tmp_path: Path) -> None:
    training = started(signed_in, name="On text")
    finish(training, tmp_path)
    assert (training.state, training.test_accuracy, training.held_out_accuracy) == ("finished", None, None)
    assert (training.test_perplexity, training.held_out_perplexity, training.test_examples) == (72.84, 100.0, 69_398)
    assert checker.check(training) == []
    told = signed_in.get(f"/api/trainings/{training.pk}").json()
    assert (told["test_perplexity"], told["held_out_perplexity"], told["test_accuracy"]) == (72.84, 100.0, None)
    home = signed_in.get("/").content.decode()
    assert re.search(r"data-result>72\.8<", home) and "test perplexity, lower is better" in home
    shown = signed_in.get(f"/trainings/{training.pk}").content.decode()
    assert "Loss and perplexity" in shown and COMPARABLE.replace("'", "&#x27;") in shown
    assert "evaluate weights.safetensors --data state-of-the-union-2k" in shown
    assert "Hidden size" in shown and "State of the Union 1900-2021, 2,000 words" in shown


def test_two_of_them_are_compared_by_perplexity_where_less_is_better(signed_in: Client, tmp_path: Path) -> None:
    trainings = [started(signed_in), started(signed_in)]
    finish(trainings[0], tmp_path)
    (family,) = families_of([Stream.objects.get(pk=each.pk) for each in trainings], frozenset())
    assert (family.kind, family.is_share, len(family.lines)) == ("text", False, 2)
    assert family.lines[0].best is not None and family.lines[0].best.mean == 72.84
    assert family.lines[0].runs[0].curves.measured == ((1, 200.0), (2, 100.0))
    assert family.lines[1].best is None and family.sentences == ()
    finish(trainings[1], tmp_path)
    (family,) = families_of([Stream.objects.get(pk=each.pk) for each in trainings], frozenset())
    assert family.sentences[0].startswith("Test perplexity, lower is better: ")


def test_the_live_state_has_the_perplexity_of_each_epoch_and_what_guessing_gives(
    signed_in: Client, tmp_path: Path
) -> None:
    training = started(signed_in)
    finish(training, tmp_path)
    state = live_state.state_at(training)
    assert state["curve"] == [[1, 6.0, None, 20.0, 200.0], [2, 3.0, None, 20.0, 100.0]]
    assert state["text"]["test_perplexity"] == 72.84 and state["text"]["unigram_perplexity"]["test"] > 200
    assert [line["text"] for line in state["log"]][-2:] == ["Tested once, on 69398 tokens.", "Now finished."]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"layout": {"hidden": 1}}, "layout.hidden", "at least 2"),
        ({"data": {"name": "penn-treebank"}}, "data.name", "must be one of state-of-the-union-2k"),
        ({"data": {"level": "characters"}}, "data.level", "is a text of words"),
        ({"data": {"name": "own", "own": "a" * 64}}, "data.own", "is not there, or is not yours"),
        ({"data": {"name": "own"}}, "data.own", "names no text"),
        ({"layout": {"kind": "cells", "filters": 8}}, "layout.kind", "recurrent"),
    ],
)
def test_a_mistake_is_told_at_its_field_by_form_and_api(
    signed_in: Client, changes: dict[str, Any], field: str, words: str
) -> None:
    body = {"name": "darts-v1-rnn", "config": TINY | changes}
    _, cost = send(signed_in, "/api/trainings/estimate", body)
    status, reply = send(signed_in, "/api/trainings", body)
    assert status == 422 and not Training.objects.exists()
    for errors in (cost["errors"], reply["errors"]):
        assert any(each["field"] == field and words in each["message"] for each in errors), errors


def test_time_is_tokens_times_what_one_costs_at_the_measured_speed() -> None:
    architecture = read_published("darts-v1-rnn").architecture
    assert isinstance(architecture, RecurrentArchitecture) and len(architecture.nodes) == 9
    config = LanguageTrainingConfig.model_validate({
        "architecture": architecture.to_json(), "layout": {"hidden": 8},
        "recipe": {"epochs": 2, "batch_size": 32, "scoring_batch": 64, "test_batch": 1},
    })  # fmt: skip
    cost = text_training_cost(config, architecture, [FLAT])
    parameters = 2000 * 8 + 10 * 8 * 16
    token, step = (parameters + 70 * 2000) / 1e9, 9 * 15e-6
    epoch = 781_486 * (token + 3 * step / 32) + 85_011 * (token / 3 + step / 64)
    assert cost.parameters == cost.mult_adds == (parameters, parameters)
    assert cost.seconds == pytest.approx(3.0 + 2 * epoch + 69_399 * (token / 3 + step))
    assert text_training_cost(config, architecture, []).seconds is None
    slow = TrainingSpeed(0.0, 1e-8, 0.0)
    assert text_training_cost(config, architecture, [FLAT, slow]).seconds == pytest.approx(
        text_training_cost(config, architecture, [slow]).seconds
    )


@pytest.mark.parametrize("name", RECURRENT)
def test_the_form_begins_with_minutes_on_a_core_as_fast_as_measured(name: str) -> None:
    architecture = read_published(name).architecture
    config = small_training(architecture, name)
    assert isinstance(config, LanguageTrainingConfig) and read_training_config(config.model_dump(mode="json")) == config
    measured = TrainingSpeed(layer=1.6e-4, mult_add=5e-11, byte=7e-10)
    seconds = text_training_cost(config, architecture, [measured]).seconds
    assert seconds is not None and 120 < seconds < 300
