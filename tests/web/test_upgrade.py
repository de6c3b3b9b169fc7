"""Old and new side by side: migrations only widen, and what an earlier version tells or does not know does no harm."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from django.apps.registry import Apps
from django.db import IntegrityError, connection, migrations, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from search_engine import events
from tests.faults import small_streams
from tests.faults.steady_worker import work_off
from tests.web.expand_only import narrowing
from webapp.accounts.models import User
from webapp.searches import checker, live_state, log_sentences, mending
from webapp.searches.models import Host, Search, Stream

# The last migrations of the release beside which today's program must be able to run. Moved with each release.
BASELINE = {"accounts": "0003_ways_in", "notices": "0001_first", "searches": "0023_snapshot_rules"}
# Migrations that narrow, by "app.name": the release since which nothing needs any more what they take away, so that
# they may run beside the one before; or why they do no harm all the same.
CONTRACTS: dict[str, str] = {}
STREAMS = Path(__file__).parents[1] / "golden/streams"


# --- The rule. --------------------------------------------------------------------------------------------------------


def newer_migrations() -> list[tuple[str, list[str]]]:
    """(name, what an earlier version could not live with) of each that came after the baseline."""
    loader = MigrationLoader(None)
    known = {node for baseline in BASELINE.items() for node in loader.graph.forwards_plan(baseline)}
    found = []
    for app in BASELINE:
        for node in loader.graph.forwards_plan(loader.graph.leaf_nodes(app)[0]):
            if node[0] == app and node not in known:
                before = loader.project_state(node, at_end=False)
                found.append((".".join(node), narrowing(loader.graph.nodes[node], before)))
    return found


def test_every_migration_since_the_last_release_only_widens() -> None:
    complaints = [f"{name}: {each}" for name, found in newer_migrations() for each in found if name not in CONTRACTS]
    assert complaints == []


def test_what_is_listed_as_narrowing_is_there_and_narrows() -> None:
    assert set(CONTRACTS) <= {name for name, found in newer_migrations() if found}


def planted(*operations: Any) -> list[str]:
    state = ProjectState()
    table = migrations.CreateModel("Thing", [("id", models.AutoField(primary_key=True)), ("text", TEXT)])
    table.state_forwards("planted", state)
    migration = migrations.Migration("0002", "planted")
    migration.operations = list(operations)
    return narrowing(migration, state)


TEXT = models.CharField(max_length=8, unique=True)
WIDER = {
    "a table": migrations.CreateModel("Other", [("id", models.AutoField(primary_key=True))]),
    "a column that may be empty": migrations.AddField("thing", "new", models.FloatField(null=True)),
    "a column that the database fills in": migrations.AddField("thing", "new", models.FloatField(db_default=0.0)),
    "an index": migrations.AddIndex("thing", models.Index(fields=["text"], name="by_text")),
    "a longer text": migrations.AlterField("thing", "text", models.CharField(max_length=9, unique=True)),
    "an empty value": migrations.AlterField("thing", "text", models.CharField(max_length=8, unique=True, null=True)),
    "other choices": migrations.AlterField(
        "thing", "text", models.CharField(max_length=8, unique=True, choices=[("a", "a")])
    ),
    "a column that the program alone forgets": migrations.SeparateDatabaseAndState(
        state_operations=[migrations.RemoveField("thing", "text")]
    ),
    "no longer unique": migrations.AlterField("thing", "text", models.CharField(max_length=8)),
}
NARROWER = {
    "a column that the program fills in": migrations.AddField("thing", "new", models.FloatField(default=0.0)),
    "a column less": migrations.RemoveField("thing", "text"),
    "another name": migrations.RenameField("thing", "text", "words"),
    "a table less": migrations.DeleteModel("Thing"),
    "another name of a table": migrations.RenameModel("Thing", "Stuff"),
    "a shorter text": migrations.AlterField("thing", "text", models.CharField(max_length=7, unique=True)),
    "another type": migrations.AlterField("thing", "text", models.TextField(unique=True)),
    "a rule": migrations.AddConstraint(
        "thing", models.CheckConstraint(condition=~models.Q(text=""), name="thing_is_called_something")
    ),
    "two columns unique": migrations.AlterUniqueTogether("thing", {("id", "text")}),
    "a column less, told apart": migrations.SeparateDatabaseAndState([migrations.RemoveField("thing", "text")]),
    "a program": migrations.RunPython(migrations.RunPython.noop),
    "a statement": migrations.RunSQL("DELETE FROM planted_thing"),
}


@pytest.mark.parametrize("what", WIDER)
def test_what_only_widens_is_allowed(what: str) -> None:
    assert planted(WIDER[what]) == []


@pytest.mark.parametrize("what", NARROWER)
def test_what_narrows_is_found(what: str) -> None:
    assert planted(NARROWER[what]) != []


def test_an_empty_value_less_is_found() -> None:
    made = migrations.AddField("thing", "new", models.FloatField(null=True))
    assert len(planted(made, migrations.AlterField("thing", "new", models.FloatField()))) == 1


# --- Today's tables, and a program that knows the baseline's alone. ---------------------------------------------------


def earlier_models() -> Apps:
    """The models as the migrations of the baseline describe them."""
    return MigrationLoader(connection).project_state(list(BASELINE.items())).apps


def written_again_by(earlier: Apps) -> int:
    """Every row is read, removed and inserted by models that know their own columns alone; how many rows."""
    tables = [model for app in BASELINE for model in earlier.get_app_config(app).get_models()]
    rows = [row for model in tables for row in model._base_manager.all()]
    with transaction.atomic(), connection.cursor() as cursor, connection.constraint_checks_disabled():
        for model in tables:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")
        for row in rows:
            row.save_base(raw=True, force_insert=True)  # Of its own table alone; the parent's row is one of the others.
    return len(rows)


@pytest.mark.django_db(transaction=True)
def test_what_an_earlier_version_writes_into_todays_tables_is_gone_on_from(store: Path, tmp_path: Path) -> None:
    for kind in ("search", "shared search", "training"):
        small_streams.start(kind)
    work_off(tmp_path / "work", jobs=6)
    assert written_again_by(earlier_models()) > 30
    connection.check_constraints()
    assert [checker.check(stream) for stream in Stream.objects.all()] == [[], [], []]
    work_off(tmp_path / "more")
    assert mending.findings() == []
    told = dict(Search.objects.values_list("owner__name", "fingerprint"))
    for kind in ("search", "shared search"):
        undisturbed = small_streams.start(kind, owner=User.objects.create(name=f"undisturbed {kind}"))
        work_off(tmp_path / kind)
        assert told[f"owner of a {kind}"] == Search.objects.get(pk=undisturbed.pk).fingerprint != ""


@pytest.fixture
def column(transactional_db: None) -> Iterator[Any]:
    """Adds a column to the table of hosts, for a test."""
    added: list[Any] = []

    def add(field: Any) -> None:
        field.set_attributes_from_name("planted")
        field.model = Host
        with connection.schema_editor() as editor:
            editor.add_field(Host, field)
        added.append(field)

    yield add
    for field in added:
        with connection.schema_editor() as editor:
            editor.remove_field(Host, field)


def test_a_column_that_the_database_fills_in_lets_an_earlier_version_insert(column: Any) -> None:
    column(models.IntegerField(db_default=3))
    Host.objects.create(name="here")
    assert written_again_by(earlier_models()) == 1


def test_a_column_that_only_the_program_fills_in_does_not(column: Any) -> None:
    column(models.IntegerField(default=3))
    with pytest.raises(IntegrityError):
        Host.objects.create(name="here")


# --- Events. ----------------------------------------------------------------------------------------------------------


def kinds() -> set[str]:
    """Of all events that there are."""
    return {get_args(event.model_fields["kind"].annotation)[0] for event in get_args(get_args(events.Event)[0])}


def test_every_event_that_there_is_has_a_rule_and_a_sentence_or_none() -> None:
    assert live_state._SEARCH.keys() | live_state._TRAINING.keys() == kinds()
    assert log_sentences._SENTENCES.keys() == kinds()


@pytest.mark.parametrize("name", ["finished-search", "finished-training"])
def test_an_event_that_only_a_later_version_knows_is_passed_over(name: str) -> None:
    golden = json.loads((STREAMS / f"{name}.json").read_text())
    strange = {"kind": "told_by_a_later_version", "at": 0.0, "what": [1, 2]}
    told = [*golden["events"][:-1], strange, golden["events"][-1]]
    state = live_state.initial(golden["kind"])
    for number, event in enumerate(told, start=1):
        state = live_state.apply(state, event | {"n": number})
    wanted = golden["state"] | {"n": len(told)}
    wanted["log"] = [line | {"n": state["log"][at]["n"]} for at, line in enumerate(wanted["log"])]
    assert state == wanted and state["log"][-1]["n"] == len(told)
