"""Every operation of the API, every page and every file by everybody: owner, co-owner, reader, somebody else, nobody.

The table is made from the API's description and from the routes, so a new one stands in it without being added; what it
takes as a body, where it takes one, must be said here.
"""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from tests.web.example_search import a_search, a_training, demo_json
from tests.web.test_routes_deny_by_default import PUBLIC, routes
from webapp.accounts.models import ApiToken, Invitation, User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import artifacts, clock
from webapp.searches.api.routes import api
from webapp.searches.models import Artifact, ImportedArchitecture, OwnData, Search, Share, ShareLink, Stream, Training

pytestmark = pytest.mark.django_db

NOWHERE = uuid.UUID(int=7)
SAFE = ("get", "head")
# Of a stream that is shared, these are its owner's alone.
OWNERS_ALONE = re.compile(r"/(links|shares|outlook)\b")
DELETES = re.compile(r"^delete /api/(searches|trainings)/\{\w+\}$")
# The example search has no shared weights, so no scores were asked of it; the link is one to the search alone; the
# imported architecture came without weights, and the upload is on its way.
ABSENT = {"asked_score", "revoke_training_link", "architecture_bundle", "data_preview", "data_refused"}
BODIES: dict[str, Any] = {
    "change_search": {"priority": "first"},
    "change_training": {"priority": "first"},
    "change_limits": {"children": 200},
    "steer_search": {"bans": {}},
    "start_honesty_meter": {"networks": 5, "epochs": 1},
    "make_search_link": {"days": 1},
    "make_training_link": {"days": 1},
    "share_search": {"user": "somebody", "role": "reader"},
    "share_training": {"user": "somebody", "role": "reader"},
    "rename_architecture": {"name": "x"},
    "rename_data": {"title": "x"},
    "use_data": {},
}


@dataclass
class World:
    """What the owner has, and everybody who asks for it."""

    search: Search
    training: Training
    people: dict[str, Client]
    ids: dict[str, Any]
    architecture: dict[str, Any]


@pytest.fixture
def world(owner: User, store: Any, tmp_path: Any) -> World:
    search = a_search(owner, children=3)
    training = a_training(owner, search)
    child = search.children.get(step=0, slot=0)
    (tmp_path / "file").write_bytes(b"weights")
    artifact = artifacts.offer(training, "weights", artifacts.put(tmp_path / "file"), "w.safetensors", "x/y")
    imported = ImportedArchitecture.objects.create(
        owner=owner, name="mine", architecture=child.architecture, hash=child.hash, dialect="json", text="",
        created=clock.now(), code_version="test",
    )  # fmt: skip
    data = OwnData.objects.create(owner=owner, title="mine", filename="x.zip", size=1, created=0, touched=0)
    link = ShareLink.objects.create(stream=search, sha256="a" * 64, created=0)
    people = {"owner": owner} | {name: get_or_create_user(name) for name in ("co-owner", "reader", "other", "somebody")}
    for stream in (search, training):
        for role in ("co-owner", "reader"):
            Share.objects.create(stream=stream, user=people[role], role=role, created=clock.now())
    clients = {name: Client() for name in people}
    for name, client in clients.items():
        client.force_login(people[name])
    ids = {
        "search_id": search.pk, "training_id": training.pk, "step": 0, "slot": 0, "which": "both",
        "filename": "architecture.json", "artifact_id": getattr(artifact, "pk", None) or Artifact.objects.get().pk,
        "key": imported.pk, "data_id": data.pk, "link_id": link.pk, "user": "reader", "score_id": NOWHERE,
        "user_id": owner.pk, "invitation_id": NOWHERE, "token_id": 7, "name": "x", "epoch": 1, "target_id": NOWHERE,
    }  # fmt: skip
    return World(search, training, clients | {"stranger": Client()}, ids, child.architecture)


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def operations() -> Iterator[Operation]:
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method, described in methods.items():
            yield Operation(described["operationId"], method, path)


