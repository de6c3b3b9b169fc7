"""The random companion: started in one go, alike in everything but what it draws, and advancing alike."""

import json
from typing import Any

import pytest
from django.test import Client

from search_engine.config.search import SearchConfig
from search_engine.data import descriptions
from search_engine.errors import UserError
from search_engine.training_speed import TrainingSpeed
from tests.faults import fake_engine
from tests.faults.actors import KINDS, doing
from tests.faults.simulation import CALM, START, World
from tests.web.example_search import CONFIG, a_worker, demo_json
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import clock, companion, leases, lifecycle
from webapp.searches.costs.estimate import search_cost
from webapp.searches.models import Child, Group, OwnData, Search, Stream

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]

FLAT = TrainingSpeed(0.0, 1e-9, 0.0)


def send(client: Client, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    answer = client.post(path, json.dumps(body or {}), content_type="application/json", headers=headers)
    return answer.status_code, answer.json()


def test_a_companion_is_the_same_search_but_for_what_it_draws() -> None:
    config = CONFIG.model_copy(update={"name": "x" * 80})
    beside = companion.companion_config(config)
    assert beside.strategy.kind == "random"
    assert (beside.strategy.step_size, beside.strategy.lookahead) == (10, 0)
    for part in ("space", "child", "recipe", "data", "budget", "reproducibility"):
        assert getattr(beside, part) == getattr(config, part)
    assert len(beside.name) == 80 and beside.name.endswith(" (random)")
    assert SearchConfig.model_validate(beside.model_dump(mode="json")) == beside


def test_a_random_search_has_no_companion() -> None:
    with pytest.raises(UserError, match="random itself"):
        companion.companion_config(SearchConfig.model_validate({"strategy": {"kind": "random"}}))


def test_one_request_starts_both_in_one_group_and_again_starts_nothing(signed_in: Client, owner: User) -> None:
    body = {"config": demo_json(), "companion": True}
    headers = {"Idempotency-Key": "once"}
    status, reply = send(signed_in, "/api/searches", body, **headers)
    assert status == 201
    assert send(signed_in, "/api/searches", body, **headers) == (status, reply)
    search = Search.objects.get(pk=reply["id"])
    beside = companion.companion_of(search)
    assert Search.objects.count() == 2 and beside is not None
    assert (beside.owner, beside.group, beside.state) == (owner, search.group, "running")
    assert search.config == demo_json()
    assert companion.accompanied_by(beside) == search
    assert (companion.accompanied_by(search), companion.companion_of(beside)) == (None, None)


def test_without_the_tick_there_is_one_search_and_no_group(signed_in: Client) -> None:
    send(signed_in, "/api/searches", {"config": demo_json()})
    (search,) = Search.objects.all()
    assert search.group is None and companion.companion_of(search) is None


def test_a_random_search_with_a_companion_is_refused_and_nothing_is_half_created(signed_in: Client) -> None:
    random = demo_json() | {"strategy": {"kind": "random", "step_size": 10}}
    for path in ("/api/searches", "/api/searches/estimate"):
        _, reply = send(signed_in, path, {"config": random, "companion": True})
        assert [error["field"] for error in reply["errors"]] == ["companion"]
    assert not Search.objects.exists() and not Group.objects.exists()


def test_the_second_of_two_that_fails_undoes_the_first(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    real = companion.start_search

    def start(*arguments: Any, **named: Any) -> Search:
        if started:
            raise RuntimeError
        started.append(1)
        return real(*arguments, **named)

    monkeypatch.setattr(companion, "start_search", start)
    with pytest.raises(RuntimeError):
        companion.start_with_companion(owner, CONFIG)
    assert not Search.objects.exists() and not Group.objects.exists()


def test_a_companion_can_come_later_and_comes_once(signed_in: Client, owner: User) -> None:
    _, reply = send(signed_in, "/api/searches", {"config": demo_json()})
    path = f"/api/searches/{reply['id']}/companion"
    lifecycle.stop(Search.objects.get().pk)
    status, first = send(signed_in, path)
    assert status == 201 and send(signed_in, path) == (201, first)
    assert Search.objects.count() == 2
    assert first["url"] == f"/searches/{first['id']}"
    status, refused = send(signed_in, f"/api/searches/{first['id']}/companion")
    assert status == 422 and "random itself" in refused["errors"][0]["message"]


@pytest.mark.parametrize("path", ["/api/searches", "/api/searches/estimate"])
@pytest.mark.parametrize("wish", ["yes", "true", 1, None, []])
def test_a_wish_for_a_companion_is_true_or_false_and_nothing_else(signed_in: Client, path: str, wish: Any) -> None:
    status, reply = send(signed_in, path, {"config": demo_json(), "companion": wish})
    told = "empty" if wish is None else repr(wish)
    assert status == 422
    assert reply["errors"] == [{"field": "companion", "message": f"is {told}; must be true or false."}]
    assert not Search.objects.exists()


def own_images(owner: User) -> OwnData:
    """A set that is ready, as a row: nobody reads its file here."""
    sha256 = "5" * 64
    described = descriptions.describe("fashion-mnist-10k").to_json()
    described |= {"name": f"own-{sha256}", "origin": "own", "sha256": sha256}
    return OwnData.objects.create(
        owner=owner, title="Mine", filename="mine.zip", size=1, state=OwnData.State.READY, sha256=sha256,
        description=described, created=0.0, touched=0.0,
    )  # fmt: skip


@pytest.mark.parametrize("state", [OwnData.State.DELETED, None])
def test_a_search_whose_own_images_are_gone_gets_no_companion(signed_in: Client, owner: User, state: Any) -> None:
    """state: of the row of those images; None where it is gone too."""
    row = own_images(owner)
    name = f"own-{row.sha256}"
    config = CONFIG.model_copy(update={"data": CONFIG.data.model_copy(update={"name": name})})
    search = companion.start_search(owner, config)
    if state is None:
        row.delete()
    else:
        OwnData.objects.update(state=state)
    status, reply = send(signed_in, f"/api/searches/{search.pk}/companion")
    assert status == 422
    assert reply["errors"] == [
        {"field": "data.name", "message": "is a set of images that is not there, or is not yours."}
    ]
    assert Search.objects.count() == 1 and not Group.objects.exists()


def test_somebody_elses_search_gets_no_companion(signed_in: Client) -> None:
    stranger = companion.start_search(get_or_create_user("stranger"), CONFIG)
    assert send(signed_in, f"/api/searches/{stranger.pk}/companion")[0] == 404
    assert Search.objects.count() == 1


def test_the_estimate_counts_both(signed_in: Client) -> None:
    a_worker(rate=1e9)
    _, alone = send(signed_in, "/api/searches/estimate", {"config": demo_json()})
    _, both = send(signed_in, "/api/searches/estimate", {"config": demo_json(), "companion": True})
    beside = search_cost(companion.companion_config(CONFIG), [FLAT])
    assert both["children"] == 240 == 2 * alone["children"]
    assert both["seconds"] == pytest.approx(2 * alone["seconds"])
    assert both["disk_bytes"] == alone["disk_bytes"] + beside.disk_bytes
    assert "120 of these children are drawn by the random companion" in both["notes"][0]


def test_the_pages_say_what_belongs_together(signed_in: Client, owner: User) -> None:
    search = companion.start_with_companion(owner, CONFIG.model_copy(update={"name": "Mine"}))
    alone = companion.start_search(owner, CONFIG.model_copy(update={"name": "Alone"}))
    beside = companion.companion_of(search)
    assert beside is not None
    home = signed_in.get("/").content.decode()
    assert home.count("with a random companion") == 1 and home.count("random companion of Mine") == 1

    def page(of: Search) -> str:
        return signed_in.get(f"/searches/{of.pk}").content.decode()

    assert "<random-comparison" in page(search) and '"has_companion": true' in page(search)
    assert "<random-comparison" in page(alone) and '"has_companion": false' in page(alone)
    assert "<random-comparison" not in page(beside)
    assert f'<a href="/searches/{search.pk}">Mine</a>' in page(beside)


def test_the_list_asks_once_however_many_pairs_there_are(owner: User, django_assert_num_queries: Any) -> None:
    searches = [companion.start_with_companion(owner, CONFIG) for _ in range(3)]
    with django_assert_num_queries(1):
        words = companion.beside_in_words(searches)
    assert list(words.values()) == ["with a random companion"] * 3


def test_a_clone_keeps_the_tick(signed_in: Client, owner: User) -> None:
    search = companion.start_with_companion(owner, CONFIG)
    alone = companion.start_search(owner, CONFIG)
    ticked = [
        "checked"
        in signed_in.get(f"/searches/new?clone={one.pk}").content.decode().split('id="companion"')[1].split(">")[0]
        for one in (search, alone)
    ]
    assert ticked == [True, False]


def a_pair(owner: User, *, apart: float = 1.0, **sizes: Any) -> tuple[Search, Search]:
    """Two searches of one group without PyTorch, the second created so many seconds later."""
    group = Group.objects.create(owner=owner)
    pair = []
    for number in range(2):
        config = fake_engine.small_config(**sizes)
        with clock.replaced(lambda at=START + number * apart: at):
            pair.append(
                lifecycle.create_search(
                    owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA, group=group
                )
            )
    return pair[0], pair[1]


def done(search: Search) -> int:
    return Child.objects.filter(search=search, is_final=True).count()


def advance(pair: tuple[Search, Search], folder: Any, *, workers: int, slower: int = 1) -> int:
    """Work both off with so many workers that take turns; the largest difference of children done on the way.

    slower: how many turns a child of the first takes; one of the second takes one turn. A step ends with an update.
    """
    folder.mkdir()
    world = World(0, folder, fake_engine)
    world.now = START + CALM
    held: dict[int, list[Any]] = {}  # By worker: its claim, and how many turns are left.
    furthest = 0
    for turn in range(10_000):
        worker = turn % workers
        if worker not in held:
            claim = leases.claim(f"worker {worker}", KINDS)
            if claim is None:
                if not Stream.objects.filter(state="running").exists():
                    return furthest
                continue
            is_slow = claim.kind == "evaluate" and claim.stream_id == pair[0].pk
            held[worker] = [claim, slower if is_slow else 1]
        held[worker][1] -= 1
        if held[worker][1] == 0:
            for _ in doing(world, f"worker {worker}", held.pop(worker)[0]):
                """The job is done within this turn."""
            furthest = max(furthest, abs(done(pair[0]) - done(pair[1])))
    raise AssertionError("the two searches do not end")


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("slower", [1, 3])
def test_a_search_and_its_companion_advance_alike(owner: User, tmp_path: Any, workers: int, slower: int) -> None:
    """However many workers there are, and though children of one take three times as long as those of the other."""
    pair = a_pair(owner, children=16, step_size=4)
    assert advance(pair, tmp_path / "world", workers=workers, slower=slower) <= workers
    assert (done(pair[0]), done(pair[1])) == (16, 16)
