import pytest
import torch

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.catalogue.published import read_published
from search_engine.config.layout import LayoutConfig, NasBench201LayoutConfig
from search_engine.errors import ConfigError
from search_engine.feature_maps import feature_maps
from search_engine.network_plan import plan
from search_engine.networks.detector import detector
from search_engine.networks.feature_network import FeatureNetwork
from search_engine.networks.plan_network import PlanNetwork

NORMAL = Cell(
    (
        Block((0, 1), ("sep_conv_3x3", "max_pool_3x3"), "add"),
        Block((2, 0), ("conv_3x3", "identity"), "concat"),  # Ends with a batch norm, which a ReLU could overwrite.
    ),
    (3,),
)
REDUCTION = Cell(
    (
        Block((0, 1), ("max_pool_3x3", "sep_conv_5x5"), "add"),
        Block((0, 2), ("avg_pool_3x3", "identity"), "add"),
    ),
    (3,),
)
SMALL = CellArchitecture(NORMAL, REDUCTION)
LAYOUTS = {
    "cifar": LayoutConfig(normal_cells=1, filters=4),
    "darts": LayoutConfig(skeleton="darts", normal_cells=1, filters=4),
    "imagenet": LayoutConfig(skeleton="imagenet", normal_cells=1, filters=8),
}
STRIDES = {"cifar": [1, 2, 4], "darts": [1, 2, 4], "imagenet": [4, 8, 16, 32]}


def body_of(layout, size=32):
    generator = torch.Generator().manual_seed(1)
    return FeatureNetwork(SMALL, layout, image_channels=3, image_size=size, generator=generator)


def images(height, width):
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("skeleton", LAYOUTS)
def test_maps_lie_before_each_halving_and_at_the_end(skeleton):
    whole = plan(SMALL, LAYOUTS[skeleton], image_channels=3, image_size=64, classes=10)
    assert [each.stride for each in feature_maps(whole)] == STRIDES[skeleton]
    shapes = {layer.name: layer.shape for layer in whole.layers}
    assert [each.channels for each in feature_maps(whole)] == [shapes[each.layer][0] for each in feature_maps(whole)]
    assert whole.layers[-1].name == "head.linear" and feature_maps(whole)[-1].layer.startswith("cell_2")


def test_maps_of_nasnet_a_mobile_have_the_strides_and_channels_of_its_stacks():
    layout = LayoutConfig(skeleton="imagenet", normal_cells=4, filters=44)
    whole = plan(read_published("nasnet-a").architecture, layout, image_channels=3, image_size=224, classes=1000)
    assert [(each.stride, each.channels) for each in feature_maps(whole)] == [(4, 44), (8, 264), (16, 528), (32, 1056)]


def test_a_network_of_the_benchmark_has_a_map_for_each_stack():
    architecture = NasBench201Architecture(("nor_conv_3x3",) * 6)
    layout = NasBench201LayoutConfig(normal_cells=1)
    whole = plan(architecture, layout, image_channels=3, image_size=32, classes=10)
    assert [each.channels for each in feature_maps(whole)] == [16, 32, 64]


def test_no_map_is_overwritten_by_what_reads_it():
    body = body_of(LAYOUTS["cifar"])
    assert body.maps[0].layer.endswith("batch_norm")
    with torch.no_grad():
        assert all(each.min() < 0 for each in body(images(32, 32)).values())


@pytest.mark.parametrize("skeleton", LAYOUTS)
@pytest.mark.parametrize(("height", "width"), [(64, 64), (45, 70), (71, 38)])
def test_images_of_another_size_give_what_a_plan_of_that_size_gives(skeleton, height, width):
    body = body_of(LAYOUTS[skeleton])
    whole = plan(SMALL, LAYOUTS[skeleton], image_channels=3, image_size=(height, width), classes=10)
    network = PlanNetwork(whole, generator=torch.Generator().manual_seed(3)).eval()
    missing, unexpected = network.load_state_dict(body.state_dict(), strict=False)
    assert not unexpected and {name.partition(".")[0] for name in missing} == {"head"}
    with torch.no_grad():
        maps = body(images(height, width))
        pooled = list(maps.values())[-1]
        pooled = (pooled if skeleton == "darts" else pooled.relu()).mean((2, 3))
        head = network.get_submodule("head.linear")
        torch.testing.assert_close(head(pooled), network(images(height, width)))
    shapes = {layer.name: layer.shape for layer in whole.layers}
    assert [tuple(each.shape[1:]) for each in maps.values()] == [shapes[each.layer] for each in body.maps]


def test_padding_depends_on_the_size():
    body = body_of(LAYOUTS["cifar"], 32)
    with torch.no_grad():
        odd = body(images(33, 33))
    assert [each.shape[2] for each in odd.values()] == [33, 17, 9]


def test_statistics_of_batch_norm_stay_as_they_are():
    body = body_of(LAYOUTS["cifar"]).train()
    before = {name: value.clone() for name, value in body.named_buffers()}
    body(images(32, 32))
    assert before and all(torch.equal(before[name], value) for name, value in body.named_buffers())


def test_an_image_too_small_to_halve_is_refused_in_a_sentence():
    with pytest.raises(ConfigError, match="must be at least 3"):
        body_of(LAYOUTS["cifar"])(images(2, 40))


@pytest.mark.parametrize("skeleton", ["cifar", "imagenet"])
def test_a_detector_learns_from_a_step_and_finds_boxes(skeleton):
    torch.manual_seed(0)
    body = body_of(LAYOUTS[skeleton], 64)
    model = detector(
        body, classes=2, mean=(0.5,) * 3, deviation=(0.25,) * 3, channels=8, min_size=64, max_size=64,
        rpn_pre_nms_top_n_train=50, rpn_post_nms_top_n_train=20, box_batch_size_per_image=8,
    )  # fmt: skip
    targets = [{"boxes": torch.tensor([[8.0, 8.0, 40.0, 40.0]]), "labels": torch.tensor([label])} for label in (1, 2)]
    losses = model.train()(list(images(64, 64)), targets)
    assert set(losses) == {"loss_classifier", "loss_box_reg", "loss_objectness", "loss_rpn_box_reg"}
    sum(losses.values()).backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in body.parameters())
    assert any(each.grad.abs().sum() > 0 for each in body.stem.parameters())
    with torch.no_grad():
        found = model.eval()(list(images(64, 64)))
    assert [set(each) for each in found] == [{"boxes", "labels", "scores"}] * 2
