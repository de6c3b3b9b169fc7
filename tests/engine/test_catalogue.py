import pytest

from search_engine.architecture import architecture_from_json
from search_engine.catalogue.published import published_names, read_published
from search_engine.errors import ArchitectureError


def test_nasnet_a_is_in_the_catalogue():
    assert "nasnet-a" in published_names()


@pytest.mark.parametrize("name", published_names())
def test_every_entry_reads_and_states_its_source(name):
    published = read_published(name)
    assert published.name == name
    assert published.title and published.source and published.note
    assert architecture_from_json(published.architecture.to_json()) == published.architecture
    assert all(result.source and 0 < result.error < 100 for result in published.results)


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


@pytest.mark.parametrize("name", ["nasnet-z", "", "../config", "nasnet-a.json"])
def test_an_unknown_name_is_refused_with_the_names_there_are(name):
    with pytest.raises(ArchitectureError, match="is not in the catalogue, which has .*nasnet-a"):
        read_published(name)
