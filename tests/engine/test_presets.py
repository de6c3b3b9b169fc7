import subprocess
import sys

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.reading import architecture_from_json
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.config.training import TrainingConfig
from search_engine.data.batches import split
from search_engine.data.descriptions import describe
from search_engine.network_plan import plan
from search_engine.presets import PRESETS
from search_engine.training_start import training_defaults

CELL = Cell((Block((0, 1), ("sep_conv_3x3", "identity"), "add"),), (2,))


def test_names_and_titles_are_different_and_every_preset_says_what_it_shows():
    assert len({preset.name for preset in PRESETS}) == len({preset.title for preset in PRESETS}) == len(PRESETS)
    for preset in PRESETS:
        assert preset.sentence.endswith(".")
        assert preset.config.name == preset.title


def test_the_first_preset_is_the_demo_and_works_without_a_download():
    assert PRESETS[0].name == "demo" and PRESETS[0].title == "Two-minute demo"
    for preset in PRESETS:
        is_embedded = describe(preset.config.data.name).origin == "embedded"
        assert is_embedded == (preset.name in ("demo", "coffee", "night"))


def test_the_published_search_is_the_default_of_every_setting_with_the_papers_images_and_numbers():
    published = {preset.name: preset for preset in PRESETS}["published"].config
    changed = {"name", "data", "budget", "finals"}
    assert published.model_dump(exclude=changed) == SearchConfig().model_dump(exclude=changed)
    assert (published.space.blocks, len(published.space.operations)) == (5, 13)
    assert (published.strategy.step_size, published.budget.children) == (20, 20_000)
    assert (published.child.normal_cells, published.child.filters, published.recipe.epochs) == (2, 32, 20)
    recipe = published.recipe
    assert (recipe.batch_size, recipe.learning_rate, recipe.schedule, recipe.weight_decay) == (
        32,
        0.025,
        "cosine",
        5e-4,
    )
    assert (published.data.train_examples, published.data.held_out_examples) == (45_000, 5000)
    finals = published.finals
    assert (finals.children, finals.epochs, finals.normal_cells, finals.filters) == (250, 600, 6, 32)


def test_demo_and_coffee_have_no_final_round():
    assert [preset.config.finals.children for preset in PRESETS] == [0, 0, 10, 20, 250]


def test_every_preset_survives_its_json_and_finds_enough_images():
    for preset in PRESETS:
        assert read_config(SearchConfig, preset.config.model_dump(mode="json")) == preset.config
        split(preset.config.data, describe(preset.config.data.name), seed=preset.config.reproducibility.seed)
        assert preset.config.budget.children % preset.config.strategy.step_size == 0


def test_the_best_of_every_preset_can_be_trained_for_keeps():
    for preset in PRESETS:
        config = training_defaults(
            preset.config, CellArchitecture(CELL, CELL), images=describe(preset.config.data.name).train_examples
        )
        assert read_config(TrainingConfig, config.model_dump(mode="json")) == config
        description = describe(config.data.name)
        split(config.data, description, seed=config.reproducibility.seed)
        plan(
            architecture_from_json(config.architecture), config.layout,
            image_channels=description.channels, image_size=config.data.image_size, classes=10,
        )  # fmt: skip
        assert config.data.train_examples >= preset.config.data.train_examples


def test_the_best_of_a_search_keeps_its_skeleton_for_keeps():
    child = {"skeleton": "imagenet", "stem_filters": 96, "previous_after_reduction": "two-before", "reductions": 1}
    searched = read_config(SearchConfig, {"child": child, "data": {"image_size": 64}})
    layout = training_defaults(searched, CellArchitecture(CELL, CELL), images=10_000).layout
    assert layout.model_dump(include=set(child)) == child


def test_no_more_images_are_proposed_than_the_data_set_has():
    searched = read_config(SearchConfig, {"data": {"train_examples": 300, "held_out_examples": 100}})
    for images, proposed in ((450, 350), (400, 300), (60_000, 9_900)):
        config = training_defaults(searched, CellArchitecture(CELL, CELL), images=images)
        assert (config.data.train_examples, config.data.held_out_examples) == (proposed, 100)


def test_presets_do_not_import_pytorch():
    code = "import sys, search_engine.presets, search_engine.data.descriptions; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