def of_streams() -> list[Operation]:
    return [each for each in operations() if re.search(r"\{(search|training)_id\}", each.path)]


def of_things() -> list[Operation]:
    """Of what belongs to one person and is shared with nobody, and of a file of a stream."""
    return [each for each in operations() if re.search(r"\{(artifact|data)_id\}|architectures/\{key\}", each.path)]


def ask(client: Client, operation: Operation, ids: dict[str, Any], world: World) -> HttpResponse:
    """What is answered; nothing of it stays."""
    path = re.sub(r"\{(\w+)\}", lambda match: str(ids[match[1]]), operation.path)
    query = f"?streams={ids['search_id']}" if operation.name == "compare" else ""
    body: Any = BODIES.get(operation.name, {})
    if operation.name == "propose" or operation.name == "ask_score":
        body = {"architecture": world.architecture}
    with transaction.atomic():
        answer = getattr(client, operation.method)(path + query, body, content_type="application/json")
        answer.getvalue() if answer.streaming else None
        transaction.set_rollback(True)
    return answer


def get(client: Client, operation: Operation, ids: dict[str, Any]) -> HttpResponse:
    return client.get(re.sub(r"\{(\w+)\}", lambda match: str(ids[match[1]]), operation.path))


def told(answer: HttpResponse) -> tuple[int, bytes]:
    return answer.status_code, b"" if answer.streaming else answer.content


def asked(world: World, who: str, operation: Operation, **other: Any) -> HttpResponse:
    client, ids = world.people[who], world.ids | other
    if operation.method in SAFE:
        with transaction.atomic():
            answer = get(client, operation, ids)
            transaction.set_rollback(True)
        return answer
    return ask(client, operation, ids, world)


def nowhere(operation: Operation) -> dict[str, Any]:
    return dict.fromkeys(re.findall(r"\{(\w+_id|key)\}", operation.path), NOWHERE)


def test_an_owner_may_do_everything_with_what_is_theirs(world: World) -> None:
    for operation in of_streams() + of_things():
        answer = asked(world, "owner", operation)
        if operation.name not in ABSENT:
            assert answer.status_code not in (401, 403, 404, 500), (str(operation), answer.status_code, answer.content)


def test_somebody_else_gets_the_answer_for_what_is_not_there(world: World) -> None:
    for operation in of_streams() + of_things():
        answer = asked(world, "other", operation)
        assert answer.status_code in (404, 422), (str(operation), told(answer))
        assert told(answer) == told(asked(world, "other", operation, **nowhere(operation))), str(operation)
    assert Stream.objects.count() == 2


def test_nobody_gets_anything(world: World) -> None:
    for operation in operations():
        answer = asked(world, "stranger", operation)
        assert answer.status_code == 401, (str(operation), answer.status_code)


def test_a_reader_sees_what_its_owner_sees_and_changes_nothing(world: World) -> None:
    for operation in of_streams():
        answer = asked(world, "reader", operation)
        if operation.method not in SAFE or OWNERS_ALONE.search(operation.path):
            leaves = operation.name.startswith("unshare")
            assert answer.status_code == (200 if leaves else 403), (str(operation), told(answer))
        else:
            assert answer.status_code == asked(world, "owner", operation).status_code, str(operation)


def test_a_co_owner_does_what_its_owner_does_but_deletes_it_and_shares_it_with_nobody(world: World) -> None:
    for operation in of_streams():
        answer = asked(world, "co-owner", operation)
        if DELETES.match(str(operation)) or OWNERS_ALONE.search(operation.path):
            assert answer.status_code == 403, (str(operation), told(answer))
        else:
            assert answer.status_code == asked(world, "owner", operation).status_code, (str(operation), told(answer))


