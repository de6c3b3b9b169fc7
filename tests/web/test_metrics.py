"""/metrics tells figures worked out by hand, in a fixed number of queries, to whoever has the token and nobody else."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from tests.web.example_search import a_search, a_worker
from webapp import metrics
from webapp.accounts.models import User
from webapp.searches import deletion, leases, lifecycle
from webapp.searches.models import Host, Job, Stream

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "metrics-" + "x" * 32
QUERIES = 11


@pytest.fixture
def bearer(settings: Any) -> dict[str, str]:
    settings.METRICS_TOKEN = TOKEN
    return {"Authorization": f"Bearer {TOKEN}"}


def figures(client: Client, bearer: dict[str, str]) -> dict[str, float]:
    """By name, without "cellwright_", and the values of labels, which are in the order of their names."""
    answer = client.get("/metrics", headers=bearer)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain; version=")
    return {
        " ".join(
            [sample.name.removeprefix("cellwright_"), *(value for _, value in sorted(sample.labels.items()))]
        ): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


@pytest.mark.parametrize("given", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}])
def test_without_the_token_there_is_no_such_address(client: Client, bearer: dict[str, str], given: Any) -> None:
    strange, nowhere = client.get("/metrics", headers=given), client.get("/nowhere")
    assert strange.status_code == nowhere.status_code == 404
    assert b"cellwright_" not in strange.content


@pytest.mark.parametrize("given", ["Bearer ", "Bearer", f"Bearer {TOKEN}"])
def test_where_no_token_is_set_no_token_is_right(client: Client, given: str) -> None:
    assert client.get("/metrics", headers={"Authorization": given}).status_code == 404


def test_an_empty_database_has_no_work(client: Client, bearer: dict[str, str]) -> None:
    seen = figures(client, bearer)
    assert set(seen.values()) == {0.0}
    assert {"jobs_due", "workers_wanted", "lease_age_seconds", "longest_wait_seconds", "events_total"} <= set(seen)


def test_every_figure_is_what_the_rows_say(
    client: Client, bearer: dict[str, str], owner: User, time: list[float]
) -> None:
    search, other = a_search(owner, children=3), a_search(owner, name="other")
    a_worker("here:1")
    a_worker("here:2", seconds_ago=20.0)  # It is no more.
    Host.objects.create(name="bad", set_aside=time[0])
    time[0] += 3.0
    claim = leases.claim("here:1", [Job.Kind.LEARN])
    assert claim is not None
    time[0] += 4.0
    seen = figures(client, bearer)
    held = Stream.objects.get(pk=claim.stream_id)
    assert {search.pk, other.pk} >= {held.pk}
    assert (seen["jobs learn due"], seen["jobs learn leased"]) == (1, 1)
    assert (seen["jobs_due"], seen["workers_wanted"], seen["jobs_lost_waiting"]) == (1, 2, 0)
    assert (seen["lease_age_seconds"], seen["claim_age_seconds"]) == (4.0, 4.0)
    assert seen["longest_wait_seconds"] == 7.0  # Since the other one's log began.
    assert seen["streams search running"] == 2
    assert seen["children_total"] == 3
    assert seen["events_total"] == sum(Stream.objects.values_list("last_event", flat=True)) >= 5
    assert seen["workers cpu no"] == 1
    assert seen["hosts_set_aside"] == 1

    leases.renew(claim.job_id, claim.fence, 1)
    time[0] += 1.0
    seen = figures(client, bearer)
    assert (seen["lease_age_seconds"], seen["claim_age_seconds"]) == (1.0, 5.0)

    leases.lose(claim.job_id, claim.fence, "its process ended")
    lifecycle.pause(other.pk if held.pk == search.pk else search.pk)
    seen = figures(client, bearer)
    assert (seen["jobs_lost_waiting"], seen["jobs_due"], seen["lease_age_seconds"]) == (1, 1, 0)
    assert (seen["streams search running"], seen["streams search paused"]) == (1, 1)


def test_recovery_is_from_a_loss_until_somebody_has_the_job_again(
    client: Client, bearer: dict[str, str], owner: User, time: list[float]
) -> None:
    for name in ("first", "second", "third"):
        a_search(owner, name=name)
    claims = [leases.claim("here:1", [Job.Kind.LEARN]) for _ in range(3)]
    for claim in claims:
        assert claim is not None
        leases.lose(claim.job_id, claim.fence, "its process ended")
    time[0] += 2.0
    again = leases.claim("here:2", [Job.Kind.LEARN])
    time[0] += 4.0
    assert leases.claim("here:2", [Job.Kind.LEARN]) is not None
    time[0] += 1.0  # Two, six, and seven seconds so far.
    seen = figures(client, bearer)
    assert (seen["recovery_seconds median"], seen["recovery_seconds longest"]) == (6.0, 7.0)

    assert again is not None
    leases.lose(
        again.job_id, again.fence, "its process ended"
    )  # It was held again after two seconds, and is lost anew.
    seen = figures(client, bearer)
    assert (seen["recovery_seconds median"], seen["recovery_seconds longest"]) == (6.0, 7.0)
    for stream in Stream.objects.all():
        lifecycle.stop(stream.pk)
    seen = figures(client, bearer)  # What nobody shall do again waits for nobody.
    assert (seen["recovery_seconds median"], seen["recovery_seconds longest"]) == (6.0, 6.0)
    time[0] += metrics.RECENT_SECONDS
    seen = figures(client, bearer)
    assert (seen["recovery_seconds median"], seen["recovery_seconds longest"]) == (0.0, 0.0)


def test_what_is_counted_never_falls_when_something_is_deleted(
    client: Client, bearer: dict[str, str], owner: User, time: list[float]
) -> None:
    for name, children in (("goes", 3), ("stays", 2), ("goes too", 1)):
        a_search(owner, children=children, name=name)
    before = figures(client, bearer)
    assert before["children_total"] == 6
    for name in ("goes", "goes too"):
        deletion.delete(Stream.objects.get(name=name).pk)  # Which is an event as well.
    time[0] += 2 * leases.LEASE_SECONDS
    assert deletion.remove_deleted() == 2
    after = figures(client, bearer)
    assert Stream.objects.count() == 1
    assert after["children_total"] == 6
    assert after["events_total"] == before["events_total"] + 2


def test_memory_is_told_once_for_each_host(client: Client, bearer: dict[str, str], time: list[float]) -> None:
    for number, own in ((1, 100), (2, 50)):
        worker = a_worker(f"here:{number}")
        worker.memory, worker.memory_used, worker.own_memory = 1000, 400, own
        worker.save()
    seen = figures(client, bearer)
    assert seen["workers cpu no"] == 2
    assert (seen["memory_bytes cpu here"], seen["memory_used_bytes cpu here"]) == (1000, 400)
    assert seen["worker_memory_bytes cpu here"] == 150


def test_the_number_of_queries_does_not_grow_with_what_there_is(
    client: Client, bearer: dict[str, str], owner: User, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(QUERIES):
        figures(client, bearer)
    for number in range(3):
        a_search(owner, children=2, name=f"{number}")
        a_worker(f"here:{number}")
    with django_assert_num_queries(QUERIES):
        figures(client, bearer)


def test_the_boards_and_the_autoscaler_ask_for_figures_that_exist() -> None:
    there = {family.name + "_total" * (family.type == "counter") for family in metrics.Seen().collect()}
    board = json.loads((ROOT / "deploy/grafana/cellwright.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    rules = yaml.safe_load((ROOT / "deploy/grafana/alerts.yaml").read_text())
    asked += [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    scaler = yaml.safe_load((ROOT / "deploy/kubernetes/autoscaling.yaml").read_text())
    asked.append(scaler["spec"]["metrics"][0]["external"]["metric"]["name"])
    used = {name for each in asked for name in re.findall(r"cellwright_\w+", each)}
    assert used <= there, used - there
    assert there - used == set(), "A figure that nobody looks at."
    assert all(re.search(r"cellwright_|up\{", each) for each in asked)


def test_the_panels_of_the_board_lie_side_by_side_and_have_numbers_of_their_own() -> None:
    board = json.loads((ROOT / "deploy/grafana/cellwright.json").read_text())
    places = [panel["gridPos"] for panel in board["panels"]]
    taken = [
        (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(taken) == len(set(taken)) and max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert all(panel["title"] and panel["description"] for panel in board["panels"])
