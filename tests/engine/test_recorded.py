import math

import pytest
from safetensors.numpy import save

from search_engine.errors import CheckpointError
from search_engine.export.bundle_file import WEIGHTS, read_bundle, zipped
from search_engine.export.recorded import recorded
from tests.example_bundle import DATA, RESULTS, a_bundle, metadata, tensors, with_directory_of


def read(tmp_path, content, **limits):
    (tmp_path / "bundle.zip").write_bytes(content)
    return recorded(read_bundle(tmp_path / "bundle.zip", **limits))


def test_what_a_bundle_recorded_is_told_with_data_and_parts(tmp_path):
    told = read(tmp_path, a_bundle())
    assert (told.name, told.data, told.measure) == ("Grey clothes", "Fashion-MNIST", "accuracy")
    assert (told.test, told.test_examples, told.held_out, told.held_out_examples) == (0.5, 2000, 0.75, 1000)
    assert told.parameters == sum(v.size for name, v in tensors().items() if "running" not in name)
    assert told.sentences()[1] == (
        "Recorded accuracy on Fashion-MNIST: 0.5000 on the test part (2,000 images), "
        "0.7500 on the held-out part (1,000 images)."
    )


def test_a_bundle_without_a_look_at_the_test_part_says_so(tmp_path):
    told = read(tmp_path, a_bundle(results={"held_out_accuracy": 0.75}))
    assert told.test is None and "The test part was not looked at." in told.sentences()
    assert "was not recorded" in read(tmp_path, a_bundle(results={})).sentences()[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"results": RESULTS | {"test_accuracy": 1.5}},
        {"results": RESULTS | {"test_accuracy": math.nan}},
        {"results": RESULTS | {"test_accuracy": "<script>"}},
        {"results": RESULTS | {"test_accuracy": 10**400}},
        {"results": RESULTS | {"test_examples": -1}},
        {"results": [1]},
        {"data": DATA | {"title": "x" * 300}},
        {"data": DATA | {"title": ["x"]}},
        {"data": DATA | {"channels": 10**9}},
        {"data": DATA | {"classes": []}},
        {"data": []},
        {"config": {}},
        {"config": None},
        {"layout": None, "architecture": {"kind": "macro"}},
    ],
)
def test_what_no_training_can_have_recorded_is_refused(tmp_path, changes):
    with pytest.raises(CheckpointError, match="is no bundle"):
        read(tmp_path, a_bundle(**changes))


def test_weights_of_another_network_are_no_weights(tmp_path):
    others = tensors()
    others.pop(sorted(others)[0])
    with pytest.raises(CheckpointError, match="its weights are those of another network"):
        read(tmp_path, zipped({WEIGHTS: save(others, metadata())}))


def test_numbers_that_do_not_fill_their_tensors_are_refused(tmp_path):
    content = save(tensors(), metadata())
    for wrong in (content[:-4], content + b"0000", content.replace(b'"F32"', b'"F64"', 1)):
        with pytest.raises(CheckpointError, match="is damaged: its weights cannot be read"):
            read(tmp_path, zipped({WEIGHTS: wrong}))


def test_a_zip_with_a_long_list_of_files_is_refused_before_the_list_is_read(tmp_path):
    for content in (with_directory_of(10_000), b"PK\6\7" + b"\0" * 16 + a_bundle()[-22:], b"", b"PK\5\6"):
        with pytest.raises(CheckpointError, match="is damaged, or is no zip"):
            read(tmp_path, content)


def test_weights_beyond_a_limit_are_not_unpacked(tmp_path):
    with pytest.raises(CheckpointError, match="at most 1,000 are read"):
        read(tmp_path, a_bundle(), most_bytes=1000)


def test_no_file_of_the_zip_but_the_weights_is_looked_at(tmp_path):
    assert b"never run" not in repr(read(tmp_path, a_bundle())).encode()
