"""The list of searches and trainings: what it holds, in which order, for whom, and how many questions that takes."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from search_engine.events import EpochEnded, StateChanged
from tests.web.example_search import CONFIG, a_search, a_training
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import clock, event_log, lifecycle, sparklines
from webapp.searches.models import Child, Search, Share, Stream
from webapp.searches.pages import listing
from webapp.searches.stream_list import Wanted, listed
from webapp.searches.time_left import now as time_left

pytestmark = pytest.mark.django_db

CONFIG_JSON = CONFIG.model_dump(mode="json")


@pytest.fixture(autouse=True)
def nothing_is_kept() -> None:
    sparklines._kept.clear()


def names(user: User, **wanted: Any) -> list[str]:
    return [stream.name for stream in listed(user, Wanted(**wanted))]


def named(owner: User, name: str, **values: Any) -> Search:
    """A running search without any job, which takes no time to start."""
    fields: dict[str, Any] = {"kind": "search", "name": name, "created": clock.now(), "code_version": "1", "total": 120}
    return Search.objects.create(owner=owner, config=CONFIG_JSON, **fields | values)


def patch(client: Client, search: Stream, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    kind = "searches" if search.kind == "search" else "trainings"
    answer = client.patch(f"/api/{kind}/{search.pk}", json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


def with_rewards(search: Search, rewards: list[float | None]) -> None:
    """Children of these rewards behind those that are there, and the events that tell of them."""
    size = CONFIG.strategy.step_size
    first = search.children.count()
    for index, reward in enumerate(rewards, first):
        Child.objects.create(
            search=search, step=index // size, slot=index % size, decisions=[], architecture={}, hash="0" * 64,
            log_probability=-1.0, is_final=True, reward=reward, reason="" if reward is not None else "diverged",
        )  # fmt: skip
        event_log.append(search.pk, [StateChanged(state="running")])


# --- Which, and in which order ------------------------------------------------------------------------------------


def test_filters_narrow_by_state_kind_method_tag_owner_and_archive(owner: User) -> None:
    search = named(owner, "Plain", tags=["cifar", "night"])
    a_training(owner, a_search(owner, children=1, name="Origin"))
    Stream.objects.filter(kind="training").update(name="Best of Origin")
    named(owner, "Old", archived=5.0)
    shared = named(get_or_create_user("grace"), "Hers", tags=["nightly"])
    named(get_or_create_user("grace"), "Secret", tags=["night"])
    Share.objects.create(stream=shared, user=owner, role=Share.Role.READER, created=1.0)
    lifecycle.stop(search.pk)
    assert set(names(owner)) == {"Plain", "Origin", "Best of Origin", "Hers"}
    assert names(owner, state="stopped") == names(owner, tag="night") == names(owner, tag="Night") == ["Plain"]
    assert names(owner, kind="training") == ["Best of Origin"]
    assert names(owner, whose="shared") == names(owner, tag="nightly") == ["Hers"]
    assert "Hers" not in names(owner, whose="mine")
    assert names(owner, archived="yes") == ["Old"] and "Old" in names(owner, archived="all")
    assert set(names(owner, method="nasnet")) == {"Plain", "Origin", "Hers"} and names(owner, method="enas-micro") == []
    assert names(owner, ids=(search.pk,)) == ["Plain"]


def test_every_word_must_stand_in_name_tags_or_notes(owner: User) -> None:
    named(owner, "Wide cells", tags=["über"], notes="A smaller rate, 50% of it.")
    named(owner, "Narrow cells")
    assert (
        names(owner, text="CELLS wide") == names(owner, text="Über rate") == names(owner, text="50%") == ["Wide cells"]
    )
    assert len(names(owner, text=" cells ")) == 2 and names(owner, text="cells tall") == []
    assert names(owner, tag="über") == ["Wide cells"] and names(owner, tag="ber") == names(owner, tag="%") == []


def test_orders_are_stable_and_put_what_has_no_result_or_name_last(owner: User) -> None:
    made = [named(owner, name, created=5.0) for name in ("b", "A", "", "c")]
    with_rewards(made[0], [0.4])
    with_rewards(made[3], [0.6, 0.2])
    Child.objects.filter(search=made[3], reward=0.6).update(perplexity=80.0)
    assert names(owner, order="best")[:2] == ["b", "c"]  # A perplexity is another figure: behind all others.
    assert names(owner, order="name") == ["A", "b", "c", ""]
    keys = [str(each.pk) for each in listed(owner, Wanted())]
    assert keys == sorted(keys) == [str(each.pk) for each in listed(owner, Wanted(order="oldest"))]


def test_what_an_honesty_meter_trains_is_not_in_the_list(owner: User) -> None:
    training = a_training(owner, a_search(owner, children=1))
    training.for_meter = True
    training.save()
    assert names(owner, kind="training") == []


# --- The best so far ----------------------------------------------------------------------------------------------


def points(search: Search) -> list[tuple[float, float]]:
    fresh = Search.objects.get(pk=search.pk)
    return list(sparklines.best_so_far([fresh])[search.pk])


def test_the_best_so_far_rises_with_measured_children_alone(owner: User) -> None:
    search = a_search(owner)
    with_rewards(search, [None, 0.3, 0.2, 0.5, 0.5, 0.4])
    Child.objects.filter(search=search, step=0, slot=2).update(reward=0.9, twin_step=0, twin_slot=1)
    assert points(search) == [(1, 0.3), (3, 0.5)]
    assert sparklines.sparkline(((1, 0.3), (3, 0.5)), 5) == "M0 22H50V2H100"
    assert sparklines.sparkline(((1, 0.3),), 1) == "M0 12H100" and sparklines.sparkline((), 5) == ""


def test_told_steps_are_read_once_and_later_ones_in_whatever_order_they_end(owner: User) -> None:
    search, size = a_search(owner), CONFIG.strategy.step_size
    Search.objects.filter(pk=search.pk).update(steps_told=1)
    with_rewards(search, [0.1] * size + [0.2])
    assert points(search) == [(0, 0.1), (size, 0.2)]
    Child.objects.filter(search=search, step=0).update(reward=0.9)  # Which never happens: told steps stay as they are.
    with_rewards(search, [0.4, 0.3])
    Child.objects.filter(search=search, step=1, slot=0).update(reward=0.3)  # As if it had come last.
    assert points(search) == [(0, 0.1), (size, 0.3), (size + 1, 0.4)]
    with CaptureQueriesContext(connection) as asked:
        points(search)
    assert len(asked) == 1  # The search itself: nothing has happened since.


def test_a_training_shows_its_held_out_figure_and_a_perplexity_with_a_minus(owner: User) -> None:
    training = a_training(owner, a_search(owner, children=1))
    told = [(None, None), (0.5, None), (0.4, None), (0.7, None), (None, 90.0)]
    event_log.append(training.pk, [
        EpochEnded(epoch=epoch, epochs=9, loss=1.0, learning_rate=0.1, seconds=1.0, accuracy=accuracy,
                   perplexity=perplexity)
        for epoch, (accuracy, perplexity) in enumerate(told, 1)
    ])  # fmt: skip
    training.refresh_from_db()
    assert sparklines.best_so_far([training])[training.pk] == ((2, 0.5), (4, 0.7))


def test_a_long_curve_is_thinned_and_keeps_its_first_and_its_best() -> None:
    thinned = sparklines._risen((), [(x, x / 1000) for x in range(1000)])
    assert len(thinned) <= sparklines.MOST_POINTS and thinned[0] == (0, 0) and thinned[-1] == (999, 0.999)
    assert list(thinned) == sorted(thinned)


# --- The page and the API -----------------------------------------------------------------------------------------


def questions(client: Client, address: str) -> int:
    sparklines._kept.clear()
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def test_fifty_rows_take_as_many_questions_as_five(signed_in: Client, owner: User) -> None:
    grace = get_or_create_user("grace")

    def more(count: int) -> None:
        for index in range(count):
            whose = grace if index % 5 == 0 else owner
            search = named(whose, f"Number {index}", tags=[f"t{index}"], state="finished", ended=9.0)
            with_rewards(search, [0.1, 0.2])
            if search.owner == grace:
                Share.objects.create(stream=search, user=owner, role=Share.Role.READER, created=1.0)

    training = a_training(owner, a_search(owner, children=1))
    lifecycle.stop(training.pk)  # What runs asks how long it still takes, once in a while.
    Stream.objects.filter(pk=training.pk).update(created=training.created + 1e6)  # On the first page.
    lifecycle.stop(training.child.search_id)
    more(5)
    signed_in.get("/")  # What is asked for once by a process.
    few = [questions(signed_in, address) for address in ("/", "/api/streams?limit=200")]
    more(45)
    assert [questions(signed_in, address) for address in ("/", "/api/streams?limit=200")] == few
    assert signed_in.get("/").content.count(b'class="entry"') == 50 and b'rel="next"' in signed_in.get("/").content


def test_the_address_says_what_the_page_shows_and_pages_keep_it(
    signed_in: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "SIZE", 2)
    for index in range(3):
        named(owner, f"Number {index}", tags=["many"])
    named(owner, "Other")
    first = signed_in.get("/?tag=many&order=name").content.decode()
    assert "3 found" in first and 'href="/?tag=many&amp;order=name&amp;page=2"' in first and "Other" not in first
    assert 'href="/?order=name"' in first  # Without the tag.
    second = signed_in.get("/?tag=many&order=name&page=2").content.decode()
    assert second.count('class="entry"') == 1 and 'rel="prev" href="/?tag=many&amp;order=name"' in second


def test_what_an_address_cannot_mean_is_said_and_left_out(signed_in: Client, owner: User) -> None:
    named(owner, "Mine")
    html = signed_in.get("/?state=asleep&kind=search&page=x").content.decode()
    assert "In the address, state" in html and "Mine" in html and 'value="search" selected' in html
    for wrong in ("state=asleep", "text=%00", "tag=x%00", "limit=201", "offset=-1", "ids=x"):
        assert signed_in.get(f"/api/streams?{wrong}").status_code == 422, wrong
    assert "In the address, text" in signed_in.get("/?text=%00").content.decode()


def test_nothing_that_matches_is_told_from_nothing_yet_and_from_an_archive(signed_in: Client, owner: User) -> None:
    assert "Set up the two-minute demo" in signed_in.get("/").content.decode()
    search = named(owner, "Mine")
    assert "Nothing matches all of this." in signed_in.get("/?text=else").content.decode()
    Stream.objects.filter(pk=search.pk).update(archived=5.0)
    assert "Everything is in the archive." in signed_in.get("/").content.decode()
    assert "Mine" in signed_in.get("/?archived=yes").content.decode()


def test_a_row_says_whose_it_is_and_offers_only_what_may_be_done(signed_in: Client, owner: User) -> None:
    for role in Share.Role.values:
        search = named(get_or_create_user("grace"), f"As {role}")
        Share.objects.create(stream=search, user=owner, role=role, created=1.0)
    named(owner, "Mine", state="failed", reason="It broke.", ended=9.0)
    told = {row["name"]: row for row in signed_in.get("/api/streams").json()["streams"]}
    assert {name: (row["owner"], row["role"]) for name, row in told.items()} == {
        "As reader": ("grace", "reader"), "As co-owner": ("grace", "co-owner"), "Mine": ("owner", "owner"),
    }  # fmt: skip
    html = signed_in.get("/").content.decode()
    assert "of grace, you may look" in html and "of grace, you are a co-owner" in html and "It broke." in html
    assert html.count('data-act="rename"') == 2 and html.count('data-act="delete"') == 2  # One is the dialog's.


def test_time_left_is_told_of_what_runs_and_asked_for_nothing_else(
    signed_in: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = a_search(owner, children=30)
    asked = []
    monkeypatch.setattr(
        time_left, "recent", lambda: asked.append(1) or time_left.Look(at=1.0, workers=1, left={search.pk: 630.0})
    )
    (row,) = signed_in.get("/api/streams").json()["streams"]
    assert (row["done"], row["total"], row["seconds_left"]) == (30, 120, 630.0)
    assert "30 of 120 children, 10 min left" in signed_in.get("/").content.decode()
    lifecycle.pause(search.pk)
    assert signed_in.get("/api/streams").json()["streams"][0]["seconds_left"] is None and len(asked) == 2


# --- What a person writes on them ---------------------------------------------------------------------------------


def test_name_tags_and_notes_are_changed_together_or_not_at_all(signed_in: Client, owner: User) -> None:
    search = named(owner, "Before")
    status, told = patch(
        signed_in, search, {"name": "After", "tags": ["Night", "cifar", "night"], "notes": "Two\nlines"}
    )
    assert status == 200 and (told["name"], told["tags"], told["notes"]) == ("After", ["cifar", "night"], "Two\nlines")
    status, told = patch(signed_in, search, {"name": "Never", "tags": ["two words"]})
    assert status == 422 and told["errors"][0]["field"] == "tags" and '"two words"' in told["errors"][0]["message"]
    for wrong in ({"tags": ["x" * 31]}, {"tags": [f"t{number}" for number in range(21)]}, {"tags": [""]},
                  {"name": "x" * 81}, {"notes": "x\x00"}, {"colour": "red"}, {"archived": "yes"}):  # fmt: skip
        assert patch(signed_in, search, wrong)[0] == 422, wrong
    assert Stream.objects.get(pk=search.pk).name == "After"
    assert signed_in.get("/api/streams/tags").json()["tags"] == [
        {"tag": "cifar", "count": 1}, {"tag": "night", "count": 1},
    ]  # fmt: skip


def test_what_has_ended_is_archived_and_taken_out_again_and_what_runs_is_not(signed_in: Client, owner: User) -> None:
    search = named(owner, "Mine")
    status, told = patch(signed_in, search, {"archived": True})
    assert status == 409
    assert told["errors"][0]["message"] == (
        "This search is running; only a stopped or finished or failed one can be archived."
    )
    lifecycle.stop(search.pk)
    since = patch(signed_in, search, {"archived": True})[1]["archived"]
    assert since is not None and patch(signed_in, search, {"archived": True})[1]["archived"] == since
    assert names(owner) == []
    assert patch(signed_in, search, {"archived": False})[1]["archived"] is None and names(owner) == ["Mine"]


def test_a_co_owner_may_write_on_it_and_a_reader_may_not(signed_in: Client, owner: User) -> None:
    search = a_search(get_or_create_user("grace"))
    assert patch(signed_in, search, {"name": "Mine"})[0] == 404
    share = Share.objects.create(stream=search, user=owner, role=Share.Role.READER, created=1.0)
    assert patch(signed_in, search, {"name": "Mine"})[0] == 403
    share.role = Share.Role.CO_OWNER
    share.save()
    assert patch(signed_in, search, {"name": "Ours"})[0] == 200
    html = signed_in.get(f"/searches/{search.pk}").content.decode()
    assert "<stream-labels" in html and 'data-act="notes"' in html


def test_names_and_notes_are_text_wherever_they_are_shown(signed_in: Client, owner: User) -> None:
    search = a_search(owner, name="<b>bold</b>")
    patch(signed_in, search, {"notes": '"><script>x</script>'})
    for address in ("/", f"/searches/{search.pk}"):
        html = signed_in.get(address).content.decode()
        assert "<b>bold" not in html and "<script>x" not in html and "&lt;script&gt;x" in html
