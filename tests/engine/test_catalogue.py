import pytest

from search_engine import cost
from search_engine.architectures.reading import architecture_from_json
from search_engine.catalogue.published import published_names, read_published
from search_engine.config.layout import LayoutConfig
from search_engine.errors import ArchitectureError
from search_engine.network_plan import plan


def test_nasnet_a_is_in_the_catalogue():
    assert "nasnet-a" in published_names()


@pytest.mark.parametrize("name", published_names())
def test_every_entry_reads_and_states_its_source(name):
    published = read_published(name)
    assert published.name == name
    assert published.title and published.source and published.note
    assert architecture_from_json(published.architecture.to_json()) == published.architecture
    assert all(result.source and 0 < result.value < 100 for result in published.results)
    assert all((result.error is None) != (result.perplexity is None) for result in published.results)


def test_nasnet_a_has_the_blocks_and_the_concatenation_of_the_released_code():
    architecture = read_published("nasnet-a").architecture
    normal = [(*block.inputs, *block.operations, block.combination) for block in architecture.normal.blocks]
    assert normal == [
        (0, 1, "sep_conv_5x5", "sep_conv_3x3", "add"),
        (1, 1, "sep_conv_5x5", "sep_conv_3x3", "add"),
        (0, 1, "avg_pool_3x3", "identity", "add"),
        (1, 1, "avg_pool_3x3", "avg_pool_3x3", "add"),
        (0, 0, "sep_conv_3x3", "identity", "add"),
    ]
    reduction = [(*block.inputs, *block.operations, block.combination) for block in architecture.reduction.blocks]
    assert reduction == [
        (0, 1, "sep_conv_5x5", "sep_conv_7x7", "add"),
        (0, 1, "max_pool_3x3", "sep_conv_7x7", "add"),
        (0, 1, "avg_pool_3x3", "sep_conv_5x5", "add"),
        (3, 2, "identity", "avg_pool_3x3", "add"),
        (2, 0, "sep_conv_3x3", "max_pool_3x3", "add"),
    ]
    assert architecture.normal.concat == (1, 2, 3, 4, 5, 6)
    assert architecture.reduction.concat == (3, 4, 5, 6)


def test_the_published_error_with_cutout_belongs_to_the_small_network():
    results = {(result.size, result.variant): result for result in read_published("nasnet-a").results}
    assert results["6 @ 768", "cutout"].error == 2.65
    assert results["6 @ 768", "cutout"].parameters == "3.3M"
    assert results["7 @ 2304", "cutout"].error == 2.40


LAYOUTS = {  # By published size: what gives it in the released code, and the pixels. 5 @ 1538 should be 5 @ 1536.
    "6 @ 768": (LayoutConfig(normal_cells=6, filters=32), 32),
    "7 @ 2304": (LayoutConfig(normal_cells=7, filters=96), 32),
    "5 @ 1538": (LayoutConfig(skeleton="imagenet", normal_cells=5, filters=64), 299),
    "7 @ 1920": (LayoutConfig(skeleton="imagenet", normal_cells=7, filters=80), 299),
    "6 @ 4032": (LayoutConfig(skeleton="imagenet", normal_cells=6, filters=168, stem_filters=96), 331),
    "4 @ 1056": (LayoutConfig(skeleton="imagenet", normal_cells=4, filters=44), 224),
}
UNITS = {"M": 1e6, "B": 1e9}


def prints(figure, printed):
    """Whether a count gives what is printed, such as "5.3M", to the digits that are printed."""
    number, unit = printed[:-1], UNITS[printed[-1]]
    digits = len(number.partition(".")[2])
    return f"{figure / unit:.{digits}f}" == number


@pytest.mark.parametrize("result", read_published("nasnet-a").results, ids=lambda result: result.size + result.variant)
def test_every_published_size_of_nasnet_a_says_truly_whether_the_released_code_gives_it(result):
    published = read_published("nasnet-a")
    layout, size = LAYOUTS[result.size]
    classes = 10 if result.data == "CIFAR-10" else 1000
    network = plan(published.architecture, layout, image_channels=3, image_size=size, classes=classes)
    counted = cost.parameters(network)
    assert (result.code_parameters, result.code_mult_adds) == (counted, cost.mult_adds(network))
    kept = counted + sum(length for (length,) in network.buffer_shapes().values())
    gives_parameters = prints(counted, result.parameters) or prints(kept, result.parameters)
    gives_mult_adds = result.mult_adds is None or prints(result.code_mult_adds, result.mult_adds)
    assert result.follows_code == (gives_parameters and gives_mult_adds)
    assert result.remark or (result.follows_code and prints(counted, result.parameters))


def test_the_published_sizes_that_the_released_code_does_not_give_are_these():
    results = read_published("nasnet-a").results
    strange = {result.size for result in results if not result.follows_code and "DARTS" not in result.variant}
    assert strange == {"7 @ 2304", "5 @ 1538", "7 @ 1920"}


@pytest.mark.parametrize("name", ["nasnet-z", "", "../config", "nasnet-a.json"])
def test_an_unknown_name_is_refused_with_the_names_there_are(name):
    with pytest.raises(ArchitectureError, match="is not in the catalogue, which has .*nasnet-a"):
        read_published(name)
