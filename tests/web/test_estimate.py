"""The cost before a start: hand-computed times, memory and disk from the plan, and advice that fits."""

import pytest
from django.contrib.auth.models import AnonymousUser

from search_engine.architectures.macro import MacroArchitecture, MacroLayer
from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.architectures.reading import Architecture
from search_engine.config.finals import FinalsConfig
from search_engine.config.search import SearchConfig
from search_engine.config.training import TrainingConfig
from search_engine.cost import parameters
from search_engine.network_plan import plan
from search_engine.presets import COFFEE, PRESETS
from search_engine.spaces.nasnet import NasnetSpace
from search_engine.training_speed import TrainingSpeed
from search_engine.training_start import training_defaults
from tests.web.example_search import CONFIG, a_worker, demo_json
from webapp.searches.costs import advice, estimate, uniform_draws
from webapp.searches.costs.advice import honesty
from webapp.searches.costs.data_limits import data_errors
from webapp.searches.costs.estimate import live_speeds, search_cost, training_cost
from webapp.searches.costs.uniform_draws import drawn_children

FLAT = TrainingSpeed(0.0, 1e-9, 0.0)  # A worker that trains at 10^9 mult-adds a second.


def demo(**changes: object) -> SearchConfig:
    return SearchConfig.model_validate(demo_json(**changes))


def test_time_is_images_times_mult_adds_over_the_rate() -> None:
    cost = search_cost(CONFIG, [FLAT])
    mean = sum(each.mult_adds for each in drawn_children(CONFIG)) / len(drawn_children(CONFIG))
    # One epoch of 2,000 images; forward alone, at a third of the work, 20 batches of 32 and 2,000 held-out images.
    child = (2000 + (640 + 2000) / 3) * mean / 1e9 + estimate.CHILD_OVERHEAD
    assert cost.child_seconds == pytest.approx(child)
    assert cost.seconds == pytest.approx(120 * child + 12 * estimate.STEP_OVERHEAD)


def test_workers_that_do_not_fill_a_step_wait_at_its_end() -> None:
    learning = 12 * estimate.STEP_OVERHEAD
    alone, two, three = (search_cost(CONFIG, [FLAT] * count).seconds for count in (1, 2, 3))
    assert alone is not None and two is not None and three is not None
    assert two - learning == pytest.approx((alone - learning) / 2)
    assert three - learning == pytest.approx((alone - learning) * 4 / 10)  # Ten children on three: four rounds.
    ahead = search_cost(demo(strategy={"lookahead": 1}), [FLAT] * 3).seconds
    assert ahead is not None
    assert ahead - learning == pytest.approx((alone - learning) / 3)


def test_what_a_recipe_trains_along_is_part_of_time_memory_and_disk_but_not_of_the_network() -> None:
    speeds = [FLAT]
    wide = {"child": {"reductions": 2}, "data": {"image_size": 14}}
    plain = SearchConfig.model_validate(wide)
    with_head = SearchConfig.model_validate(wide | {"recipe": {"auxiliary_weight": 0.4}})
    averaging = SearchConfig.model_validate(wide | {"recipe": {"weight_average": 0.9, "optimizer": "rmsprop"}})
    before, head, average = (estimate.search_cost(config, speeds) for config in (plain, with_head, averaging))
    assert (head.parameters, head.mult_adds) == (before.parameters, before.mult_adds)
    assert head.seconds > before.seconds and head.memory_bytes > before.memory_bytes
    assert head.disk_bytes > before.disk_bytes
    assert average.seconds == before.seconds
    assert average.memory_bytes > before.memory_bytes and average.disk_bytes > before.disk_bytes


def test_a_search_that_trains_the_largest_of_what_is_drawn_takes_longer() -> None:
    plain, screened = (search_cost(demo(screening={"drawn": drawn}), [FLAT]) for drawn in (1, 4))
    assert plain.child_seconds is not None and screened.child_seconds is not None
    assert screened.child_seconds > 1.2 * plain.child_seconds
    assert screened.parameters[0] > plain.parameters[0] and screened.memory_bytes >= plain.memory_bytes


def test_time_is_unknown_until_a_worker_is_there() -> None:
    cost = search_cost(CONFIG, [])
    assert (cost.seconds, cost.child_seconds, cost.workers) == (None, None, 0)
    assert cost.memory_bytes > 0 and cost.disk_bytes > 0


