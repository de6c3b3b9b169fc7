"""Options that a person bans while a search runs, takes back, or may not ban; over HTTP too."""

import json

import pytest

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.errors import ConfigError
from tests.faults import fake_engine, fake_shared
from tests.faults.steady_worker import work_off
from tests.faults.straight_run import compared as compared_with_a_straight_run
from tests.web.example_search import CONFIG, a_search
from webapp.accounts.models import User
from webapp.searches import checker, event_log, leases, lifecycle, live_state, steering
from webapp.searches.companion import companion_of, start_with_companion
from webapp.searches.comparison import compared
from webapp.searches.models import Child

pytestmark = pytest.mark.django_db
ALL = 10_000


@pytest.fixture
def owner(settings, tmp_path, client):
    settings.ARTIFACTS_DIR = tmp_path / "store"
    owner = User.objects.create(name="owner")
    client.force_login(owner)
    return owner


def new_search(owner, **sizes):
    config = fake_engine.small_config(**({"children": 12, "step_size": 4} | sizes))
    return lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)


def steered(search):
    return [event for event in event_log.read(search.pk, 0, ALL) if event["kind"] == "search_steered"]


def refused(search, bans):
    with pytest.raises(ConfigError) as error:
        lifecycle.steer(search.pk, bans)
    return error.value.field, error.value.message


def ended(search, folder):
    work_off(folder)
    search.refresh_from_db()
    assert search.state == "finished" and checker.check(search) == []
    assert list(compared_with_a_straight_run(search, fake_engine)) == []
    return search


@pytest.mark.parametrize("lookahead", [0, 1, 2])
@pytest.mark.parametrize("jobs", [0, 4, 6])
def test_a_steered_search_equals_one_that_knew_it_from_the_start(owner, tmp_path, jobs, lookahead):
    search = new_search(owner, lookahead=lookahead, children=20)
    work_off(tmp_path, jobs=jobs)
    lifecycle.steer(search.pk, {"operation": ["identity"]})
    search.refresh_from_db()
    (change,) = search.changes
    from_step = search.steps_told + 1 + lookahead if jobs else 0
    assert change == {"from_step": from_step, "bans": {"operation": ["identity"]}}
    plain = new_search(owner, lookahead=lookahead, children=20)
    assert ended(search, tmp_path).fingerprint != ended(plain, tmp_path).fingerprint


def test_the_event_says_what_is_banned_and_from_which_step_on_and_an_update_under_way_is_done_again(owner, tmp_path):
    search = new_search(owner)
    work_off(tmp_path, jobs=5)
    update = leases.claim("slow", ("learn",))
    lifecycle.steer(search.pk, {"operation": ["identity", "conv_3x3"], "normal 1 input 1": []})
    (event,) = steered(search)
    assert (event["bans"], event["from_step"]) == ({"operation": ["identity", "conv_3x3"]}, 1)
    with pytest.raises(leases.LeaseLost):
        leases.holding(update.job_id, update.fence)
    state = live_state.state_at(search)
    assert state["bans"] == {"operation": {"banned": ["identity", "conv_3x3"], "since": 1}}
    assert state["log"][-1]["text"] == "Steered from step 1 on: operation without identity, conv_3x3."


def test_what_is_in_force_already_is_no_event_and_what_is_taken_back_is_one(owner):
    search = new_search(owner)
    lifecycle.steer(search.pk, {"operation": []})
    lifecycle.steer(search.pk, {"operation": ["identity", "conv_3x3"]})
    lifecycle.steer(search.pk, {"operation": ["conv_3x3", "identity"]})
    lifecycle.steer(search.pk, {"operation": []})
    assert [event["bans"]["operation"] for event in steered(search)] == [["identity", "conv_3x3"], []]
    search.refresh_from_db()
    assert steering.bans_of(search) == {} and live_state.state_at(search)["bans"] == {}
    assert steering.first_steered(search) == 0


@pytest.mark.parametrize(
    ("bans", "field", "message"),
    [
        ({"kernel": ["identity"]}, "bans.kernel",
         "is no decision of this search; must be one of its, or input, operation, combination."),
        ({"operation": ["conv_9x9"]}, "bans.operation", "names 'conv_9x9', which is no option there."),
        ({"combination": ["add", "concat"]}, "bans.combination",
         "would leave normal 1 combination without an option."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_at_its_place_and_changes_nothing(client, owner, bans, field, message):
    search = a_search(owner)
    assert refused(search, bans) == (field, message)
    answer = post(client, search, bans)
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"field": field, "message": message}])
    search.refresh_from_db()
    assert search.changes == [] and steered(search) == []


