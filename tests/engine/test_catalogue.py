from pathlib import Path

import pytest

from search_engine import cost
from search_engine.architectures.canonical_cell import canonical_cell
from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.reading import architecture_from_json
from search_engine.catalogue import published
from search_engine.catalogue.published import published_names, read_published
from search_engine.config.layout import LayoutConfig, MacroLayoutConfig
from search_engine.errors import ArchitectureError
from search_engine.formats.dialects import read
from search_engine.network_plan import plan


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


def test_the_catalogue_is_complete_and_in_the_order_in_which_it_is_listed():
    files = {file.stem for file in Path(published.__file__).parent.glob("*.json")}
    assert files == set(published_names())
    assert published_names()[:10] == (
        "nasnet-a", "amoebanet-a", "darts-v1", "darts-v2", "enas-micro-paper", "enas-micro-released",
        "enas-macro-paper", "enas-macro-released", "enas-recurrent-paper", "enas-recurrent-rereleased",
    )  # fmt: skip
    assert "NASNet-B and NASNet-C are not in the catalogue" in published.LEFT_OUT


def test_no_two_entries_are_the_same_architecture():
    hashes = {read_published(name).architecture.hash for name in published_names()}
    assert len(hashes) == len(published_names())


@pytest.mark.parametrize("name", published_names())
def test_an_architecture_of_text_has_perplexities_and_one_of_images_errors(name):
    one = read_published(name)
    metric = "perplexity" if one.architecture.kind == "recurrent" else "error"
    assert {result.metric for result in one.results} <= {metric}


def pairs(cell):
    return [tuple(zip(block.operations, block.inputs, strict=True)) for block in cell.blocks]


def test_amoebanet_a_has_the_blocks_and_the_concatenation_of_the_released_code():
    # The facts of amoeba_net_a in tensorflow/tpu, model_specs.py, whose states are numbered as ours.
    architecture = read_published("amoebanet-a").architecture
    assert pairs(architecture.normal) == [
        (("avg_pool_3x3", 0), ("max_pool_3x3", 0)),
        (("sep_conv_3x3", 1), ("identity", 1)),
        (("identity", 0), ("avg_pool_3x3", 1)),
        (("sep_conv_3x3", 0), ("sep_conv_5x5", 2)),
        (("avg_pool_3x3", 5), ("sep_conv_3x3", 0)),
    ]
    assert pairs(architecture.reduction) == [
        (("sep_conv_3x3", 1), ("avg_pool_3x3", 0)),
        (("max_pool_3x3", 0), ("sep_conv_7x7", 2)),
        (("max_pool_3x3", 1), ("max_pool_3x3", 0)),
        (("sep_conv_3x3", 4), ("conv_1x7_7x1", 0)),
        (("avg_pool_3x3", 1), ("sep_conv_7x7", 0)),
    ]
    assert (architecture.normal.concat, architecture.reduction.concat) == ((1, 3, 4, 6), (2, 3, 4, 5, 6))


@pytest.mark.parametrize(("filters", "printed", "counted"), [(32, "2.6M", 2_826_410), (36, "3.2M", 3_545_614)])
def test_the_printed_sizes_of_amoebanet_a_come_out_where_one_operation_is_narrowed(filters, printed, counted):
    """The authors' code wraps 1x7 and 7x1 in 1x1 convolutions from and to a quarter of the channels."""
    layout = LayoutConfig(normal_cells=6, filters=filters)
    network = plan(read_published("amoebanet-a").architecture, layout, image_channels=3, image_size=32, classes=10)
    assert cost.parameters(network) == counted
    in_authors_code = counted
    for channels in (2 * filters, 4 * filters):  # Of the two reduction cells, where the operation is.
        quarter = channels // 4
        ours = 2 * (7 * channels**2 + 2 * channels)  # Two convolutions, each with batch norm.
        narrowed = 2 * channels * quarter + 2 * 7 * quarter**2 + 2 * (3 * quarter + channels)
        in_authors_code += narrowed - ours
    assert prints(in_authors_code, printed)
    [result] = [one for one in read_published("amoebanet-a").results if one.size.endswith(f"F={filters}")]
    assert result.parameters == printed and f"{counted:,} parameters" in result.remark


