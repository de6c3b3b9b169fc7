"""What shared weights will cost: figures worked by hand."""

from typing import Any

import pytest

from search_engine.config.searches import read_enas_config
from search_engine.training_speed import TrainingSpeed
from webapp.searches.costs import shared_estimate
from webapp.searches.costs.shared_estimate import MINIBATCH_SECONDS, ROUND_SECONDS, shared_cost

pytestmark = pytest.mark.django_db
FLAT = TrainingSpeed(0.0, 1e-9, 0.0)  # A worker that trains a billion mult-adds a second, whatever the network.


def macro(**changes: Any) -> Any:
    """Two layers of one operation on images of 8x8 pixels; whether one skips, which is a sum, costs no mult-adds."""
    config: dict[str, Any] = {
        "method": "enas-macro",
        "space": {"layers": 2, "operations": ["max_pool_3x3"]},
        "supernet": {"filters": 2},
        "shared": {"epochs": 3, "batch_size": 50},
        "phases": {"rounds": 10, "score_batch": 30},
        "strategy": {"kind": "random", "step_size": 4},
        "deriving": {"candidates": 5, "train": 0},
        "data": {"image_size": 8, "train_examples": 1000, "held_out_examples": 100},
    }
    return read_enas_config(config | changes)


def test_an_epoch_is_its_images_and_minibatches_and_a_phase_its_scores_and_rounds() -> None:
    # Stem: 3x3 from 1 to 2 channels on 64 pixels; in both layers 1x1 from 2 to 2 before the pooling; 2 to 10 classes.
    mult_adds = 64 * 9 * 1 * 2 + 2 * 64 * 2 * 2 + 2 * 10
    epoch = 1000 * mult_adds / 1e9 + 20 * MINIBATCH_SECONDS
    score = 30 * mult_adds / 3 / 1e9 + MINIBATCH_SECONDS
    phase = 10 * (4 * score + ROUND_SECONDS)
    cost = shared_cost(macro(), [FLAT])
    assert cost.epoch_seconds == pytest.approx(epoch + phase)
    assert cost.seconds == pytest.approx(3 * (epoch + phase) + 5 * score)
    assert (cost.children, cost.workers) == (5, 1)


def test_without_a_measured_worker_no_time_is_told() -> None:
    cost = shared_cost(macro(), [])
    assert (cost.seconds, cost.epoch_seconds, cost.notes) == (None, None, [])
    assert cost.memory_bytes > 0 and cost.disk_bytes > 0


def test_workers_do_not_share_out_one_search() -> None:
    alone, many = shared_cost(macro(), [FLAT]), shared_cost(macro(), [FLAT] * 3)
    assert alone.seconds == many.seconds
    assert "Shared weights learn on one worker at a time; 2 of 3 are free for other work meanwhile." in many.notes


def test_trainings_from_scratch_come_on_top_side_by_side() -> None:
    none = shared_cost(macro(), [FLAT])
    one = shared_cost(macro(deriving={"candidates": 5, "train": 1}), [FLAT])
    two = shared_cost(macro(deriving={"candidates": 5, "train": 2}), [FLAT])
    beside = shared_cost(macro(deriving={"candidates": 5, "train": 2}), [FLAT] * 2)
    assert none.seconds is not None and one.seconds is not None and two.seconds is not None
    training = one.seconds - none.seconds
    assert training > 0 and two.seconds - none.seconds == pytest.approx(2 * training)
    assert beside.seconds == pytest.approx(one.seconds)


def test_weights_are_counted_as_released() -> None:
    config = read_enas_config(
        {
            "method": "enas-macro",
            "space": {"indexing": "released"},
            "supernet": {"filters": 36},
            "data": {"name": "cifar-10", "image_size": 32},
        }
    )
    weights, _ = shared_estimate._sizes(config, shared_estimate._drawn(config.space))
    assert weights == 697_860  # The supernet of twelve layers in the authors' release.