def test_it_is_too_late_when_everything_is_drawn_unless_there_will_be_more(owner, tmp_path):
    search = new_search(owner, children=8, lookahead=1)
    work_off(tmp_path, jobs=2)
    assert refused(search, {"operation": ["identity"]}) == (
        "", "All 8 children are drawn, so a ban would change nothing unless there were more of them."
    )  # fmt: skip
    lifecycle.change_limits(search.pk, {"children": 12})
    lifecycle.steer(search.pk, {"operation": ["identity"]})
    assert ended(search, tmp_path).children.count() == 12


def test_with_shared_weights_a_ban_holds_from_the_next_epoch_on(owner, tmp_path):
    search = lifecycle.create_search(
        owner, fake_shared.small_config(epochs=3, train=0), decisions=fake_engine.DECISIONS, data=fake_engine.DATA
    )
    work_off(tmp_path, jobs=2)
    lifecycle.steer(search.pk, {"operation": ["identity"]})
    search.refresh_from_db()
    assert search.changes == [{"from_step": search.steps_told + 1, "bans": {"operation": ["identity"]}}]
    assert live_state.state_at(search)["log"][-1]["text"] == (
        f"Steered from epoch {search.steps_told + 2} on: operation without identity."
    )
    ended(search, tmp_path)


def test_steering_over_http_happens_once_per_key_and_tells_what_is_in_force(client, owner):
    search = a_search(owner)
    for _ in range(2):
        answer = post(client, search, {"operation": ["identity"]})
        assert (answer.status_code, answer.json()) == (
            200, {"id": str(search.pk), "bans": {"operation": ["identity"]}},
        )  # fmt: skip
    assert len(steered(search)) == 1
    assert post(client, search, {"operation": []}, "other").json()["bans"] == {}
    assert client.get(f"/api/searches/{search.pk}/changes").json()[1] == {"from_step": 0, "bans": {"operation": []}}


def test_strangers_and_searches_that_have_ended_are_refused(client, owner):
    search = a_search(owner)
    lifecycle.stop(search.pk)
    answer = post(client, search, {"operation": ["identity"]})
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["message"] == (
        "This search is stopped; only a running or paused one can be steered."
    )
    client.force_login(User.objects.create(name="stranger"))
    assert post(client, search, {"operation": []}).status_code == 404


def post(client, search, bans, key="k"):
    address = f"/api/searches/{search.pk}/steer"
    return client.post(
        address, json.dumps({"bans": bans}), content_type="application/json", headers={"Idempotency-Key": key}
    )


def test_a_comparison_says_that_the_search_was_steered_and_takes_no_steered_random_search(owner):
    config = CONFIG.model_copy(update={"name": "with random"})
    search = start_with_companion(owner, config)
    random = companion_of(search)
    assert compared(search).sentences == ()
    lifecycle.steer(search.pk, {"operation": ["identity"]})
    search.refresh_from_db()
    (said,) = compared(search).sentences
    assert said == (
        "This search was steered by a person from step 0 on, and random search was not: a difference may come from "
        "what was banned rather than from what the controller learned."
    )
    Child.objects.create(
        search=random, step=0, slot=0, decisions=[], architecture={}, hash="a", log_probability=-1, is_final=True,
        reward=0.5, parameters=1, mult_adds=1, seconds=1.0,
    )  # fmt: skip
    assert compared(search).pool == 1
    lifecycle.steer(random.pk, {"operation": ["identity"]})
    assert compared(search).pool == 0
    assert compared(search).sentences[-1].startswith("The random companion was steered by a person")


def test_the_form_of_a_copy_says_that_nothing_is_banned_there(client, owner):
    search = a_search(owner)
    page = f"/searches/new?clone={search.pk}"
    said = "the copy starts with nothing banned"
    assert said not in client.get(page).content.decode()
    lifecycle.steer(search.pk, {"operation": ["identity"]})
    assert said in client.get(page).content.decode()


def identities(blocks):
    cell = Cell((Block((0, 1), ("identity", "identity"), "add"),) * blocks, tuple(range(2, 2 + blocks)))
    return CellArchitecture(cell, cell)


