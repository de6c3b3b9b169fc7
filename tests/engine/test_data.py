"""Descriptions, downloads and images."""

import gzip
import hashlib
import http.server
import io
import struct
import tarfile
import threading
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from search_engine.config.data import DataConfig
from search_engine.data import batches, downloads, images
from search_engine.data.descriptions import DESCRIPTIONS, EMBEDDED, describe
from search_engine.data.downloads import SOURCES, Source, fetch
from search_engine.data.image_files import read_part, unpacked_idx
from search_engine.data.images import load, resized
from search_engine.data.matlab_file import matlab_array
from search_engine.data.resident import ResidentData
from search_engine.errors import ConfigError, DataError


def test_the_embedded_set_is_what_its_description_says(tmp_path):
    description = describe(EMBEDDED)
    file = Path(images.__file__).parent / "embedded" / "fashion_mnist_10k.npz"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == description.sha256
    assert file.with_name("fashion_mnist_10k.LICENSE.txt").read_text().startswith("Format:")
    found = load(EMBEDDED, tmp_path)
    assert found.train.shape == (10_000, 28, 28, 1) and found.train.dtype == np.uint8
    assert found.test.shape == (2_000, 28, 28, 1)
    assert np.bincount(found.train_labels).tolist() == [1000] * 10
    assert np.bincount(found.test_labels).tolist() == [200] * 10
    assert list(tmp_path.iterdir()) == []


def test_no_test_image_of_the_embedded_set_is_in_its_training_part(tmp_path):
    found = load(EMBEDDED, tmp_path)
    assert not {image.tobytes() for image in found.train} & {image.tobytes() for image in found.test}


def test_descriptions_are_json_and_name_their_classes():
    for description in DESCRIPTIONS:
        value = description.to_json()
        assert value["name"] == description.name
        classes = {"cifar-100": 100, "emnist-letters": 26}.get(description.name, 10)
        assert len(set(value["classes"])) == len(value["classes"]) == classes
        assert len(value["sha256"]) == 64


def test_descriptions_of_downloads_hold_the_digest_of_what_is_fetched():
    for name, sources in SOURCES.items():
        digests = [source.sha256 for source in sources]
        joined = hashlib.sha256("".join(digests).encode()).hexdigest()
        assert describe(name).sha256 == (digests[0] if len(digests) == 1 else joined)


def test_an_unknown_name_is_refused_with_those_that_are_known():
    with pytest.raises(ConfigError, match="fashion-mnist-10k") as caught:
        describe("imagenet")
    assert caught.value.field == "data.name"


def test_halving_takes_means_of_two_by_two_pixels_and_rounds_half_up():
    image = np.array([[0, 1, 10, 20], [1, 0, 30, 41], [255, 255, 0, 0], [255, 255, 0, 1]], np.uint8)
    small = resized(image[None, :, :, None], 2)[0, :, :, 0]
    assert small.tolist() == [[1, 25], [255, 0]]


def test_a_size_that_does_not_divide_averages_areas():
    image = np.array([[0, 90, 180]] * 3, np.uint8)
    small = resized(image[None, :, :, None], 2)[0, :, :, 0]
    assert small.tolist() == [[30, 150], [30, 150]]  # (0 + 90 / 2) / 1.5 and (90 / 2 + 180) / 1.5.


def test_a_larger_size_repeats_pixels_and_an_equal_one_changes_nothing():
    image = np.arange(4, dtype=np.uint8).reshape(1, 2, 2, 1)
    assert resized(image, 4)[0, :, :, 0].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    assert resized(image, 2) is image


@pytest.fixture
def server(tmp_path):
    """A web server on the loopback interface that serves the folder `there`."""
    there = tmp_path / "there"
    there.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(there))

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield there, f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()
        thread.join()


def source_of(there, address, file, content):
    (there / file).write_bytes(content)
    return Source(address + file, file, hashlib.sha256(content).hexdigest())


