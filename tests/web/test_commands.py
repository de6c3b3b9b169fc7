"""`manage.py search` and `manage.py training`: the API from a shell, with its sentences, and JSON for programs."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError
from django.test import Client
from django.urls import ResolverMatch, resolve

from tests.web.example_search import a_search, demo_json
from tests.web.test_bundles import finished_training
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import lifecycle
from webapp.searches.management import in_process
from webapp.searches.models import Child, Search, Training

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store", "owner")]


def told(*words: object) -> str:
    """What a command writes."""
    output = io.StringIO()
    call_command(*map(str, words), stdout=output)
    return output.getvalue().rstrip("\n")


def refused(*words: object) -> str:
    with pytest.raises(CommandError) as raised:
        told(*words)
    return str(raised.value)


def test_a_search_is_started_from_a_preset_and_listed(owner: User) -> None:
    line = told("search", "start", "demo", "--name", "Tonight", "--workers", 1, "--hours", 2)
    search = Search.objects.get()
    assert line == f"{search.pk}  Tonight: running, 0 of 140 children" and search.owner == owner
    assert (search.max_workers, search.max_hours) == (1, 2.0)
    assert told("search", "list") == line and told("search", "show", str(search.pk)[:8]) == line
    assert "Two-minute demo" in told("search", "presets")


def test_a_search_is_started_once_with_a_key_from_a_file_or_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(demo_json()))
    for _ in range(2):
        told("search", "start", file, "--key", "tonight", "--companion")
    assert Search.objects.count() == 2  # The search and its companion.
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(demo_json(name="Piped"))))
    assert "Piped" in told("search", "start", "-")


def test_json_is_what_the_api_answers(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=2)
    shown = json.loads(told("search", "show", search.pk, "--json"))
    answer = signed_in.get(f"/api/searches/{search.pk}").json()
    assert shown == {name: answer[name] for name in shown} and shown["config"] == demo_json()
    assert [each["id"] for each in json.loads(told("search", "list", "--json"))] == [str(search.pk)]
    assert {each["name"] for each in json.loads(told("search", "presets", "--json"))} >= {"demo"}
    events = [json.loads(line) for line in told("search", "events", search.pk, "--after", 1).splitlines()]
    assert [event["n"] for event in events] == [2, 3]


def test_a_search_is_paused_resumed_stopped_and_deleted_when_that_is_meant() -> None:
    told("search", "start", "demo")
    search = Search.objects.get()
    assert "paused" in told("search", "pause", search.pk) and "running" in told("search", "resume", search.pk)
    assert "stopped" in told("search", "stop", search.pk)
    assert refused("search", "pause", search.pk) == "This search is stopped; only a running one can be paused."
    assert refused("search", "delete", search.pk) == "Nothing was deleted; say so with --yes."
    assert Search.objects.get().state == "stopped"
    told("search", "delete", search.pk, "--yes")
    assert Search.objects.get().state == "deleting"


def test_limits_are_told_changed_and_taken_back() -> None:
    told("search", "start", "demo", "--hours", 2)
    search = Search.objects.get()
    assert told("search", "limits", search.pk) == "children: 140, workers: no limit, hours: 2.0"
    assert told("search", "limits", search.pk, "--children", 60, "--workers", 1, "--hours", "none") == (
        "children: 60, workers: 1, hours: no limit"
    )
    assert json.loads(told("search", "limits", search.pk, "--json"))["children"] == 60
    assert "children" in refused("search", "limits", search.pk, "--children", 0)
    assert "invalid int value: 'some'" in refused("search", "limits", search.pk, "--workers", "some")


def test_what_is_wrong_is_told_at_its_field_and_nothing_starts(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(demo_json(space={"blocks": 9})))
    assert refused("search", "start", file) == "space.blocks is 9; must be at most 7."
    file.write_text("[]")
    assert refused("search", "start", file) == f"{file} holds no JSON object."
    file.write_text("{")
    assert refused("search", "start", file).startswith(f"{file} is not JSON: ")
    assert refused("search", "start", "nowhere").startswith("config is 'nowhere'; presets are demo, ")
    assert not Search.objects.exists()


def test_an_id_may_be_begun_where_it_is_the_only_one(owner: User) -> None:
    search = a_search(owner)
    assert refused("search", "show", "abc") == "Give at least 4 characters of the id."
    assert refused("search", "show", "x" * 40) == f"There is nothing at /api/searches/{'x' * 40}."
    other = "0000" if not str(search.pk).startswith("0000") else "1111"
    assert refused("search", "show", other) == f"No search has an id that begins with '{other}'."


def test_nobody_reaches_what_is_not_theirs(owner: User) -> None:
    search = a_search(get_or_create_user("somebody else"))
    assert refused("search", "show", search.pk) == "There is no such search, or it is not yours."
    assert told("search", "list") == "" and str(search.pk) in told("search", "list", "--user", "somebody else")
    assert refused("search", "list", "--user", "nobody") == "There is nobody called 'nobody'."
    assert not User.objects.filter(name="nobody").exists()


def test_without_a_name_a_command_acts_as_the_first_administrator_whatever_they_are_called(owner: User) -> None:
    search = a_search(owner)
    get_or_create_user("another")
    User.objects.filter(pk=owner.pk).update(name="Ada")
    assert str(search.pk) in told("search", "list")
    User.objects.filter(name="another").update(is_active=False)
    assert refused("search", "list", "--user", "another") == (
        "another is deactivated; an administrator can let them in again on the page People."
    )


def test_waiting_tells_every_change_and_ends_badly_unless_it_finished(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = a_search(owner)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("webapp.client.streams.SHORTEST_LOOK", 0.0)
    assert "After 0 seconds it is not over" in refused("search", "wait", search.pk, "--timeout", 0)
    lifecycle.stop(search.pk)
    assert refused("search", "wait", search.pk) == "This search is stopped."
    Search.objects.update(state="finished")
    assert told("search", "wait", search.pk).endswith("finished, 0 of 120 children")
    assert json.loads(told("search", "wait", search.pk, "--json"))["state"] == "finished"


def test_the_children_and_the_best_of_a_search_are_downloaded(owner: User, tmp_path: Path) -> None:
    search = a_search(owner, children=3)
    lines = told("search", "download", search.pk, "--to", tmp_path / "new" / "folder").splitlines()
    assert [line.rpartition("/")[2] for line in lines] == ["children.csv", "best.json"]
    best = json.loads((tmp_path / "new" / "folder" / "best.json").read_text())
    assert best == Child.objects.get(search=search, reward=0.52).architecture


def test_a_training_is_started_of_the_best_child_of_any_child_and_of_the_gallery(owner: User, tmp_path: Path) -> None:
    search = a_search(owner, children=2)
    best = Child.objects.get(search=search, reward=0.51)
    line = told("training", "start", "--best-of", str(search.pk)[:8], "--epochs", 2)
    training = Training.objects.get()
    assert line.endswith(f"Child 0.{best.slot} of Two-minute demo: running, 0 of 2 epochs") and training.child == best
    told("training", "start", "--child", search.pk, 0, 1)
    file = tmp_path / "cell.json"
    file.write_text(json.dumps(best.architecture))
    told("training", "start", "--architecture", file)
    told("training", "start", "--architecture", "darts-v2", "--key", "x")
    assert Training.objects.count() == 4 and "DARTS" in told("training", "list")
    assert refused("training", "start", "--child", search.pk, 9, 9) == "There is no such child, or it is not yours."


def test_the_bundle_of_a_training_is_downloaded_as_it_is(tmp_path: Path) -> None:
    content = b"PK bundle" * 100_000  # More than one piece.
    training = finished_training(tmp_path / "spool", content)
    saved = told("training", "download", training.pk, "--to", tmp_path)
    assert (tmp_path / "bundle.zip").read_bytes() == content and "bundle.zip" in saved


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    missing: Any = tmp_path / "none.json"
    assert refused("training", "start", "--architecture", "nasnet-a", "--config", missing) == (
        f"{missing}: No such file or directory."
    )


def test_a_database_that_is_away_for_a_moment_is_asked_again(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    search, slept = a_search(owner), []  # type: ignore[var-annotated]
    answers = [OperationalError("away"), None]

    def away_once(address: str) -> Any:
        error = answers.pop(0)
        if error is not None:
            return ResolverMatch(_raise(error), (), {})
        return resolve(address)

    monkeypatch.setattr(in_process, "resolve", away_once)
    monkeypatch.setattr(in_process.connection, "close", lambda: slept.append("closed"))
    monkeypatch.setattr("webapp.client.connection.FIRST_PAUSE", 0.0)
    assert str(search.pk) in told("search", "show", search.pk) and slept == ["closed"] and answers == []


def _raise(error: Exception) -> Any:
    def view(*arguments: Any) -> None:
        raise error

    return view