@pytest.mark.django_db
def test_only_workers_that_are_there_and_measured_count() -> None:
    a_worker("here")
    a_worker("gone", seconds_ago=estimate.LIVE_SECONDS + 5)
    silent = a_worker("not measured yet")
    silent.speed = []
    silent.save()
    assert live_speeds() == [TrainingSpeed(0.0, 1e-9, 0.0)]


def test_memory_is_that_of_the_largest_hundredth() -> None:
    drawn = drawn_children(CONFIG)
    assert len(drawn) == uniform_draws.DRAWS
    each = sorted(32 * child.work.bytes + 12 * child.parameters for child in drawn)
    assert search_cost(CONFIG, []).memory_bytes == each[197]
    assert search_cost(demo(recipe={"batch_size": 64}), []).memory_bytes > 1.8 * each[197]


def test_draws_are_the_same_every_time() -> None:
    assert drawn_children(CONFIG) == drawn_children(demo())


def test_more_epochs_keep_more_checkpoints() -> None:
    few, many = (search_cost(demo(recipe={"epochs": epochs}), []).disk_bytes for epochs in (1, 5))
    drawn = drawn_children(CONFIG)
    mean = sum(child.parameters for child in drawn) / len(drawn)
    rows = 120 * 4 * estimate.ROW_BYTES_EPOCH
    assert many - few == pytest.approx(120 * 4 * 8 * mean + rows, rel=0.001)


@pytest.mark.parametrize(
    "architecture",
    [MacroArchitecture((MacroLayer("conv_3x3"),) * 3), NasBench201Architecture(("nor_conv_3x3",) * 6)],
    ids=["macro", "nas_bench_201"],
)
def test_a_training_of_every_kind_of_network_has_a_cost(architecture: Architecture) -> None:
    config = TrainingConfig(architecture=architecture.to_json())
    cost = training_cost(config, architecture, [FLAT])
    network = plan(architecture, config.layout, image_channels=1, image_size=28, classes=10)
    assert cost.parameters == (parameters(network), parameters(network))


def test_a_training_counts_the_very_network() -> None:
    space = NasnetSpace(CONFIG.space)
    architecture = space.decode([0] * len(space.decisions))
    config = training_defaults(CONFIG, architecture, images=10_000)
    slow = TrainingSpeed(0.0, 1e-8, 0.0)
    cost = training_cost(config, architecture, [FLAT, slow])
    images = config.recipe.epochs * config.data.train_examples + (640 + 2000) / 3
    assert cost.parameters[0] == cost.parameters[1]
    assert cost.seconds == pytest.approx(images * cost.mult_adds[0] / 1e8 + estimate.CHILD_OVERHEAD)


def test_the_presets_need_no_advice_and_the_papers_rate_in_a_short_search_does() -> None:
    assert search_cost(CONFIG, [FLAT]).notes == []
    assert search_cost(COFFEE.config, [FLAT]).notes == []
    notes = search_cost(SearchConfig(), []).notes
    assert any("will hardly move: 0.00035 × 10 updates × 4 PPO epochs = 0.014" in note for note in notes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"recipe": {"reestimate_batches": 0}}, "sees only 63 batches"),
        ({"data": {"held_out_examples": 100}}, "off by ±5.0 points"),
        ({"data": {"name": "cifar-10"}}, "downloaded once, 170 MB"),
        ({"budget": {"children": 1_000_000}}, "days with the workers that are here"),
    ],
)
def test_each_piece_of_advice_comes_when_it_fits(changes: dict[str, dict[str, object]], words: str) -> None:
    notes = search_cost(demo(**changes), [FLAT]).notes
    assert len(notes) == 1 and words in notes[0]


def test_batch_norm_of_the_imagenet_skeleton_needs_more_batches() -> None:
    layout = {"reductions": 1, "filters": 4, "normal_cells": 1}
    long = {"reestimate_batches": 0, "epochs": 20}  # 63 batches an epoch.
    assert search_cost(demo(child=layout, recipe=long, data={"image_size": 28}), [FLAT]).notes == []
    notes = search_cost(
        demo(child=layout | {"skeleton": "imagenet"}, recipe=long, data={"image_size": 28}), [FLAT]
    ).notes
    assert len(notes) == 1 and "sees only 1,260 batches" in notes[0]
    measured = long | {"reestimate_batches": 10}
    imagenet = demo(child=layout | {"skeleton": "imagenet"}, recipe=measured, data={"image_size": 28})
    assert search_cost(imagenet, [FLAT]).notes == []


