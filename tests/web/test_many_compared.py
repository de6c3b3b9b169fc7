"""Many searches and trainings side by side: curves by hand, families, lines over seeds, the page and the API."""

from typing import Any

import pytest
from django.test import Client

from search_engine.config.enas_search import EnasMicroSearchConfig
from search_engine.events import ChildFinished
from tests.web.example_search import CONFIG, a_search, a_training
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import event_log, groups
from webapp.searches.curves import MOST_POINTS, curves_of_search
from webapp.searches.groups import Wanted
from webapp.searches.many_compared import chosen_streams, families_of
from webapp.searches.models import Child, Event, Search, Stream
from webapp.searches.start import start_search

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]


def with_rewards(search: Search, rewards: list[float]) -> Search:
    """The children of the example, with these rewards in the order in which they were drawn."""
    for child, reward in zip(search.children.order_by("step", "slot"), rewards, strict=True):
        Child.objects.filter(pk=child.pk).update(reward=reward)
    return search


def a_group(owner: User, seeds: int, *, base: float = 0.5) -> list[Search]:
    """The example with so many seeds, each with three children of which the best is base + seed / 100."""
    first = with_rewards(a_search(owner, children=3), [base, base + 0.01, base - 0.1])
    _, started = groups.add_members(first, Wanted(seeds=range(1, seeds + 1)))
    for place, search in enumerate(started):
        for child in first.children.order_by("step", "slot"):
            child.pk, child.search = None, search
            child.reward += (place + 1) / 100
            child.save()
    return [first, *started]


def test_best_so_far_by_hand_against_children_and_compute(owner: User) -> None:
    search = with_rewards(a_search(owner, children=5), [0.3, 0.5, 0.4, 0.6, 0.2])
    found = curves_of_search(search)
    assert found.best_by_children == ((0, 0.3), (1, 0.5), (3, 0.6), (4, 0.6))
    assert found.best_by_compute == ((1, 0.3), (3, 0.5), (10, 0.6), (15, 0.6))  # Children take 1, 2, 3, 4, 5 seconds.
    assert (found.best, found.compute, found.counted) == (0.6, 15.0, 5)
    assert (found.quantiles[0], found.quantiles[25], found.quantiles[-1]) == pytest.approx((0.2, 0.4, 0.6))
    assert found.means == ((4, pytest.approx(0.4)),)


def test_the_late_children_follow_the_steps_that_were_told_though_no_child_is_new(owner: User) -> None:
    search = with_rewards(a_search(owner, children=4), [0.3, 0.5, 0.4, 0.6])
    Search.objects.filter(pk=search.pk).update(steps_told=0)
    assert curves_of_search(Search.objects.get(pk=search.pk)).late is None
    Search.objects.filter(pk=search.pk).update(steps_told=2)
    assert curves_of_search(Search.objects.get(pk=search.pk)).late == pytest.approx(0.45)


def test_by_the_clock_the_order_is_that_of_the_ends(owner: User) -> None:
    search = with_rewards(a_search(owner, children=2), [0.3, 0.5])
    for slot in (1, 0):  # The second child ends first.
        told = {"reward": 0.5 if slot else 0.3, "reason": None, "twin": None, "parameters": 1, "mult_adds": 1}
        event_log.append(search.pk, [ChildFinished(step=0, slot=slot, seconds=1.0, **told)])
        at = search.created + (10 if slot else 20)
        last = Event.objects.filter(stream_id=search.pk, kind="child_finished").latest("number")
        Event.objects.filter(pk=last.pk).update(at=at)
    assert curves_of_search(search).best_by_clock == ((pytest.approx(10), 0.5), (pytest.approx(20), 0.5))


def test_copies_and_stated_rewards_are_never_the_best(owner: User) -> None:
    search = with_rewards(a_search(owner, children=3), [0.3, 0.9, 0.8])
    rows = list(search.children.order_by("step", "slot"))
    Child.objects.filter(pk=rows[1].pk).update(twin_step=0, twin_slot=0)
    Child.objects.filter(pk=rows[2].pk).update(reason="diverged")
    found = curves_of_search(search)
    assert (found.best, found.counted) == (0.3, 2)


