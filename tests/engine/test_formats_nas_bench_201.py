import pytest

from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.errors import ArchitectureError
from search_engine.formats import nas_bench_201

TEXT = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|avg_pool_3x3~1|none~2|"


def test_the_operations_are_in_the_order_of_the_string():
    architecture = nas_bench_201.read(TEXT).architecture
    operations = ("nor_conv_3x3", "none", "skip_connect", "nor_conv_1x1", "avg_pool_3x3", "none")
    assert architecture == NasBench201Architecture(operations)
    assert nas_bench_201.write(architecture) == TEXT + "\n"


def test_quotes_and_spaces_around_a_string_are_nothing():
    assert nas_bench_201.read(f" '{TEXT}'\n") == nas_bench_201.read(TEXT)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT.replace("nor_conv_1x1", "conv_1x1"), "operations.3: 'conv_1x1' is unknown; must be one of none, skip_"),
        (TEXT.replace("skip_connect~1", "skip_connect~0"), "node 2: holds 'skip_connect~0', where op~1 stands"),
        (TEXT[:-8], "node 3: the string ends inside '|nor_conv_1x1~0|avg_pool_3x3~1'"),
        (TEXT[:37], "node 2: the string ends inside"),
        (TEXT[:16], "the string ends behind node 1 of 3"),
        (TEXT + "+" + TEXT, "the string has 6 nodes"),
        (TEXT.replace("|+", "|none~9|+", 1), "node 1: is '|nor_conv_3x3~0|none~9|'"),
    ],
)
def test_a_mistake_in_a_string_is_named_with_its_node(text, message):
    with pytest.raises(ArchitectureError, match=message.replace("|", r"\|").replace("+", r"\+")):
        nas_bench_201.read(text)
