"""How long a training takes, told from layers, mult-adds and bytes: by hand, and found again from what it told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_engine import cost
from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.config.layout import NasBench201LayoutConfig
from search_engine.network_plan import plan
from search_engine.training_speed import Measured, TrainingSpeed, Work, fitted, mean_work, work_of

WORKS = [Work(100, 1e6, 4e5), Work(300, 4e6, 1e6), Work(150, 6e7, 5e6), Work(80, 1e8, 2e6)]
figures = st.floats(1e-3, 1e3)


def told(speed: TrainingSpeed, works: list[Work]) -> list[Measured]:
    """What such a device would take for a step of a batch of 32."""
    return [Measured(work, 32, speed.seconds(work, images=32, batch_size=32)) for work in works]


def test_calls_count_once_a_batch_and_the_rest_once_an_image() -> None:
    speed, work = TrainingSpeed(layer=1e-4, mult_add=1e-10, byte=1e-9), Work(layers=50, mult_adds=1e6, bytes=2e5)
    # Ten batches of 20: 50 layers of 0.1 ms each; 200 images of 0.1 ms of arithmetic and 0.2 ms of memory.
    assert speed.seconds(work, images=200, batch_size=20) == pytest.approx(10 * 50e-4 + 200 * (1e-4 + 2e-4))


def test_a_plan_is_counted_as_it_is() -> None:
    network = plan(
        NasBench201Architecture(("nor_conv_3x3",) * 6),
        NasBench201LayoutConfig(),
        image_channels=1,
        image_size=28,
        classes=10,
    )
    kept = cost.activation_bytes(network, 1)
    assert work_of(network) == Work(len(network.layers), cost.mult_adds(network), kept)
    assert cost.activation_bytes(network, 7) == 7 * kept


def test_the_time_of_the_mean_is_the_mean_of_the_times() -> None:
    speed = TrainingSpeed(1e-4, 3e-11, 4e-10)
    each = [speed.seconds(work, images=500, batch_size=16) for work in WORKS]
    assert speed.seconds(mean_work(WORKS), images=500, batch_size=16) == pytest.approx(sum(each) / len(each))


@given(figures, figures, figures)
def test_a_speed_is_found_again_from_the_times_that_it_tells(layer: float, mult_add: float, byte: float) -> None:
    speed = TrainingSpeed(1e-4 * layer, 1e-11 * mult_add, 1e-10 * byte)
    measured = told(speed, WORKS)
    assert [each.seconds for each in told(fitted(measured), WORKS)] == pytest.approx([one.seconds for one in measured])


def test_nothing_takes_less_than_no_time_though_a_line_would_say_so() -> None:
    measured = told(TrainingSpeed(1e-4, 3e-11, 4e-10), WORKS)
    measured[2] = Measured(WORKS[2], 32, measured[2].seconds / 3)  # As if memory were for nothing, and more.
    assert min(fitted(measured)) == 0.0 and max(fitted(measured)) > 0.0


@given(st.lists(st.floats(1e-3, 10.0), min_size=1, max_size=4))
def test_whatever_was_measured_gives_a_speed(seconds: list[float]) -> None:
    speed = fitted([Measured(work, 32, each) for work, each in zip(WORKS, seconds, strict=False)])
    assert min(speed) >= 0.0 and all(speed.seconds(work, images=1, batch_size=1) > 0.0 for work in WORKS)