def test_a_file_is_fetched_once_and_has_its_name_only_when_whole(server, tmp_path):
    there, address = server
    source = source_of(there, address, "a.bin", b"abc" * 1000)
    fetch((source,), tmp_path / "here")
    (there / "a.bin").unlink()
    fetch((source,), tmp_path / "here")
    assert [file.name for file in (tmp_path / "here").iterdir()] == ["a.bin"]
    assert (tmp_path / "here" / "a.bin").read_bytes() == b"abc" * 1000


def test_a_download_is_progress_long_before_its_end(server, tmp_path, monkeypatch):
    """A worker takes a trainer without progress for one that hangs, and a slow line needs minutes for a data set."""
    there, address = server
    source = source_of(there, address, "a.bin", b"abc" * 1_000_000)
    resident = ResidentData(folder=tmp_path / "here", device=torch.device("cpu"))
    seen = []

    def load_slowly(name, folder, on_block):
        def note():
            on_block()
            seen.append((resident.progress, (folder / "a.bin").exists()))

        fetch((source,), folder, note)
        return load(name, folder)

    monkeypatch.setattr(batches, "load", load_slowly)
    resident.get(DataConfig(), seed=1)
    counts = [count for count, is_whole in seen if not is_whole]
    assert len(counts) >= 3
    assert counts == sorted(set(counts)) and resident.progress >= counts[-1]


def test_a_file_with_another_checksum_is_refused_and_not_kept(server, tmp_path):
    there, address = server
    source = source_of(there, address, "a.bin", b"as announced")
    (there / "a.bin").write_bytes(b"something else")
    with pytest.raises(DataError, match="damaged or was changed.*fashion-mnist-10k"):
        fetch((source,), tmp_path / "here")
    assert list((tmp_path / "here").iterdir()) == []


def test_a_file_that_somebody_else_put_there_is_verified_too(tmp_path):
    source = Source("http://127.0.0.1:9/never-asked", "a.bin", hashlib.sha256(b"the right one").hexdigest())
    (tmp_path / "a.bin").write_bytes(b"the right one")
    fetch((source,), tmp_path)
    (tmp_path / "a.bin").write_bytes(b"another one")
    with pytest.raises(DataError, match="damaged or was changed"):
        fetch((source,), tmp_path)


def test_what_cannot_be_downloaded_is_an_error_that_names_the_embedded_set(server, tmp_path, monkeypatch):
    _, address = server
    monkeypatch.setitem(downloads.SOURCES, "cifar-10", (Source(address + "gone.tar.gz", "gone.tar.gz", "0" * 64),))
    with pytest.raises(DataError, match='could not be downloaded.*"fashion-mnist-10k"') as caught:
        load("cifar-10", tmp_path)
    assert caught.value.field == "data.name"


