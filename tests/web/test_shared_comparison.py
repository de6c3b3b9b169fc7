"""A search with shared weights against its random companion: what counts, what is waited for, and what is said."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from search_engine.config.enas_search import EnasMicroSearchConfig
from search_engine.config.reading import read_config
from tests.faults import fake_engine, fake_shared
from tests.faults.steady_worker import work_off
from tests.web.example_search import a_search
from webapp.accounts.models import User
from webapp.searches import companion, lifecycle, meter_trainings, shared_comparison
from webapp.searches.models import Child, Group, Search, Training
from webapp.searches.shared_comparison import SharedCompared, compared_shared
from webapp.searches.start import start_training

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]
Pair = tuple[Search, Search]


def a_pair(owner: User, **sizes: Any) -> Pair:
    """A search that learns, by its configuration, and its random companion."""
    value = fake_shared.small_config(**sizes).model_dump(mode="json")
    config = read_config(EnasMicroSearchConfig, value | {"strategy": {"kind": "reinforce", "step_size": 2}})
    group = Group.objects.create(owner=owner)
    search, beside = (
        lifecycle.create_search(owner, each, decisions=fake_engine.DECISIONS, data=fake_engine.DATA, group=group)
        for each in (config, companion.companion_config(config))
    )
    return search, beside


@pytest.fixture
def pair(owner: User) -> Pair:
    return a_pair(owner)


@pytest.fixture
def ended(owner: User, tmp_path: Path) -> Pair:
    pair = a_pair(owner, train=2)
    work_off(tmp_path / "work")
    for search in pair:
        search.refresh_from_db()
    return pair


def derived(search: Search) -> list[Training]:
    return list(Training.objects.filter(child__search=search, for_meter=False).order_by("created", "pk"))


def give(search: Search, *figures: tuple[float, float], examples: int = 10_000) -> None:
    """Held-out and test accuracies to its finished trainings."""
    for training, (held_out, test) in zip(derived(search), figures, strict=True):
        Training.objects.filter(pk=training.pk).update(
            held_out_accuracy=held_out, test_accuracy=test, test_examples=examples
        )


def now(search: Search) -> SharedCompared:
    return compared_shared(Search.objects.get(pk=search.pk))


def test_at_first_it_waits_for_both(pair: Pair) -> None:
    found = now(pair[0])
    assert (found.verdict, found.difference, found.sentences) == ("waiting", None, ())
    assert found.waiting == (
        "A verdict waits for the search to reach its end (0 of 2 epochs), and for the random companion to reach its "
        "end (0 of 2 epochs)."
    )


def test_candidates_do_not_decide_it_waits_for_networks_from_scratch(pair: Pair, tmp_path: Path) -> None:
    work_off(tmp_path / "work", kinds=("share", "teach", "derive"))
    found = now(pair[0])
    assert found.verdict == "waiting" and found.random is not None
    assert found.waiting == (
        "A verdict waits for the search to train its best network from scratch, and for the random companion to train "
        "its best network from scratch."
    )
    assert (found.ours.scored, found.random.scored) == (4, 4) and found.ours.entropy == 2.5
    scores = sorted(Child.objects.filter(search=pair[0]).values_list("reward", flat=True))
    assert found.ours.median_score == pytest.approx((scores[1] + scores[2]) / 2)
    assert found.ours.best_score == scores[3]
    assert found.sentences == (shared_comparison.OWN_WEIGHTS, shared_comparison.FALLING)


def test_the_network_that_counts_is_chosen_by_held_out_figure_and_compared_on_the_test_part(ended: Pair) -> None:
    give(ended[0], (0.90, 0.88), (0.95, 0.86))
    give(ended[1], (0.80, 0.87), (0.70, 0.99))
    found = now(ended[0])
    assert found.ours.best is not None and found.ours.best.test_accuracy == 0.86
    assert found.random is not None and found.random.best is not None and found.random.best.test_accuracy == 0.87
    assert (found.verdict, found.waiting) == ("not ahead", "")
    assert found.difference == pytest.approx(-0.01)
    assert found.sentences[:2] == (
        "Random search is as good or better: the controller's best network, trained from scratch, reaches 86.00 % "
        "against random's 87.00 %.",
        shared_comparison.ONE_RUN,
    )


def test_where_both_reach_the_same_random_is_as_good(ended: Pair) -> None:
    for search in ended:
        give(search, (0.9, 0.85), (0.8, 0.8))
    found = now(ended[0])
    assert found.verdict == "not ahead"
    assert found.sentences[0] == "Random search is as good: both best networks reach 85.00 %."


def test_a_difference_that_the_choice_of_images_explains_decides_nothing(ended: Pair) -> None:
    give(ended[0], (0.9, 0.86), (0.8, 0.8))
    give(ended[1], (0.9, 0.855), (0.8, 0.8))
    found = now(ended[0])
    # 1.96 * sqrt((.86 * .14 + .855 * .145) / 10,000) = .0097: half a point may be chance.
    assert (
        found.verdict == "undecided" and "on 10,000 test images, where 1.0 points may be chance" in found.sentences[0]
    )
    give(ended[0], (0.9, 0.88), (0.8, 0.8))
    ahead = now(ended[0])
    assert ahead.verdict == "ahead" and "2.5 points" in ahead.sentences[0]
    assert ahead.sentences[1] == shared_comparison.ONE_RUN
    give(ended[0], (0.9, 0.88), (0.8, 0.8), examples=100)
    assert now(ended[0]).verdict == "undecided"


def test_of_perplexities_the_lower_one_is_ahead(ended: Pair) -> None:
    for search, figure in zip(ended, (110.0, 120.0), strict=True):
        Training.objects.filter(child__search=search).update(
            held_out_perplexity=figure, test_perplexity=figure, held_out_accuracy=None, test_accuracy=None
        )
    ours, random = (derived(search)[0] for search in ended)
    verdict, difference, said = shared_comparison._judged(ours, random, "perplexity")
    assert (verdict, difference) == ("ahead", -10.0) and "110.0 against random's 120.0; lower is better" in said
    assert shared_comparison._judged(random, ours, "perplexity")[0] == "not ahead"
    same = shared_comparison._judged(ours, ours, "perplexity")
    assert same[0] == "not ahead" and same[2] == (
        "Random search is as good: both best networks have test perplexity 110.0."
    )


def test_networks_of_the_meter_or_of_another_recipe_do_not_count(ended: Pair, tmp_path: Path) -> None:
    search = ended[0]
    meter_trainings.ask(search, networks=3, epochs=2)
    training = derived(search)[0]
    other = fake_shared.small_config().final_training(training.config["architecture"], "mine")
    longer = other.model_copy(update={"recipe": other.recipe.model_copy(update={"epochs": 7})})
    start_training(search.owner, longer, training.child)
    found = now(search)
    assert (found.ours.trainings, found.ours.open) == (2, 0)


def test_without_a_companion_it_says_so_and_without_trainings_too(owner: User, tmp_path: Path) -> None:
    config = fake_shared.small_config()
    alone = lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)
    assert now(alone).waiting == shared_comparison.NO_COMPANION
    search, _ = a_pair(owner, train=0)
    assert now(search).waiting == shared_comparison.NOTHING_TRAINED


def test_where_a_side_ended_without_a_network_there_is_no_verdict(ended: Pair) -> None:
    Training.objects.filter(child__search=ended[1]).update(state="failed")
    found = now(ended[0])
    assert found.waiting == (
        "On the side of the random companion no network was trained from scratch to its end, so the two cannot be "
        "compared."
    )


def test_the_api_tells_all_of_it(ended: Pair, client: Client) -> None:
    give(ended[0], (0.9, 0.86), (0.8, 0.8))
    give(ended[1], (0.9, 0.80), (0.8, 0.8))
    client.force_login(ended[0].owner)
    reply = client.get(f"/api/searches/{ended[0].pk}/shared-comparison").json()
    assert (reply["verdict"], reply["measured"], reply["is_over"]) == ("ahead", "accuracy", True)
    assert reply["difference"] == pytest.approx(0.06)
    assert reply["random"]["best"]["test"] == 0.8 and reply["random"]["url"] == f"/searches/{ended[1].pk}"
    assert reply["search"]["scored"] == 4 and reply["search"]["best"]["url"].startswith("/trainings/")


def test_the_api_refuses_what_cannot_be_compared(ended: Pair, client: Client) -> None:
    client.force_login(ended[0].owner)
    answer = client.get(f"/api/searches/{ended[1].pk}/shared-comparison")
    assert answer.status_code == 422 and "random itself" in answer.json()["errors"][0]["message"]
    answer = client.get(f"/api/searches/{ended[0].pk}/comparison")
    assert answer.status_code == 422 and "shared-comparison" in answer.json()["errors"][0]["message"]
    other = a_search(ended[0].owner)
    assert client.get(f"/api/searches/{other.pk}/shared-comparison").status_code == 422
    client.force_login(User.objects.create(name="stranger"))
    assert client.get(f"/api/searches/{ended[0].pk}/shared-comparison").status_code == 404