def test_curves_are_bounded_and_the_end_stays(owner: User) -> None:
    search = a_search(owner, children=1)
    template = search.children.get()
    more = [Child(**_fields(template) | {"step": 1 + at // 10, "slot": at % 10, "reward": 0.5}) for at in range(2000)]
    Child.objects.bulk_create(more)
    found = curves_of_search(search)
    assert len(found.rewards) == MOST_POINTS and found.rewards[-1][0] == 2009
    assert found.best_by_children[-1] == (2009, 0.5)


def _fields(child: Child) -> dict[str, Any]:
    kept = {field.name: getattr(child, field.name) for field in Child._meta.concrete_fields if field.name != "id"}
    return kept | {"is_final": True}


def test_fronts_hold_what_no_cheaper_child_reaches(owner: User) -> None:
    search = with_rewards(a_search(owner, children=4), [0.3, 0.5, 0.4, 0.6])
    for child, parameters in zip(search.children.order_by("step", "slot"), (10, 20, 30, 40), strict=True):
        Child.objects.filter(pk=child.pk).update(parameters=parameters)
    assert curves_of_search(search).fronts["parameters"] == ((10, 0.3), (20, 0.5), (40, 0.6))


def test_a_group_is_one_line_with_its_mean_and_interval_over_seeds(owner: User) -> None:
    members = a_group(owner, 3)
    key = Stream.objects.get(pk=members[0].pk).group_id
    (family,) = families_of(chosen_streams(owner, [key]), frozenset([key]))
    (line,) = family.lines
    assert len(line.runs) == 3 and line.best is not None
    assert line.best.mean == pytest.approx(0.52) and line.best.low < 0.52 - 0.02 < 0.52 + 0.02 < line.best.high
    x, mean, low, high = line.over_seeds["best_by_children"][-1]
    assert (x, mean, low, high) == (2, pytest.approx(0.52), pytest.approx(line.best.low), pytest.approx(line.best.high))


def test_strategies_of_a_group_are_lines_of_their_own_and_few_runs_cannot_tell_them_apart(owner: User) -> None:
    first = with_rewards(a_search(owner, children=3), [0.5, 0.6, 0.4])
    group, (beside,) = groups.add_members(first, Wanted(seeds=[1], strategies=["ppo", "random"]))
    for child in first.children.all():
        child.pk, child.search = None, beside
        child.save()
    (family,) = families_of(chosen_streams(owner, [group.pk]), frozenset([group.pk]))
    assert [line.runs[0].strategy for line in family.lines] == ["ppo", "random"]
    assert any("One run of each proves nothing" in each for each in family.sentences)


def test_two_groups_that_are_far_apart_differ_and_two_alike_are_noise(owner: User) -> None:
    def sentences(one: list[Search], other: list[Search]) -> tuple[str, ...]:
        keys = [Stream.objects.get(pk=each[0].pk).group_id for each in (one, other)]
        (family,) = families_of(chosen_streams(owner, keys), frozenset(keys))
        return family.sentences

    low, high, alike = a_group(owner, 5), a_group(owner, 5, base=0.8), a_group(owner, 5, base=0.505)
    assert any("more than the noise between seeds" in each for each in sentences(low, high))
    assert any("within the noise between seeds" in each for each in sentences(low, alike))


def test_what_means_different_things_is_never_one_family(owner: User) -> None:
    search = a_search(owner, children=2)
    other_data = CONFIG.model_copy(update={"data": CONFIG.data.model_copy(update={"held_out_examples": 400})})
    shared = start_search(owner, EnasMicroSearchConfig())
    streams = [search, a_search(owner), start_search(owner, other_data), shared, a_training(owner, search)]
    found = families_of([Stream.objects.get(pk=each.pk) for each in streams], frozenset())
    assert [family.kind for family in found] == ["children", "children", "shared", "training"]
    assert [len(family.lines) for family in found] == [2, 1, 1, 1]
    assert len({family.title for family in found}) == 4


def test_children_that_were_trained_differently_are_laid_over_each_other_with_a_remark(owner: User) -> None:
    longer = CONFIG.model_copy(update={"recipe": CONFIG.recipe.model_copy(update={"epochs": 7})})
    streams = [a_search(owner), start_search(owner, longer)]
    (family,) = families_of([Stream.objects.get(pk=each.pk) for each in streams], frozenset())
    assert "trained in different ways" in family.remark


def test_what_people_did_to_a_search_is_said_beside_its_figures(owner: User) -> None:
    one, other = a_search(owner, children=3), a_search(owner, children=3)
    bans = {"version": 1, "from_step": 2, "bans": {"0": ["1"]}}
    proposals = [{"version": 1, "from_step": step, "proposal": {}} for step in (1, 2)]
    Search.objects.filter(pk=other.pk).update(name="Steered", changes=[bans, *proposals])
    (family,) = families_of(chosen_streams(owner, [one.pk, other.pk]), frozenset())
    said = (
        "Steered was steered by a person from step 2 on and got 2 architectures that a person proposed: "
        "a difference may come from that."
    )
    assert said in family.sentences


def test_the_api_answers_with_families_and_only_of_ones_own(signed_in: Client, owner: User) -> None:
    mine, foreign = a_search(owner, children=4), a_search(get_or_create_user("other"), children=2)
    reply = signed_in.get(f"/api/compare?streams={mine.pk},{foreign.pk}").json()
    (family,) = reply["families"]
    assert [run["id"] for line in family["lines"] for run in line["runs"]] == [str(mine.pk)]
    assert reply["is_open"] and family["is_share"]
    assert signed_in.get(f"/api/compare?streams={foreign.pk}").status_code == 404
    assert signed_in.get("/api/compare?streams=nothing").status_code == 422


def test_lines_over_decisions_are_even_by_reward_and_bounded(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=30)
    reply = signed_in.get(f"/api/searches/{search.pk}/decision-lines?axes=4&lines=5").json()
    rewards = [line["reward"] for line in reply["lines"]]
    assert rewards == sorted(rewards) and len(rewards) == 5
    assert (rewards[0], rewards[-1]) == pytest.approx((0.5, 0.79))
    assert len(reply["axes"]) == 4 < reply["decisions"] and all(len(line["taken"]) == 4 for line in reply["lines"])
    child = search.children.get(step=reply["lines"][0]["step"], slot=reply["lines"][0]["slot"])
    assert [child.decisions[axis["decision"]] for axis in reply["axes"]] == reply["lines"][0]["taken"]


def test_the_page_says_what_to_do_where_there_is_nothing_or_one(signed_in: Client, owner: User) -> None:
    assert "nothing to compare yet" in signed_in.get("/compare").content.decode()
    search = a_search(owner)
    assert "Tick two or more" in signed_in.get("/compare").content.decode()
    assert "one alone" in signed_in.get(f"/compare?streams={search.pk}").content.decode()
    gone = "00000000-0000-0000-0000-000000000000"
    assert "not there any more" in signed_in.get(f"/compare?streams={gone}").content.decode()
    assert "Tick two or more" in signed_in.get("/compare?streams=nonsense").content.decode()


def test_the_page_marks_settings_that_differ_and_folds_the_others(signed_in: Client, owner: User) -> None:
    other = CONFIG.model_copy(update={"budget": CONFIG.budget.model_copy(update={"children": 77})})
    streams = [a_search(owner), start_search(owner, other)]
    page = signed_in.get(f"/compare?streams={streams[0].pk}&streams={streams[1].pk}")
    (table,) = page.context["tables"]
    (row,) = table.differing
    assert [(value.split()[0], differs) for value, differs in row.cells] == [("120", False), ("77", True)]
    assert "<mark>" in page.content.decode() and len(table.equal) > 10


def test_the_page_says_so_where_not_everything_means_the_same(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=1)
    training = a_training(owner, search)
    page = signed_in.get(f"/compare?streams={search.pk},{training.pk}").content.decode()
    assert "no two of these mean the same" in page


def test_a_search_page_offers_to_run_it_again(signed_in: Client, owner: User) -> None:
    search = a_search(owner)
    page = signed_in.get(f"/searches/{search.pk}").content.decode()
    assert "<compare-again" in page and 'value="random"' in page