def test_cifar_10_is_read_from_the_binary_archive(server, tmp_path, monkeypatch):
    there, address = server
    pixels = np.random.default_rng(0).integers(0, 256, (6, 4, 3, 32, 32)).astype(np.uint8)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for index, name in enumerate([*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"]):
            content = b"".join(bytes([index]) + image.tobytes() for image in pixels[index])
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    source = source_of(there, address, "cifar-10-binary.tar.gz", archive.getvalue())
    monkeypatch.setitem(downloads.SOURCES, "cifar-10", (source,))
    monkeypatch.setattr(images, "_check", lambda *arguments: None)
    found = load("cifar-10", tmp_path)
    assert found.train.shape == (20, 32, 32, 3) and found.test.shape == (4, 32, 32, 3)
    assert found.train_labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4
    assert (found.test[2, 5, 7] == pixels[5, 2, :, 5, 7]).all()


def test_fashion_mnist_is_read_from_the_authors_files(server, tmp_path, monkeypatch):
    there, address = server
    pixels = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)
    three_images, three_labels = struct.pack(">4I", 2051, 3, 28, 28), struct.pack(">2I", 2049, 3)
    contents = [three_images + pixels.tobytes(), three_labels + bytes([7, 0, 9])] * 2
    sources = tuple(
        source_of(there, address, source.file, gzip.compress(content))
        for source, content in zip(SOURCES["fashion-mnist"], contents, strict=True)
    )
    monkeypatch.setitem(downloads.SOURCES, "fashion-mnist", sources)
    with pytest.raises(DataError, match="holds 3 images and 3 labels; wanted 60000"):
        load("fashion-mnist", tmp_path)
    monkeypatch.setattr(images, "_check", lambda *arguments: None)
    found = load("fashion-mnist", tmp_path)
    assert (found.train[..., 0] == pixels).all()
    assert found.test_labels.tolist() == [7, 0, 9]


def test_cifar_100_is_read_by_its_fine_labels(server, tmp_path, monkeypatch):
    there, address = server
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 32, 32)).astype(np.uint8)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for part, name in enumerate(("train", "test")):
            content = b"".join(bytes([19, 90 + index]) + image.tobytes() for index, image in enumerate(pixels[part]))
            member = tarfile.TarInfo(f"cifar-100-binary/{name}.bin")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    source = source_of(there, address, "cifar-100-binary.tar.gz", archive.getvalue())
    monkeypatch.setitem(downloads.SOURCES, "cifar-100", (source,))
    with pytest.raises(DataError, match="holds 3 images and 3 labels; wanted 50000"):
        load("cifar-100", tmp_path)
    monkeypatch.setattr(images, "_check", lambda *arguments: None)
    found = load("cifar-100", tmp_path)
    assert found.train_labels.tolist() == found.test_labels.tolist() == [90, 91, 92]
    assert (found.test[2, 5, 7] == pixels[1, 2, :, 5, 7]).all()


@pytest.mark.parametrize("name", ["mnist", "kmnist"])
def test_sets_in_the_format_of_mnist_are_read(server, tmp_path, monkeypatch, name):
    there, address = server
    pixels = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)
    three_images, three_labels = struct.pack(">4I", 2051, 3, 28, 28), struct.pack(">2I", 2049, 3)
    contents = [three_images + pixels.tobytes(), three_labels + bytes([7, 0, 9])] * 2
    sources = tuple(
        source_of(there, address, source.file, gzip.compress(content))
        for source, content in zip(SOURCES[name], contents, strict=True)
    )
    monkeypatch.setitem(downloads.SOURCES, name, sources)
    with pytest.raises(DataError, match="holds 3 images and 3 labels; wanted 60000"):
        load(name, tmp_path)
    monkeypatch.setattr(images, "_check", lambda *arguments: None)
    found = load(name, tmp_path)
    assert (found.train[..., 0] == pixels).all() and found.test.shape == (3, 28, 28, 1)
    assert found.test_labels.tolist() == [7, 0, 9]


def test_a_file_that_is_not_in_the_format_of_mnist_is_refused(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(struct.pack(">2I", 2049, 3) + b"too many bytes"))
    with pytest.raises(DataError, match="a.gz is no file of bytes in the format of MNIST"):
        unpacked_idx(tmp_path / "a.gz", "a.gz")


def idx(pixels, labels):
    """Images and labels in the format of MNIST."""
    return [
        gzip.compress(struct.pack(">4I", 2051, *pixels.shape) + pixels.tobytes()),
        gzip.compress(struct.pack(">2I", 2049, len(labels)) + bytes(labels)),
    ]


def test_emnist_letters_stand_upright_and_their_labels_begin_with_zero(server, tmp_path, monkeypatch):
    there, address = server
    pixels = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("gzip/emnist-digits-train-images-idx3-ubyte.gz", b"another division")
        for part in ("train", "test"):
            for kind, content in zip(("images-idx3", "labels-idx1"), idx(pixels, [1, 26, 9]), strict=True):
                file.writestr(f"gzip/emnist-letters-{part}-{kind}-ubyte.gz", content)
    source = source_of(there, address, "gzip.zip", archive.getvalue())
    monkeypatch.setitem(downloads.SOURCES, "emnist-letters", (source,))
    with pytest.raises(DataError, match="holds 3 images and 3 labels; wanted 124800"):
        load("emnist-letters", tmp_path)
    monkeypatch.setattr(images, "_check", lambda *arguments: None)
    found = load("emnist-letters", tmp_path)
    assert found.train_labels.tolist() == found.test_labels.tolist() == [0, 25, 8]
    assert (found.test[1, 5, 7] == pixels[1, 7, 5]).all() and found.test.shape == (3, 28, 28, 1)
    first, labels = read_part("emnist-letters", tmp_path / "emnist-letters", "train", 2)
    assert (first == found.train[:2]).all() and labels.tolist() == [0, 25]


