"""The client against the application: each story is what a script would do, and together they reach every operation."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from search_engine.catalogue.published import read_published
from search_engine.config.searches import read_search_config
from search_engine.events import ChildFinished
from search_engine.spaces.build import build_space
from tests.example_bundle import CELL, a_bundle
from tests.faults import fake_engine, fake_shared
from tests.faults.steady_worker import work_off
from tests.web.api_transport import ApiTransport
from tests.web.example_search import CONFIG, a_search, a_training, a_worker, demo_json
from tests.web.test_bundles import finished_training
from tests.web.test_own_data import pets
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.accounts.tokens import make_token
from webapp.client.architectures import Architecture
from webapp.client.cellwright import Cellwright
from webapp.client.errors import CellwrightError
from webapp.client.replies import Link
from webapp.searches import event_log, lifecycle
from webapp.searches.api.routes import api
from webapp.searches.datasets import checking
from webapp.searches.models import Group, Host, OwnData, Search

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]

# About people and their keys, which mostly takes no token; and what a browser shows.
LEFT_OUT = {
    "change_account", "change_password", "end_sessions", "make_token", "revoke_token", "tokens",
    "people", "change_person", "make_way_back", "invitations", "invite", "revoke_invitation",
    "take_notices",
}  # fmt: skip


@pytest.fixture(scope="module")
def asked() -> set[str]:
    """Names of all operations that the stories of this file have asked for."""
    return set()


@pytest.fixture
def site(owner: User, asked: set[str]) -> Iterator[Cellwright]:
    transport = ApiTransport()
    with Cellwright(
        "http://here", make_token(owner, "script"), transport=transport, sleep=lambda seconds: None
    ) as site:
        yield site
    asked |= transport.asked


def test_a_search_is_started_by_the_name_of_a_preset_weighed_and_found_again(site: Cellwright) -> None:
    a_worker()
    assert {each["name"] for each in site.searches.presets()["presets"]} >= {"demo", "coffee"}
    config = site.searches.preset("demo")
    config["budget"]["children"] = 20
    cost = site.searches.estimate(config)
    assert cost.children == 20 and cost.parameters is not None and cost.parameters.low < cost.parameters.high
    search = site.searches.start(config, workers=1, hours=2)
    assert str(search) == "Two-minute demo: running, 0 of 20 children" and search.config == config
    assert search.page == f"http://here/searches/{search.id}"
    site.searches.start("demo", key="tonight"), site.searches.start("demo", key="tonight")
    assert [each.facts.total for each in site.searches.all()] == [140, 20]
    with pytest.raises(CellwrightError, match="presets are demo"):
        site.searches.start("nowhere")


class LosesEveryFirstAnswer(ApiTransport):
    """Does what it is asked, and lets the answer of every other request get lost."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        self.requests += 1
        if self.requests % 2:
            raise httpx.ReadTimeout("the answer was lost", request=request)
        return answer


def test_lost_answers_start_nothing_twice_and_take_nothing_back(owner: User, asked: set[str]) -> None:
    transport = LosesEveryFirstAnswer()
    site = Cellwright("http://here", make_token(owner, "far"), transport=transport, sleep=lambda seconds: None)
    search = site.searches.start("demo", companion=True)
    assert Search.objects.count() == 2 and search.pause().state == "paused"
    search.delete()
    assert Search.objects.get(pk=search.id).state == "deleting" and transport.requests > 8


def test_a_configuration_of_the_engine_starts_too_and_what_is_wrong_is_told_at_its_field(site: Cellwright) -> None:
    assert site.searches.start(CONFIG).config == demo_json()
    for act in (site.searches.start, site.searches.estimate):
        with pytest.raises(CellwrightError) as raised:
            act(demo_json(space={"blocks": 9}))
        assert (raised.value.status, raised.value.field) == (422, "space.blocks")


