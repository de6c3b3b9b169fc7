"""What a comparison draws of shared weights: every epoch counts, also where the page's state has thinned them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search_engine.config.enas_search import EnasMicroSearchConfig
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches.curves import MOST_MEANS, MOST_STEPS, curves_of_search
from webapp.searches.live_state import LIMITS, state_at
from webapp.searches.models import Event, Search
from webapp.searches.start import start_search

RECORDED = json.loads((Path(__file__).parents[1] / "golden/streams/enas-micro.json").read_text())["events"]
EPOCHS = LIMITS.epochs + 200


@pytest.fixture
def owner(db: None) -> User:
    return get_or_create_user("owner")


def epochs(count: int) -> Iterator[dict[str, Any]]:
    """Epochs of two seconds and phases of three. The best scores rise up to the middle; the mean scores fall."""
    shared, phase = (
        next(event for event in RECORDED if event["kind"] == kind)
        for kind in ("shared_epoch_ended", "controller_phase_ended")
    )
    for step in range(count):
        yield shared | {"step": step, "seconds": 2.0}
        best = min(step, count // 2) / count
        yield phase | {"step": step, "seconds": 3.0, "mean_reward": 1 - step / count, "best_reward": best}


@pytest.fixture
def search(owner: User) -> Search:
    search = Search.objects.get(pk=start_search(owner, EnasMicroSearchConfig()).pk)
    rows = []
    for number, event in enumerate(epochs(EPOCHS), search.last_event + 1):
        payload = {key: value for key, value in event.items() if key not in ("n", "at", "kind")}
        rows.append(Event(stream_id=search.pk, number=number, kind=event["kind"], payload=payload, at=float(number)))
    Event.objects.bulk_create(rows)
    Search.objects.filter(pk=search.pk).update(last_event=rows[-1].number, steps_told=EPOCHS, epochs_shared=EPOCHS)
    return Search.objects.get(pk=search.pk)


def test_epochs_that_the_state_has_thinned_count_in_seconds_best_and_late_scores(search: Search) -> None:
    assert len(state_at(search)["shared"]["curve"]) <= LIMITS.epochs < EPOCHS
    curves = curves_of_search(search)
    assert curves.done == EPOCHS and curves.compute == pytest.approx(5.0 * EPOCHS)
    assert curves.best == 0.5 and curves.best_by_compute[-1] == (pytest.approx(5.0 * EPOCHS), 0.5)
    late = [1 - step / EPOCHS for step in range(EPOCHS - EPOCHS // 4, EPOCHS)]
    assert curves.late == pytest.approx(sum(late) / len(late))


def test_what_is_drawn_of_them_is_bounded_and_reaches_both_ends(search: Search) -> None:
    curves = curves_of_search(search)
    assert len(curves.means) <= MOST_MEANS and len(curves.best_by_children) <= MOST_STEPS + 1
    assert (curves.means[0], curves.means[-1]) == ((0.0, 1.0), (EPOCHS - 1, pytest.approx(1 / EPOCHS)))