def matlab_element(kind, content):
    return struct.pack("<2I", kind, len(content)) + content + bytes(-len(content) % 8)


def matlab_matrix(name, kind, axes, values):
    """A real matrix; a name of up to four letters stands in its tag."""
    flags, sizes = struct.pack("<2I", 9, 0), struct.pack(f"<{len(axes)}i", *axes)
    small_name = struct.pack("<2H", 1, len(name)) + name.encode().ljust(4, b"\0")
    inside = matlab_element(6, flags) + matlab_element(5, sizes) + small_name + matlab_element(kind, values)
    return matlab_element(14, inside)


def matlab_packed(element):
    packed = zlib.compress(element)
    return struct.pack("<2I", 15, len(packed)) + packed


MATLAB_HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM"


def test_house_numbers_are_read_from_files_of_matlab(server, tmp_path, monkeypatch):
    """Its values stand column by column: of X [row, column, channel, image] the row runs fastest."""
    there, address = server
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    values = np.asfortranarray(pixels.transpose(1, 2, 3, 0)).tobytes("F")
    x, y = matlab_matrix("X", 2, (32, 32, 3, 3), values), matlab_matrix("y", 2, (3, 1), bytes([1, 10, 9]))
    doubles = matlab_matrix("y", 9, (3, 1), np.array([1, 10, 9], "<f8").tobytes())
    contents = [MATLAB_HEADER + matlab_packed(x) + matlab_packed(y), MATLAB_HEADER + x + doubles]
    sources = tuple(
        source_of(there, address, source.file, content)
        for source, content in zip(SOURCES["svhn"], contents, strict=True)
    )
    monkeypatch.setitem(downloads.SOURCES, "svhn", sources)
    with pytest.raises(DataError, match="holds 3 images and 3 labels; wanted 73257"):
        load("svhn", tmp_path)
    monkeypatch.setattr(images, "_check", lambda *arguments: None)
    found = load("svhn", tmp_path)
    assert (found.train == pixels).all() and (found.test == pixels).all()
    assert found.train_labels.tolist() == found.test_labels.tolist() == [1, 0, 9]
    first, labels = read_part("svhn", tmp_path / "svhn", "train", 2)
    assert (first == pixels[:2]).all() and labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is no file of MATLAB with an array 'X'"),
        (MATLAB_HEADER, "is no file of MATLAB with an array 'X'"),
        (MATLAB_HEADER + matlab_packed(matlab_matrix("y", 2, (3, 1), b"abc")), "with an array 'X'"),
        (MATLAB_HEADER + matlab_matrix("X", 2, (3, 1), b"abc")[:-9], "is damaged, or no file of MATLAB"),
        (MATLAB_HEADER + struct.pack("<2I", 15, 9) + b"no packing", "is damaged, or no file of MATLAB"),
        (MATLAB_HEADER + matlab_matrix("X", 18, (3, 1), b"abc"), "is damaged, or no file of MATLAB"),
    ],
)
def test_a_file_of_matlab_without_the_array_is_refused(tmp_path, content, sentence):
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        matlab_array(tmp_path / "a.mat", "X")


def test_first_images_are_the_front_of_the_whole(tmp_path):
    whole = load(EMBEDDED, tmp_path)
    pixels, labels = read_part(EMBEDDED, tmp_path, "train", 5)
    assert (pixels == whole.train[:5]).all() and labels.tolist() == whole.train_labels[:5].tolist()
    with pytest.raises(DataError, match="the files of cifar-10 in .* are missing or damaged"):
        read_part("cifar-10", tmp_path, "train", 5)