def test_a_search_is_paused_resumed_limited_put_first_stopped_and_deleted(site: Cellwright) -> None:
    search = site.searches.start("demo")
    assert search.pause().state == "paused" and search.resume().state == "running"
    assert search.change_limits(children=60, workers=None)["children"] == 60
    assert search.refresh().facts.total == 60
    assert search.change(priority="first", tags=["night"], notes="so far")["priority"] == "first"
    assert site.tags() == {"night": 1}
    assert search.ban({"operation": ["identity"]}) == {"operation": ["identity"]}
    assert search.stop().is_over and search.time_left()["why"] == "It is stopped."
    with pytest.raises(CellwrightError, match="This search is stopped"):
        search.pause()
    assert isinstance(search.changes(), list) and search.outlook()["goes"]
    search.delete()
    assert site.searches.get(search.id).state == "deleting"


def test_events_come_once_and_in_order_and_waiting_ends_with_the_search(site: Cellwright, owner: User) -> None:
    row = a_search(owner, children=3)
    search = site.searches.get(row.pk)
    events = list(search.events())
    assert [event["n"] for event in events] == list(range(1, search.facts.last_event + 1))
    assert [event["n"] for event in search.events(after=2)] == [event["n"] for event in events[2:]]
    seen: list[str] = []

    def stop_at_the_second_look(seconds: float) -> None:
        lifecycle.stop(row.pk)

    site.connection.sleep = stop_at_the_second_look
    assert search.wait(progress=lambda now: seen.append(now.state)).is_over and seen == ["running", "stopped"]
    assert [event["kind"] for event in search.events(follow=True)][-1] == "state_changed"


def test_waiting_with_a_timeout_ends_by_an_error_that_says_how_it_stands(site: Cellwright) -> None:
    with pytest.raises(TimeoutError, match="Two-minute demo: running"):
        site.searches.start("demo").wait(timeout=0)


