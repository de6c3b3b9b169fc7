import pytest

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.config.layout import LayoutConfig, MacroLayoutConfig, NasBench201LayoutConfig
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.config.training import TrainingConfig
from search_engine.errors import ConfigError
from search_engine.network_plan import plan

CELL = Cell((Block((0, 1), ("max_pool_3x3", "conv_1x1"), "add"),), (2,))
ARCHITECTURE = CellArchitecture(CELL, CELL)
HEAD = {"auxiliary_weight": 0.4}
REFUSED = [
    ({"child": {"reductions": 1}, "recipe": HEAD}, "recipe.auxiliary_weight",
     "is 0.4; the auxiliary head stands before the second reduction cell, and this network has one, so it must be 0."),
    ({"data": {"image_size": 8}, "recipe": HEAD}, "recipe.auxiliary_weight",
     "is 0.4; the auxiliary head needs 5 pixels, and images of 8 leave 4 there; set it to 0 or take larger images."),
    ({"data": {"image_size": 64}, "child": {"skeleton": "imagenet"}, "recipe": HEAD}, "recipe.auxiliary_weight",
     "is 0.4; the auxiliary head needs 5 pixels, and images of 64 leave 4 there; set it to 0 or take larger images."),
    ({"recipe": {"cutout": 29}}, "recipe.cutout", "is 29; must be at most the size of the images, 28."),
    ({"recipe": {"cutout": -1}}, "recipe.cutout", "is -1; must be at least 0."),
    ({"recipe": {"optimizer": "rmsprop", "nesterov": True}}, "recipe.nesterov",
     "is true; RMSProp has no Nesterov momentum."),
    ({"recipe": {"drop_path": "always"}}, "recipe.drop_path",
     "is 'always'; must be 'off', 'time' or 'time-and-depth'."),
    ({"recipe": {"drop_path_keep": 0}}, "recipe.drop_path_keep", "is 0; must be more than 0."),
    ({"recipe": {"weight_average": 1}}, "recipe.weight_average", "is 1; must be less than 1."),
    ({"recipe": {"precision": "float16"}}, "recipe.precision", "is 'float16'; must be 'float32' or 'bfloat16'."),
]  # fmt: skip


@pytest.mark.parametrize(("value", "field", "message"), REFUSED)
def test_a_recipe_that_cannot_be_followed_is_refused_at_its_field(value, field, message):
    with pytest.raises(ConfigError) as refused:
        read_config(SearchConfig, value)
    assert (refused.value.field, refused.value.message) == (field, message)
    training = {"architecture": {}, **value, "layout": value.get("child", {})}
    training.pop("child", None)
    with pytest.raises(ConfigError) as refused:
        read_config(TrainingConfig, training)
    assert (refused.value.field, refused.value.message) == (field, message)


@pytest.mark.parametrize(
    ("layout", "smallest"),
    [(LayoutConfig(), 9), (LayoutConfig(reductions=2, normal_cells=1), 9), (LayoutConfig(skeleton="imagenet"), 67)],
)
def test_the_smallest_images_with_room_for_the_head_are_taken(layout, smallest):
    value = {"recipe": HEAD, "data": {"image_size": smallest}, "child": layout.model_dump()}
    read_config(SearchConfig, value)
    sizes = {"image_channels": 1, "classes": 10, "auxiliary": True}
    assert plan(ARCHITECTURE, layout, image_size=smallest, **sizes).auxiliary_output is not None
    value["data"]["image_size"] -= 1
    with pytest.raises(ConfigError):
        read_config(SearchConfig, value)
    with pytest.raises(ConfigError):
        plan(ARCHITECTURE, layout, image_size=smallest - 1, **sizes)


@pytest.mark.parametrize("layout", [MacroLayoutConfig(), NasBench201LayoutConfig()])
def test_other_networks_have_neither_head_nor_paths_to_drop(layout):
    value = {"architecture": {"kind": layout.kind}, "layout": layout.model_dump()}
    read_config(TrainingConfig, value)
    for field, setting, message in [
        ("auxiliary_weight", 0.4, "belongs to networks of cells"),
        ("drop_path", "time", "only networks of cells have it"),
    ]:
        with pytest.raises(ConfigError, match=message) as refused:
            read_config(TrainingConfig, value | {"recipe": {field: setting}})
        assert refused.value.field == f"recipe.{field}"