def test_a_recipes_own_weight_of_a_batch_decides_how_many_it_takes() -> None:
    heavy = {"reestimate_batches": 0, "batch_norm_momentum": 0.5}  # 63 batches.
    assert search_cost(demo(recipe=heavy), [FLAT]).notes == []
    light = {"reestimate_batches": 0, "batch_norm_momentum": 0.0003, "epochs": 20}
    notes = search_cost(demo(recipe=light), [FLAT]).notes
    assert len(notes) == 1 and "sees only 1,260 batches" in notes[0]


def test_idle_workers_are_told() -> None:
    notes = search_cost(CONFIG, [FLAT] * 12).notes
    assert notes == ["2 of 12 workers will wait: a step has only 10 children."]


def test_data_that_are_not_there_are_refused_at_their_field() -> None:
    assert data_errors(CONFIG.data, AnonymousUser()) == []
    wrong = {
        "data.name": {"name": "nowhere"},
        "data.image_size": {"image_size": 32},
        "data.train_examples": {"train_examples": 9000},
    }
    for field, change in wrong.items():
        errors = data_errors(demo(data=change).data, AnonymousUser())
        assert [error.field for error in errors] == [field]


def test_random_search_is_not_said_to_learn() -> None:
    assert "does not learn" in honesty(SearchConfig.model_validate({"strategy": {"kind": "random"}}))
    assert "the search found out" in honesty(SearchConfig.model_validate({"strategy": {"kind": "local"}}))
    assert "the controller learned" in honesty(CONFIG)


def with_finals(**finals) -> SearchConfig:
    return CONFIG.model_copy(
        update={"finals": FinalsConfig(children=3, epochs=10, normal_cells=2, filters=8, **finals)}
    )


def test_the_final_round_is_part_of_time_and_disk_and_is_told() -> None:
    finals = FinalsConfig(children=3, epochs=10, normal_cells=2, filters=8)
    config = CONFIG.model_copy(update={"finals": finals})
    without, cost = search_cost(CONFIG, [FLAT, FLAT]), search_cost(config, [FLAT, FLAT])
    larger = config.model_copy(update={"child": config.child.model_copy(update={"normal_cells": 2, "filters": 8})})
    mean = sum(child.mult_adds for child in drawn_children(larger)) / uniform_draws.DRAWS
    images = config.data.train_examples + (20 * config.recipe.batch_size + config.data.held_out_examples) / 3
    one = 10 * (images * mean / 1e9 + estimate.CHILD_OVERHEAD)
    assert cost.seconds == pytest.approx(without.seconds + 2 * one)  # Three on two workers: one waits for the other.
    assert cost.disk_bytes > without.disk_bytes
    assert "3 best children are trained again for 10 epochs each: about" in cost.notes[0]
    assert search_cost(config, []).notes[0] == "The 3 best children are trained again for 10 epochs each."


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "about 2 seconds"), (29, "about 29 seconds"), (119, "119 seconds"), (121, "2 minutes")]
)
def test_a_short_final_round_is_not_said_to_take_no_time(seconds: float, words: str) -> None:
    finals = FinalsConfig(children=3, epochs=10, normal_cells=2, filters=8)
    assert f"{words} of the whole time." in advice.final_round(finals, seconds)


def test_one_finalist_of_one_epoch_is_told_as_one() -> None:
    one = FinalsConfig(children=1, epochs=1, normal_cells=2, filters=8)
    assert advice.final_round(one, None) == "The best child is trained again for 1 epoch."


def test_what_takes_years_is_told_in_years() -> None:
    published = {preset.name: preset for preset in PRESETS}["published"].config
    notes = search_cost(published, [FLAT, FLAT]).notes
    assert any("years with the workers that are here" in note for note in notes)
    assert any("years of the whole time" in note for note in notes)


def test_a_training_tells_that_its_bundle_takes_time_too() -> None:
    space = NasnetSpace(CONFIG.space)
    architecture = space.decode([0] * len(space.decisions))
    config = training_defaults(CONFIG, architecture, images=10_000)
    assert advice.PACKING in training_cost(config, architecture, [FLAT]).notes