def test_children_are_read_page_by_page_and_the_best_one_draws_itself(
    site: Cellwright, owner: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("webapp.client.searches.PAGE", 2)
    search = site.searches.get(a_search(owner, children=5).pk)
    assert [each.reward for each in search.children("reward", "desc")] == [0.54, 0.53, 0.52, 0.51, 0.5]
    taken = search.child(0, 0).decisions[0]
    assert all(search.child(each.step, each.slot).decisions[0] == taken
               for each in search.children(decision=0, option=taken))  # fmt: skip
    best = search.best()
    assert best.facts.reward == 0.54 and best._repr_svg_().startswith("<svg") and "reward 0.5400" in repr(best)
    assert best.file("picture.svg").startswith(b"<svg") and best.save_picture(tmp_path / "a.svg").stat().st_size > 500
    assert search.children_csv().startswith("step,slot,reward")
    assert search.save_rewards(tmp_path / "rewards.html").stat().st_size > 10_000
    with pytest.raises(CellwrightError, match="No child of this search has a reward yet"):
        site.searches.start("demo").best()


def test_figures_draw_what_the_server_knows(site: Cellwright, owner: User) -> None:
    search = site.searches.get(a_search(owner, children=4).pk)
    decisions = search.decisions()
    rows = sum(len(decision["options"]) for decision in decisions)
    assert len(search.figures.cost().data[0].x) == 4 and len(search.figures.cost("mult_adds").data) == 2
    assert len(search.figures.policy().data) == 0 and rows > len(decisions) > 4  # Nothing is drawn yet.
    assert search.figures.rewards().layout.title.text == "Two-minute demo"
    assert (
        search.curve()["points"] == []
        and search.policy()["known"] == 0
        and len(search.decision_lines(axes=3)["axes"]) == 3
    )


def test_what_a_notebook_shows_is_escaped(site: Cellwright, owner: User) -> None:
    search = site.searches.get(a_search(owner, name="<script>alert(1)</script>").pk)
    assert "<script" not in search._repr_html_() and "&lt;script&gt;" in search._repr_html_()
    training = site.trainings.start(site.architectures.get("darts-v2"), epochs=2)
    assert "Epochs" in training._repr_html_()


def test_a_replay_and_its_children_are_read_as_they_were(site: Cellwright, owner: User) -> None:
    row = a_search(owner, children=2)
    told = [ChildFinished(step=0, slot=slot, reward=0.5, parameters=1, mult_adds=1, seconds=1.0) for slot in range(2)]
    event_log.append(row.pk, told)
    search = site.searches.get(row.pk)
    assert search.timeline()["last"] == search.facts.last_event
    assert len(list(search.children(at=search.facts.last_event))) == 2
    assert len(list(search.children(at=search.facts.last_event - 1))) == 1
    assert search.state_at(1)["state"]["n"] <= 1
    training = site.trainings.get(a_training(owner, row).pk)
    assert training.timeline()["last"] == 1 and training.state_at(1)["last"] == 1


def test_links_are_made_listed_and_revoked(site: Cellwright, owner: User) -> None:
    row = a_search(owner, children=1)
    for stream in (site.searches.get(row.pk), site.trainings.get(a_training(owner, row).pk)):
        assert stream.make_link(days=2).startswith("http://here/shared#")
        (link,) = stream.links()
        assert isinstance(link, Link) and link.expires == pytest.approx(link.created + 2 * 86400, abs=5)
        stream.revoke_link(link)
        assert stream.links() == []


def test_searches_and_trainings_are_shared_and_listed_together(site: Cellwright, owner: User) -> None:
    get_or_create_user("ann lee")
    row = a_search(owner, children=1)
    for stream in (site.searches.get(row.pk), site.trainings.get(a_training(owner, row).pk)):
        stream.share("ann lee", "co-owner")
        assert [(share.user, share.role) for share in stream.shares()] == [("ann lee", "co-owner")]
        stream.unshare("ann lee")
        assert stream.shares() == []
    assert [each.kind for each in site.streams()] == ["training", "search"]
    assert site.account()["name"] == "owner"


def test_searches_stand_beside_random_search_in_groups_and_in_comparisons(site: Cellwright, owner: User) -> None:
    search = site.searches.get(a_search(owner, children=3).pk)
    beside = search.start_companion()
    assert beside.config["strategy"]["kind"] == "random" and search.start_companion().id == beside.id
    assert search.tests.against_random()["verdict"] == "waiting"
    own = search.config["reproducibility"]["seed"]
    (more,) = site.searches.start_group(search, [own, own + 1])
    assert more.config["reproducibility"]["seed"] == own + 1 and site.searches.start_group(search, [own + 1]) == []
    a_worker()
    assert site.searches.estimate_group(demo_json(), [1, 2, 3]).children == 360
    assert [line["name"] for family in site.compare(search, beside.id)["families"] for line in family["lines"]]


def test_an_architecture_is_proposed_to_a_running_search(site: Cellwright, owner: User) -> None:
    search = site.searches.get(a_search(owner, children=1).pk)
    step, slot = search.propose(search.child(0, 0))
    assert (step, slot) >= (0, 0)
    takers = site.architectures.searches_that_take(search.child(0, 0))
    assert [each["takes"] for each in takers] == ["proposal"]


@pytest.fixture
def shared(owner: User, tmp_path: Path) -> Search:
    """A small search with shared weights, over, with candidates."""
    config = fake_shared.small_config(candidates=80, train=0)
    group = Group.objects.create(owner=owner)
    row = lifecycle.create_search(
        owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA, group=group, priority=2
    )
    work_off(tmp_path / "work", kinds=("share", "teach", "derive"))
    return row


def test_shared_scores_are_asked_for_and_put_to_the_test(site: Cellwright, shared: Search) -> None:
    search = site.searches.get(shared.pk)
    assert "epochs" in str(search)
    with pytest.raises(CellwrightError, match="This search is random itself"):
        search.tests.shared_against_random()
    assert search.tests.honesty_meter_cost(5, 1)["networks"] == 5
    assert len(search.tests.start_honesty_meter(5, 1)["networks"]) == 5
    assert search.tests.stop_honesty_meter()["is_open"] is False
    assert {each["state"] for each in search.tests.honesty_meter()["networks"]} == {"stopped"}
    space = build_space(read_search_config(search.config).space)
    asked = search.tests.ask_score(Architecture(space.decode([0] * len(space.decisions)).to_json()))
    assert search.tests.score(asked["id"])["state"] == "waiting" and len(search.tests.scores()) == 1


def test_a_training_is_weighed_started_from_a_child_and_steered(site: Cellwright, owner: User) -> None:
    a_worker()
    search = site.searches.get(a_search(owner, children=1).pk)
    child = search.best()
    assert site.trainings.estimate(child).parameters is not None
    training = site.trainings.start(child, epochs=2, key="once")
    assert site.trainings.start(child, epochs=2, key="once").id == training.id
    assert str(training) == "Child 0.0 of Two-minute demo: running, 0 of 2 epochs"
    assert training.architecture().hash == child.hash and training.architecture_file("picture.svg").startswith(b"<svg")
    assert training.pause().state == "paused" and training.resume().state == "running"
    assert training.change(priority="later", name="Mine")["name"] == "Mine"
    assert [event["kind"] for event in training.events()][0] == "training_started"
    assert training.stop().is_over and training.time_left()["seconds"] is None and training.outlook()["goes"]
    assert [each.id for each in site.trainings.all(of_search=search.id)] == [training.id]
    with pytest.raises(CellwrightError, match="only a finished one can be bundled"):
        training.bundle()
    training.delete()
    assert site.trainings.get(training.id).state == "deleting"


def test_a_bundle_is_saved_checked_and_an_absent_one_is_asked_for(site: Cellwright, tmp_path: Path) -> None:
    training = site.trainings.get(finished_training(tmp_path / "spool", b"PK bundle").pk)
    assert training.result == 0.5 and training.measure == "test accuracy"
    assert training.save_bundle(tmp_path).read_bytes() == b"PK bundle"
    assert training.file("Weights").read() == b"weights" and len(training.files()) == 2
    with pytest.raises(CellwrightError, match="is 'Plan', which no file has; there is"):
        training.file("Plan")


def test_the_bundle_of_a_training_that_has_none_is_made_and_waited_for(site: Cellwright, tmp_path: Path) -> None:
    row = finished_training(tmp_path / "spool", None)
    training = site.trainings.get(row.pk)

    def give_up(seconds: float) -> None:
        assert row.jobs.update(state="dropped") == 1

    site.connection.sleep = give_up
    with pytest.raises(CellwrightError, match="No bundle of this training could be made"):
        training.bundle()


def test_the_files_of_a_search_are_listed(site: Cellwright, owner: User) -> None:
    assert site.searches.get(a_search(owner).pk).files() == []


def test_the_gallery_is_read_kept_renamed_counted_and_edited(site: Cellwright, tmp_path: Path) -> None:
    published = site.architectures.get("nasnet-a")
    assert published.hash == read_published("nasnet-a").architecture.hash and published.told["source"]
    assert "nasnet-a" in {each.name for each in site.architectures.all()} and published._repr_svg_().startswith("<svg")
    text = published.file("architecture.json").decode()
    assert site.architectures.read(text).hash == published.hash
    kept = site.architectures.keep("Mine", text)
    kept.rename("Ours")
    assert site.architectures.get(kept.key).facts.title == "Ours"
    counts = site.architectures.describe(kept, image_size=32, classes=10)
    assert counts["parameters"] > 1000
    assert site.architectures.transfer(published)["published"]
    assert site.architectures.fit(published, 10**6)["fits"]
    with pytest.raises(CellwrightError) as raised:
        site.architectures.fit(published, -1)
    assert raised.value.field == "budget"
    kept.delete()
    with pytest.raises(CellwrightError, match="There is no such architecture"):
        site.architectures.get(kept.key)


def test_an_architecture_is_edited_place_by_place(site: Cellwright) -> None:
    published = site.architectures.get("nasnet-a")
    place = "normal.blocks.0.operations.0"
    (menu, *_) = site.architectures.edit_options(published, place)
    now = next(each["choice"] for each in menu["options"] if each["is_chosen"])
    other = next(each["choice"] for each in menu["options"] if not each["is_chosen"] and not each["refusal"])
    edited = site.architectures.edit(published, [(place, other)])
    assert edited.hash != published.hash and site.architectures.edit(edited, [(place, now)]).hash == published.hash


def test_a_bundle_is_looked_at_kept_and_saved_again(site: Cellwright, tmp_path: Path) -> None:
    file = tmp_path / "bundle.zip"
    file.write_bytes(a_bundle())
    assert site.architectures.read_bundle(file)["recorded"]["test"] == 0.5
    kept = site.architectures.keep_bundle("Clothes", file)
    assert kept.hash == CELL.hash and site.architectures.keep_bundle("Clothes", file).key == kept.key
    assert kept.save_bundle(tmp_path / "again.zip").read_bytes() == file.read_bytes()


def test_own_images_are_sent_in_pieces_checked_used_renamed_and_deleted(
    site: Cellwright, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.QUARANTINE_DIR, settings.DATA_SETS_DIR = tmp_path / "quarantine", tmp_path / "data"
    monkeypatch.setattr(checking, "start", checking.check)
    monkeypatch.setattr("webapp.searches.datasets.uploads.PIECE_BYTES", 10_000)
    archive = tmp_path / "pets.zip"
    archive.write_bytes(pets({"cat/not.png": b"no picture"}))
    mine = site.data.upload_images(archive, "Pets")
    assert mine.facts.name.startswith("own-") and mine.facts.size > mine.facts.piece_bytes
    assert "not.png" in mine.refused() and mine.save_preview(tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert site.data.samples(mine.facts.name).startswith(b"\x89PNG")
    mine.rename("My pets")
    assert [each.facts.title for each in site.data.own()] == ["My pets"]
    site.data.get(mine.facts.id).delete()
    assert site.data.own() == [] and {each["name"] for each in site.data.known()["known"]} >= {"fashion-mnist-10k"}


def test_a_text_is_sent_and_one_that_is_refused_says_why(
    site: Cellwright, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.QUARANTINE_DIR, settings.DATA_SETS_DIR = tmp_path / "quarantine", tmp_path / "data"
    monkeypatch.setattr(checking, "start", checking.check)
    text = tmp_path / "words.txt"
    text.write_text("so it goes\n" * 20_000)
    assert site.data.upload_text([text], "Words").facts.state == "ready"
    text.write_bytes(b"\xff" * 1000)
    with pytest.raises(CellwrightError, match="UTF-8"):
        site.data.upload_text([text], "Noise")
    assert OwnData.objects.filter(state="refused").count() == 1


def test_workers_and_hosts_are_drained_and_used_again(site: Cellwright) -> None:
    a_worker("core 0")
    Host.objects.create(name="here")
    site.workers.drain("core 0")
    assert [(each.name, each.is_drained) for each in site.workers.all()] == [("core 0", True)]
    site.workers.use("core 0")
    site.workers.drain_host("here")
    assert [each.is_drained for each in site.workers.hosts()] == [True] and site.workers.all()[0].is_drained
    site.workers.use_host("here")
    assert site.workers.waiting() == []
    assert not site.workers.all()[0].is_drained


def test_a_webhook_is_added_tested_changed_and_removed(site: Cellwright) -> None:
    added = site.notices.add_webhook("https://192.0.2.1/hook", ["ended"], label="Mine")
    assert [each["label"] for each in site.notices.targets()] == ["Mine"] and added["secret"]
    site.notices.change(added["id"], ["failed", "stalled"])
    site.notices.test(added["id"])
    assert [len(each["deliveries"]) for each in site.notices.all()] == [1]
    assert site.notices.renew_secret(added["id"]) != added["secret"]
    site.notices.remove(added["id"])
    assert site.notices.targets() == []
    with pytest.raises(CellwrightError) as raised:
        site.notices.add_email()
    assert raised.value.field == "kind"


def test_a_wrong_token_is_refused_like_anything_else() -> None:
    with pytest.raises(CellwrightError) as raised:
        next(Cellwright("http://here", "cw_wrong", transport=ApiTransport()).searches.all())
    assert raised.value.status == 401


def test_address_and_token_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLWRIGHT_URL", "http://there/")
    monkeypatch.setenv("CELLWRIGHT_TOKEN", "cw_2")
    assert repr(Cellwright()) == "<Cellwright http://there>"


def test_these_stories_reach_every_operation_that_a_script_may_want(asked: set[str]) -> None:
    """To be run with the whole file."""
    every = {told["operationId"] for methods in api.get_openapi_schema()["paths"].values()
             for told in methods.values()}  # fmt: skip
    assert every >= LEFT_OUT
    assert every - asked == LEFT_OUT, "give the client a method for what is new, or say why it needs none"
