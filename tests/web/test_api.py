"""The HTTP API: who may, what is answered, what is refused and in which words."""

import json
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.web.example_search import a_search, a_training, a_worker, demo_json
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.accounts.tokens import make_token
from webapp.searches.api.routes import api
from webapp.searches.models import Search, Training

pytestmark = pytest.mark.django_db


def send(client: Client, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    answer = client.post(path, json.dumps(body or {}), content_type="application/json", headers=headers)
    return answer.status_code, answer.json()


def errors(reply: Any) -> dict[str, str]:
    return {error["field"]: error["message"] for error in reply["errors"]}


def test_a_search_starts_with_the_settings_that_were_sent(signed_in: Client, owner: User) -> None:
    status, reply = send(signed_in, "/api/searches", {"config": demo_json()})
    assert status == 201
    search = Search.objects.get(pk=reply["id"])
    assert (search.owner, search.config, search.total) == (owner, demo_json(), 120)
    assert reply["url"] == f"/searches/{search.pk}"


def test_a_program_starts_a_search_with_its_token_and_no_cookie(owner: User) -> None:
    program = Client(enforce_csrf_checks=True)
    token = make_token(owner, "test")
    status, _ = send(program, "/api/searches", {"config": demo_json()}, Authorization=f"Bearer {token}")
    assert status == 201


def test_a_browser_without_the_csrf_header_is_refused(owner: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    status, reply = send(browser, "/api/searches", {"config": demo_json()})
    assert status == 403 and list(errors(reply)) == [""]
    assert not Search.objects.exists()


def test_every_wrong_value_is_named_with_what_was_found_and_wanted(signed_in: Client) -> None:
    config = demo_json(space={"blocks": 9}, recipe={"epochs": "many"}, strategy={"clip": 2})
    status, reply = send(signed_in, "/api/searches", {"config": config})
    assert status == 422
    assert errors(reply) == {
        "space.blocks": "is 9; must be at most 7.",
        "recipe.epochs": "is 'many'; must be a whole number.",
        "strategy.clip": "is 2; must be less than 1.",
    }


def test_a_body_that_is_too_long_is_refused_with_a_sentence(signed_in: Client) -> None:
    status, reply = send(signed_in, "/api/architectures/read", {"text": "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE})
    assert (status, errors(reply)) == (413, {"": "The request is too long; it must have at most 1,048,576 bytes."})


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"config": {\n  "name": nope', "Line 2, column 11 of the request is not JSON: Expecting value."),
        (b'{"config": {},}', "Line 1, column 15 of the request is not JSON: "),
        (b'{"config": {}} {}', "Line 1, column 16 of the request is not JSON: Extra data."),
        (b'{"config": {\n"name": "x', "The request ends inside its JSON, on line 2."),
        (b'{"config": ', "The request ends inside its JSON, on line 1."),
        (b'{"config": "\xff"}', "The request is not JSON: byte 13 is no UTF-8."),
        (b'{"config": ' + b"[" * 100_000, "The request is not JSON that can be read: it is nested too deeply."),
        (b'{"config": ' + b"9" * 6_000 + b"}", "The request is not JSON that can be read: it has a number of too many"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_json_is_refused_with_the_place(signed_in: Client, body: bytes, sentence: str) -> None:
    for path in ("/api/searches", "/api/architectures/describe"):
        answer = signed_in.post(path, body, content_type="application/json")
        found = errors(answer.json())
        assert answer.status_code == 400 and list(found) == [""] and found[""].startswith(sentence)
        assert found[""].endswith(".") and len(found[""]) < 150


def test_rules_between_fields_name_the_field_to_change(signed_in: Client) -> None:
    _, reply = send(signed_in, "/api/searches", {"config": demo_json(budget={"children": 5})})
    assert list(errors(reply)) == ["strategy.step_size"]
    _, reply = send(signed_in, "/api/searches", {"config": demo_json(data={"name": "nowhere"})})
    assert list(errors(reply)) == ["data.name"]
    assert not Search.objects.exists()


def test_an_image_too_small_for_the_imagenet_skeleton_is_refused_at_its_field(signed_in: Client) -> None:
    config = demo_json(child={"skeleton": "imagenet", "reductions": 2}, data={"image_size": 28})
    for path in ("/api/searches", "/api/searches/estimate"):
        _, reply = send(signed_in, path, {"config": config})
        sentence = "is 28; to be halved 5 times, as the ImageNet skeleton does, it must be at least 35."
        assert errors(reply) == {"data.image_size": sentence}
    assert not Search.objects.exists()


def test_a_misspelt_setting_is_not_left_out_silently(signed_in: Client) -> None:
    config = demo_json() | {"sede": 1}
    assert list(errors(send(signed_in, "/api/searches", {"config": config})[1])) == ["sede"]
    assert list(errors(send(signed_in, "/api/searches", {"config": demo_json(), "group": 1})[1])) == ["group"]
    status, reply = send(signed_in, "/api/searches", [])
    assert status == 422 and reply["errors"]


def test_one_key_starts_one_search(signed_in: Client) -> None:
    body = {"config": demo_json()}
    first = send(signed_in, "/api/searches", body, Idempotency_Key="k")
    assert send(signed_in, "/api/searches", body, Idempotency_Key="k") == first
    assert Search.objects.count() == 1
    other = send(signed_in, "/api/searches", {"config": demo_json(name="other")}, Idempotency_Key="k")
    assert other[0] == 409 and "Idempotency-Key" in errors(other[1])[""]
    assert send(signed_in, "/api/searches", body, Idempotency_Key="another")[1] != first[1]
    assert Search.objects.count() == 2


def test_a_refused_request_may_be_corrected_under_its_key(signed_in: Client) -> None:
    wrong = {"config": demo_json(space={"blocks": 0})}
    assert send(signed_in, "/api/searches", wrong, Idempotency_Key="k")[0] == 422
    assert send(signed_in, "/api/searches", {"config": demo_json()}, Idempotency_Key="k")[0] == 201


def test_a_key_is_its_owners_alone_and_not_longer_than_it_may(signed_in: Client, owner: User) -> None:
    body = {"config": demo_json()}
    send(signed_in, "/api/searches", body, Idempotency_Key="k")
    stranger = Client()
    stranger.force_login(get_or_create_user("stranger"))
    assert send(stranger, "/api/searches", body, Idempotency_Key="k")[0] == 201
    assert {search.owner.name for search in Search.objects.all()} == {"owner", "stranger"}
    assert send(signed_in, "/api/searches", body, Idempotency_Key="k" * 201)[0] == 422


def test_a_pause_sent_twice_under_one_key_is_one_pause(signed_in: Client, owner: User) -> None:
    search = a_search(owner)
    for _ in range(2):
        assert send(signed_in, f"/api/searches/{search.pk}/pause", Idempotency_Key="k") == (
            200, {"id": str(search.pk), "state": "paused"},
        )  # fmt: skip
    search.refresh_from_db()
    assert search.last_event == 2  # It started, it paused.


def test_a_search_is_paused_resumed_and_stopped_and_a_stopped_one_is_not_resumed(
    signed_in: Client, owner: User
) -> None:
    path = f"/api/searches/{a_search(owner).pk}"
    assert [send(signed_in, f"{path}/{verb}")[1]["state"] for verb in ("pause", "resume", "stop")] == [
        "paused", "running", "stopped",
    ]  # fmt: skip
    status, reply = send(signed_in, f"{path}/resume")
    assert status == 409
    assert errors(reply) == {"": "This search is stopped; only a paused one can be resumed."}


def test_what_belongs_to_somebody_else_does_not_exist(signed_in: Client) -> None:
    search = a_search(get_or_create_user("stranger"), children=1)
    training = a_training(get_or_create_user("stranger"), search)
    reading = (
        f"searches/{search.pk}", f"searches/{search.pk}/events", f"searches/{search.pk}/children",
        f"searches/{search.pk}/children.csv", f"searches/{search.pk}/children/0/0",
        f"searches/{search.pk}/children/0/0/architecture.json", f"searches/{search.pk}/artifacts",
        f"trainings/{training.pk}", f"trainings/{training.pk}/events", f"trainings/{training.pk}/artifacts",
        f"trainings/{training.pk}/picture.svg", f"artifacts/{uuid.uuid4()}",
    )  # fmt: skip
    for path in reading:
        answer = signed_in.get(f"/api/{path}")
        assert answer.status_code == 404, path
        assert "no such" in answer.json()["errors"][0]["message"]
    for path in (f"searches/{search.pk}", f"trainings/{training.pk}"):
        for verb in ("pause", "resume", "stop"):
            assert send(signed_in, f"/api/{path}/{verb}")[0] == 404
    body = {"search": str(search.pk), "step": 0, "slot": 0, "config": {}}
    assert send(signed_in, "/api/trainings", body)[0] == 404
    assert send(signed_in, "/api/trainings/estimate", body)[0] == 404
    assert signed_in.get("/api/searches").json() == {"searches": [], "total": 0}
    assert signed_in.get("/api/trainings").json() == {"trainings": [], "total": 0}
    search.refresh_from_db()
    assert search.state == "running"


def test_the_list_and_the_search_itself_say_the_same(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=12)
    listed = signed_in.get("/api/searches").json()["searches"][0]
    shown = signed_in.get(f"/api/searches/{search.pk}").json()
    assert shown.pop("config") == search.config
    assert shown == listed
    assert (listed["done"], listed["total"], listed["best_reward"]) == (12, 120, pytest.approx(0.61))


@pytest.mark.parametrize("path", ["searches?offset=", "trainings?offset=", "searches/{}/events?after="])
def test_a_number_beyond_every_row_is_refused_and_breaks_nothing(signed_in: Client, owner: User, path: str) -> None:
    search = a_search(owner)
    answer = signed_in.get(f"/api/{path.format(search.pk)}{2**63}")
    assert answer.status_code == 422


def test_events_come_in_order_after_the_number_that_was_asked(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=3)
    path = f"/api/searches/{search.pk}/events"
    everything = signed_in.get(path).json()
    assert [event["n"] for event in everything["events"]] == [1, 2, 3, 4]
    assert everything["last"] == 4
    assert everything["events"][0]["kind"] == "search_started"
    assert signed_in.get(f"{path}?after=1&limit=2").json()["events"] == everything["events"][1:3]
    assert signed_in.get(f"{path}?after=4").json()["events"] == []
    assert signed_in.get(f"{path}?limit=501").status_code == 422


@pytest.mark.parametrize("key", ["reward", "parameters", "mult_adds", "seconds"])
def test_children_are_sorted_by_the_server_in_both_orders(signed_in: Client, owner: User, key: str) -> None:
    path = f"/api/searches/{a_search(owner, children=12).pk}/children"
    rising = signed_in.get(f"{path}?sort={key}&order=asc").json()["children"]
    values = [child[key] for child in rising]
    assert values == sorted(values) and len(values) == 12
    falling = signed_in.get(f"{path}?sort={key}&order=desc").json()["children"]
    assert [child[key] for child in falling] == values[::-1]


def test_children_come_in_pages_that_together_are_all(signed_in: Client, owner: User) -> None:
    path = f"/api/searches/{a_search(owner, children=12).pk}/children?sort=step&order=asc&size=5"
    pages = [signed_in.get(f"{path}&page={page}").json() for page in (1, 2, 3)]
    places = [(child["step"], child["slot"]) for page in pages for child in page["children"]]
    assert places == [divmod(index, 10) for index in range(12)]
    assert (pages[0]["pages"], pages[0]["total"], pages[2]["page"]) == (3, 12, 3)
    assert signed_in.get(f"{path}&page=99").json() == pages[2]
    assert signed_in.get(f"{path}&sort=name").status_code == 422


def test_lost_children_stand_last_in_either_order(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=3)
    search.children.filter(slot=1).update(reward=None, reason="lost")
    path = f"/api/searches/{search.pk}/children?sort=reward"
    for order in ("asc", "desc"):
        last = signed_in.get(f"{path}&order={order}").json()["children"][-1]
        assert (last["slot"], last["reward"], last["reason"]) == (1, None, "lost")


def test_a_training_of_a_child_starts_with_its_architecture(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=2)
    child = search.children.get(step=0, slot=1)
    body = {
        "search": str(search.pk),
        "step": 0,
        "slot": 1,
        "config": {"layout": {"filters": 8}, "recipe": {"epochs": 3}},
    }
    status, reply = send(signed_in, "/api/trainings", body)
    assert status == 201
    training = Training.objects.get(pk=reply["id"])
    assert (training.child, training.hash, training.config["architecture"]) == (child, child.hash, child.architecture)
    shown = signed_in.get(f"/api/trainings/{training.pk}").json()
    assert (shown["epochs"], shown["epochs_done"]) == (3, 0)
    assert shown["child"] == {"search": str(search.pk), "step": 0, "slot": 1}


def test_a_training_needs_an_architecture_that_can_exist(signed_in: Client, owner: User) -> None:
    status, reply = send(signed_in, "/api/trainings", {"config": {}})
    assert status == 422 and list(errors(reply)) == ["architecture"]
    architecture = a_search(owner, children=1).children.get().architecture
    architecture["normal"]["blocks"][0]["operations"][0] = "magic"
    status, reply = send(signed_in, "/api/trainings", {"config": {"architecture": architecture}})
    assert status == 422 and list(errors(reply)) == ["architecture.normal.blocks.0.operations"]
    status, reply = send(signed_in, "/api/trainings", {"search": str(uuid.uuid4()), "config": {}})
    assert status == 422 and "step and slot" in errors(reply)[""]


def test_an_estimate_starts_nothing_and_says_what_is_wrong_at_its_field(signed_in: Client) -> None:
    a_worker()
    status, cost = send(signed_in, "/api/searches/estimate", {"config": demo_json()})
    assert status == 200 and cost["errors"] == []
    assert cost["children"] == 120 and cost["workers"] == 1 and cost["seconds"] > 0
    assert cost["parameters"]["low"] < cost["parameters"]["high"]
    status, cost = send(signed_in, "/api/searches/estimate", {"config": demo_json(data={"train_examples": 20_000})})
    assert status == 200 and list(errors(cost)) == ["data.train_examples"] and cost["seconds"] is None
    status, cost = send(signed_in, "/api/searches/estimate", {"config": {"space": {"blocks": "x"}}})
    assert list(errors(cost)) == ["space.blocks"]
    assert not Search.objects.exists()


def test_a_training_has_a_cost_too(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=1)
    body = {"search": str(search.pk), "step": 0, "slot": 0, "config": {}}
    _, cost = send(signed_in, "/api/trainings/estimate", body)
    assert cost["seconds"] is None and cost["parameters"]["low"] == cost["parameters"]["high"] > 0
    _, cost = send(signed_in, "/api/trainings/estimate", body | {"config": {"recipe": {"epochs": 0}}})
    assert list(errors(cost)) == ["recipe.epochs"]


def test_workers_are_listed_with_what_they_do_for_oneself(signed_in: Client, owner: User) -> None:
    a_worker("core-0")
    a_worker("core-1", seconds_ago=100)
    for name, user in (("core-0", owner), ("core-1", get_or_create_user("stranger"))):
        a_search(user).jobs.update(state="leased", worker=name, lease_until=1.0)
    workers = {worker["name"]: worker for worker in signed_in.get("/api/workers").json()["workers"]}
    assert workers["core-0"]["is_here"] and workers["core-0"]["job"] == "first draw"
    search = workers["core-0"]["stream"]
    assert (workers["core-0"]["stream_name"], workers["core-0"]["stream_url"]) == (
        "Two-minute demo",
        f"/searches/{search}",
    )
    assert not workers["core-1"]["is_here"] and workers["core-1"]["stream"] is None
    assert workers["core-1"]["stream_name"] == workers["core-1"]["stream_url"] == ""
    assert workers["core-1"]["job"] == "something for another user"
    assert workers["core-1"]["seconds_since_seen"] == pytest.approx(100, abs=5)


def test_the_description_names_every_route_once_and_documents_every_setting() -> None:
    schema = api.get_openapi_schema()
    summaries = [(operation["tags"][0], operation["summary"]) for methods in schema["paths"].values()
                 for operation in methods.values()]  # fmt: skip
    assert len(set(summaries)) == len(summaries) > 20
    blocks = schema["components"]["schemas"]["NasnetSpaceConfig"]["properties"]["blocks"]
    assert (blocks["minimum"], blocks["maximum"]) == (1, 7) and blocks["description"]