def test_the_listing_of_amoebanet_in_the_code_of_darts_differs_as_the_note_says():
    # The facts of quark0/darts, cnn/genotypes.py, AmoebaNet; its inputs are the other way round than ours.
    listing = read(
        "Genotype(normal=[('avg_pool_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 2),"
        "('sep_conv_3x3', 0), ('avg_pool_3x3', 3), ('sep_conv_3x3', 1), ('skip_connect', 1), ('skip_connect', 0),"
        "('avg_pool_3x3', 1)], normal_concat=[4, 5, 6],"
        "reduce=[('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('max_pool_3x3', 0), ('sep_conv_7x7', 2),"
        "('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('max_pool_3x3', 0), ('max_pool_3x3', 1), ('conv_7x1_1x7', 0),"
        "('sep_conv_3x3', 5)], reduce_concat=[3, 4, 6])"
    ).architecture
    ours = read_published("amoebanet-a").architecture.with_strict_concat()
    other_way = {0: 1, 1: 0}

    def translated(cell, changes):
        blocks = tuple(
            Block(
                tuple(other_way.get(state, state) for state in block.inputs),
                tuple(changes.get(operation, operation) for operation in block.operations),
                "add",
            )
            for block in cell.blocks
        )
        return Cell(blocks, cell.concat)

    as_listed = translated(ours.reduction, {"conv_1x7_7x1": "conv_7x1_1x7"})
    assert canonical_cell(as_listed) == canonical_cell(listing.reduction)
    first, *others = translated(ours.normal, {}).blocks
    assert first == Block((1, 1), ("avg_pool_3x3", "max_pool_3x3"), "add")
    corrected = Cell((Block((1, 0), first.operations, "add"), *others), ours.normal.concat)
    assert canonical_cell(corrected) == canonical_cell(listing.normal)


@pytest.mark.parametrize(
    ("name", "text"),
    [  # The facts of quark0/darts, genotypes.py; of the released scripts of ENAS; of the README of enas_lm.
        (
            "darts-v1",
            "Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_3x3', 1),"
            "('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2)],"
            "normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2),"
            "('max_pool_3x3', 0), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('avg_pool_3x3', 0)],"
            "reduce_concat=[2, 3, 4, 5])",
        ),
        (
            "darts-v1-rnn",
            "Genotype(recurrent=[('relu', 0), ('relu', 1), ('tanh', 2), ('relu', 3), ('relu', 4), ('identity', 1),"
            "('relu', 5), ('relu', 1)], concat=range(1, 9))",
        ),
        (
            "darts-v2-rnn",
            "Genotype(recurrent=[('sigmoid', 0), ('relu', 1), ('relu', 1), ('identity', 1), ('tanh', 2),"
            "('sigmoid', 5), ('tanh', 3), ('relu', 5)], concat=range(1, 9))",
        ),
        ("enas-micro-released", "0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1 1 0 1 0 0 3 0 2 1 1 3 1 1 0 0 4 0 3 1 1"),
        ("enas-recurrent-paper", "0 0 0 1 1 2 1 2 0 2 0 5 1 1 0 6 1 8 1 8 1 8 1"),
        ("enas-recurrent-rereleased", "0 2 1 0 2 1 2 2 4 0 5 0 3 2 6 2"),
    ],
)
def test_an_entry_is_what_its_authors_released(name, text):
    assert read(text).architecture == read_published(name).architecture


def test_the_papers_micro_cells_are_those_of_its_figure():
    # Source, in the order of our states, and operation of both sides of every node; 0 is the previous cell.
    architecture = read_published("enas-micro-paper").architecture
    assert pairs(architecture.normal) == [
        (("sep_conv_3x3", 0), ("identity", 0)),
        (("sep_conv_5x5", 0), ("identity", 1)),
        (("avg_pool_3x3", 1), ("sep_conv_3x3", 0)),
        (("sep_conv_3x3", 1), ("avg_pool_3x3", 0)),
        (("sep_conv_5x5", 0), ("avg_pool_3x3", 1)),
    ]
    assert architecture.reduction.concat == (2, 3, 6)


def test_the_papers_macro_network_has_half_of_all_skips():
    layers = read_published("enas-macro-paper").architecture.layers
    names = " ".join(layer.operation.replace("sep_conv_", "sep").replace("conv_", "conv") for layer in layers)
    assert names == "sep5x5 conv5x5 conv5x5 sep5x5 sep3x3 conv5x5 sep3x3 sep5x5 conv5x5 sep5x5 conv3x3 sep5x5"
    assert sum(len(layer.skips) for layer in layers) == 33


@pytest.mark.parametrize(("filters", "printed"), [(96, "21.3M"), (128, "38.0M")])
def test_the_papers_macro_network_is_counted_as_its_remarks_say(filters, printed):
    one = read_published("enas-macro-paper")
    layout = MacroLayoutConfig(filters=filters, full_conv=True)
    counted = cost.parameters(plan(one.architecture, layout, image_channels=3, image_size=32, classes=10))
    [result] = [result for result in one.results if result.parameters == printed]
    assert f"{counted:,} parameters with {filters} filters" in result.remark
    assert abs(counted / 1e6 / float(printed[:-1]) - 1) < 0.025


def test_the_released_macro_network_has_the_size_of_the_released_code():
    one = read_published("enas-macro-released")
    layout = MacroLayoutConfig(filters=96, full_conv=True)
    counted = cost.parameters(plan(one.architecture, layout, image_channels=3, image_size=32, classes=10))
    assert counted == 42_559_392 and f"{counted:,} parameters with 96 filters" in one.note