@pytest.mark.parametrize("lookahead", [0, 1])
@pytest.mark.parametrize("reuse", ["off", "copy"])
def test_a_proposal_is_trained_beside_the_next_step_and_is_no_drawn_child(owner, tmp_path, lookahead, reuse):
    search = new_search(owner, lookahead=lookahead, children=14, finalists=2, reuse=reuse)
    work_off(tmp_path, jobs=5)
    for _ in range(2):
        lifecycle.propose(search.pk, identities(5).to_json())
    search.refresh_from_db()
    step = search.steps_told + 1 + lookahead
    assert steering.place_of_last_proposal(search) == (step, 5)
    ended(search, tmp_path)
    proposed = Child.objects.filter(search=search, off_policy=True)
    assert list(proposed.order_by("slot").values_list("step", "slot", "is_final")) == [(step, 4, True), (step, 5, True)]
    assert (search.total, Child.objects.filter(search=search).count()) == (14, 16)
    state = live_state.state_at(search)
    assert (state["done"], state["total"], state["proposals"]) == (14, 14, {"asked": 2, "done": 2, "left_out": 0})
    assert {point[0] for point in state["points"]} >= {4 * step + 3.01, 4 * step + 3.02}
    said = [line["text"] for line in state["log"]]
    assert f"A person proposed an architecture: it is trained beside step {step}, off-policy." in said


@pytest.mark.parametrize("reuse", ["off", "copy"])
def test_a_proposal_beside_a_shorter_last_step_is_trained_too(owner, tmp_path, reuse):
    """Its slot is the first behind a whole step, so that the slots of this step have a gap."""
    search = new_search(owner, children=6, reuse=reuse)
    work_off(tmp_path, jobs=1)
    for _ in range(2):
        lifecycle.propose(search.pk, identities(5).to_json())
    ended(search, tmp_path)
    last = Child.objects.filter(search=search, step=1).order_by("slot")
    assert [(child.slot, child.off_policy, child.is_final) for child in last] == [
        (0, False, True), (1, False, True), (4, True, True), (5, True, True),
    ]  # fmt: skip
    assert (last[3].twin_slot == 4) == (reuse == "copy")


def test_a_proposal_whose_step_a_smaller_total_leaves_out_is_told_and_comes_back_with_a_larger_one(owner, tmp_path):
    search = new_search(owner, children=20)
    work_off(tmp_path, jobs=5)
    lifecycle.propose(search.pk, identities(5).to_json())
    search.refresh_from_db()
    (step,) = [change["from_step"] for change in search.changes]
    lifecycle.change_limits(search.pk, {"children": 4 * step})
    state = live_state.state_at(search)
    assert state["proposals"] == {"asked": 1, "done": 0, "left_out": 1}
    assert state["log"][-1]["text"] == (
        f"Limits changed: {4 * step} children in all from step {step} on. 1 proposed architecture is left out, for a "
        "step that is not drawn any more, unless the total grows again."
    )
    lifecycle.change_limits(search.pk, {"children": 4 * step + 1})
    assert live_state.state_at(search)["proposals"]["left_out"] == 0
    ended(search, tmp_path)
    assert live_state.state_at(search)["proposals"] == {"asked": 1, "done": 1, "left_out": 0}


def test_a_proposal_over_http(client, owner):
    search = a_search(owner)
    address = f"/api/searches/{search.pk}/proposals"
    blocks = CONFIG.space.blocks

    def propose(architecture, key):
        body = json.dumps({"architecture": architecture})
        return client.post(address, body, content_type="application/json", headers={"Idempotency-Key": key})

    for _ in range(2):
        answer = propose(identities(blocks).to_json(), "once")
        assert (answer.status_code, answer.json()) == (
            201, {"id": str(search.pk), "step": 0, "slot": CONFIG.strategy.step_size, "url": f"/searches/{search.pk}"},
        )  # fmt: skip
    refused = propose(identities(blocks + 1).to_json(), "other")
    message = f"has {blocks + 1} blocks; this space has {blocks}."
    assert (refused.status_code, refused.json()["errors"]) == (
        422, [{"field": "architecture.normal.blocks", "message": message}],
    )  # fmt: skip
    (change,) = client.get(f"/api/searches/{search.pk}/changes").json()
    assert change == {"from_step": 0, "proposal": identities(blocks).to_json()}
    lifecycle.stop(search.pk)
    assert propose(identities(blocks).to_json(), "late").status_code == 409


def test_shared_weights_take_no_proposal(owner):
    search = lifecycle.create_search(
        owner, fake_shared.small_config(), decisions=fake_engine.DECISIONS, data=fake_engine.DATA
    )
    with pytest.raises(ConfigError, match="whose architectures share their weights; they can give it a score"):
        lifecycle.propose(search.pk, identities(5).to_json())
    search.refresh_from_db()
    assert search.changes == []