def test_a_file_of_a_shared_stream_is_its_readers_too_and_what_is_not_shared_is_not(world: World) -> None:
    for operation in of_things():
        answer = asked(world, "reader", operation)
        if "artifact" in operation.path:
            assert answer.status_code == 200, str(operation)
        else:
            assert told(answer) == told(asked(world, "reader", operation, **nowhere(operation))), str(operation)


PAGE_VALUES = {
    "which": "both", "key": "x", "name": "getting-started", "token": "x", "score_id": NOWHERE, "step": 0, "slot": 0,
}  # fmt: skip


def pages() -> list[str]:
    return [route for route, _ in routes() if not route.startswith(("api/", "docs/images")) and route not in PUBLIC]


def page_of(route: str, ids: dict[str, Any]) -> str:
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(ids.get(match[1], PAGE_VALUES.get(match[1], 0))), route)


@pytest.mark.parametrize("who", ["co-owner", "reader"])
def test_pages_of_a_shared_stream_open_for_those_it_is_shared_with(world: World, who: str) -> None:
    for route in pages():
        if "search_id" in route or "training_id" in route:
            expected = world.people["owner"].get(page_of(route, world.ids)).status_code
            assert world.people[who].get(page_of(route, world.ids)).status_code == expected, route


def test_pages_of_somebody_else_look_like_pages_that_are_not_there(world: World) -> None:
    for route in pages():
        if "_id" not in route:
            continue
        answer = world.people["other"].get(page_of(route, world.ids))
        nothing = {name: NOWHERE for name in world.ids if name.endswith("_id")}
        other = world.people["other"].get(page_of(route, world.ids | nothing))
        assert answer.status_code == other.status_code == 404, (route, answer.status_code)


def test_forms_do_not_tell_of_what_is_not_ones_own(world: World) -> None:
    for query in (f"searches/new?clone={world.search.pk}", f"trainings/new?search={world.search.pk}&step=0&slot=0"):
        answer = world.people["other"].get(f"/{query}")
        other = world.people["other"].get(f"/{query.replace(str(world.search.pk), str(NOWHERE))}")
        assert answer.status_code == other.status_code == 404, query


def test_what_is_named_in_a_body_is_looked_for_with_the_same_eyes(world: World) -> None:
    """Origins of architectures and searches that a request names in its body."""
    child = {"search": str(world.search.pk), "step": 0, "slot": 0}
    config = demo_json()
    for path, body in (
        ("/api/trainings", {"config": {}, **child}),
        ("/api/trainings/defaults", child),
        ("/api/trainings/estimate", {"config": {}, **child}),
        ("/api/architectures/edits", child),
        ("/api/architectures/edits/options", {**child, "place": "x"}),
        ("/api/architectures/describe", child),
        ("/api/groups", {"search": str(world.search.pk), "seeds": [2]}),
        ("/api/groups/estimate", {"search": str(world.search.pk), "seeds": [2]}),
    ):
        there = world.people["other"].post(path, body, content_type="application/json")
        body = {name: str(NOWHERE) if name == "search" else value for name, value in body.items()}
        not_there = world.people["other"].post(path, body, content_type="application/json")
        assert told(there) == told(not_there), path
        assert there.status_code >= 400 or there.json().get("errors"), path
    assert config and not Training.objects.filter(owner__name="other").exists()


def test_people_and_invitations_are_for_administrators_and_tokens_for_their_owner(world: World) -> None:
    User.objects.filter(name="owner").update(is_admin=True)
    assert not User.objects.get(name="other").is_admin
    for operation in operations():
        if operation.path.startswith("/api/people"):
            assert asked(world, "other", operation).status_code in (403, 404), str(operation)
    assert not Invitation.objects.exists()
    token = ApiToken.objects.create(user=User.objects.get(name="owner"), name="x", sha256="b" * 64)
    assert world.people["other"].delete(f"/api/account/tokens/{token.pk}").status_code == 404
    assert ApiToken.objects.filter(pk=token.pk).exists()
