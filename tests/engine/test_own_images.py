"""A user's own images: folders, what they mean, the draw of the test part, the file of a set, both loaders."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from search_engine.__main__ import main
from search_engine.config.data import DataConfig
from search_engine.data import own_parts
from search_engine.data.batches import prepare
from search_engine.data.class_folders import Place, places
from search_engine.data.images import resized
from search_engine.data.named_images import named_images
from search_engine.data.one_image import Unfit, decoded, picture_of
from search_engine.data.own_images import keep_own_images
from search_engine.data.own_parts import DecodedPart
from search_engine.data.own_set import describe_in, open_own, place_of_own
from search_engine.data.own_split import Member, draw_test
from search_engine.errors import ConfigError, DataError


def image_bytes(seed: int, *, mode: str = "RGB", size: tuple[int, int] = (12, 12), kind: str = "PNG") -> bytes:
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], len(mode))
    pixels = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def folder_of(root: Path, counts: dict[str, int], **how: object) -> Path:
    seed = 0
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            (root / name / f"{number}.png").write_bytes(image_bytes(seed, **how))
            seed += 1
    return root


def test_each_class_gives_a_fifth_of_its_images_to_the_test_part(tmp_path):
    name = keep_own_images(folder_of(tmp_path / "pets", {"cat": 20, "dog": 10, "eel": 2}), tmp_path / "data")
    described = describe_in(name, tmp_path / "data")
    assert (described.title, described.classes) == ("pets", ("cat", "dog", "eel"))
    assert (described.channels, described.image_size, described.origin) == (3, 12, "own")
    assert (described.train_examples, described.test_examples) == (16 + 8 + 1, 4 + 2 + 1)
    own = open_own(name, tmp_path / "data")
    assert np.bincount(own.labels[own.test]).tolist() == [4, 2, 1]
    assert own.record.split == {"kind": "drawn", "seed": 1, "share": 0.2}
    assert sorted([*own.train, *own.test]) == list(range(32))


def test_a_folder_is_kept_once_and_named_by_its_content(tmp_path):
    folder = folder_of(tmp_path / "pets", {"cat": 3, "dog": 3})
    first, again = (keep_own_images(folder, tmp_path / "data") for _ in range(2))
    assert first == again and len(list((tmp_path / "data" / "own-images").iterdir())) == 1
    (folder / "cat" / "0.png").write_bytes(image_bytes(99))
    assert keep_own_images(folder, tmp_path / "data") != first


def test_parts_that_the_folders_name_are_kept(tmp_path):
    counts = {"train/cat": 4, "train/dog": 3, "test/cat": 2, "test/dog": 1}
    own = open_own(keep_own_images(folder_of(tmp_path / "pets", counts), tmp_path), tmp_path)
    assert own.record.train_counts == (4, 3) and own.record.test_counts == (2, 1)
    assert own.record.split == {"kind": "kept"}


def test_what_folders_mean():
    def meant(*paths: str) -> list[tuple[str, str] | None]:
        return [place and (place.part, place.class_name) for place in places(paths).values()]

    assert meant("cat/1.png", "dog/deep/2.png", "3.png") == [("", "cat"), ("", "dog"), None]
    assert meant("pets/cat/1.png", "pets/dog/2.png") == [("", "cat"), ("", "dog")]
    assert meant("README", "pets/LICENCE", "pets/cat/1.png", "pets/dog/2.png") == [None, None, ("", "cat"), ("", "dog")]
    assert meant("p/Train/cat/1.png", "p/VAL/cat/2.png") == [("train", "cat"), ("test", "cat")]
    assert meant("train/a/1", "val/a/2", "test/a/3") == [("train", "a"), ("train", "a"), ("test", "a")]
    assert meant("train/1.png", "train/a/2", "test/a/3") == [None, ("train", "a"), ("test", "a")]
    assert meant("train/1.png", "plane/2.png") == [("", "train"), ("", "plane")]  # A train is also a class.
    assert places(["e\u0301/1", "b/2"])["e\u0301/1"] == Place("\xe9", "")


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(0, 9))
def test_the_test_part_is_a_function_of_seed_and_content_alone(counts, seed):
    members = [Member(label, f"{label} {i}", f"{i}") for label, count in enumerate(counts) for i in range(count)]
    chosen = {members[index].digest for index in draw_test(members, seed=seed)}
    renamed = [Member(member.label, member.digest, f"other {member.path}") for member in reversed(members)]
    assert chosen == {renamed[index].digest for index in draw_test(renamed, seed=seed)}
    for label, count in enumerate(counts):
        given_away = sum(digest.startswith(f"{label} ") for digest in chosen)
        assert given_away == (0 if count == 1 else max(1, round(0.2 * count)))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda root: (root / "eel").mkdir(), "eel has no images; a class needs 2"),
        (lambda root: (root / "cat" / "1.png").write_bytes(b"no image"), "cat/1.png is no PNG, JPEG, WebP, BMP or GIF"),
        (lambda root: (root / "cat" / "1.png").write_bytes(image_bytes(1)[:-200]), "cat/1.png is damaged"),
        (lambda root: (root / "loose.png").write_bytes(image_bytes(1)), "loose.png stands in no class folder"),
        (lambda root: [(root / f"cat/{n}.png").unlink() for n in (1, 2)], "one image of class 'cat'; a class needs 2"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_folder_is_refused_with_the_name_of_the_file(tmp_path, spoil, sentence):
    root = folder_of(tmp_path / "pets", {"cat": 3, "dog": 3})
    spoil(root)
    with pytest.raises(DataError, match=sentence) as caught:
        keep_own_images(root, tmp_path / "data")
    assert caught.value.field == "data.name"
    assert list((tmp_path / "data" / "own-images").iterdir()) == []


def test_one_class_is_too_few(tmp_path):
    with pytest.raises(DataError, match="needs two classes at least.*found only 'cat'"):
        keep_own_images(folder_of(tmp_path / "pets", {"cat": 3}), tmp_path / "data")


def test_what_is_no_data_set_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="is 'nothing'; must be one of .* or a folder or zip"):
        named_images("nothing", tmp_path)
    with pytest.raises(DataError, match="is neither a data set of this program nor a folder or zip"):
        named_images("folder:nowhere", tmp_path)
    with pytest.raises(DataError, match="that is not in"):
        describe_in(f"own-{'0' * 64}", tmp_path)
    assert named_images("cifar-10", tmp_path) == "cifar-10"


def test_a_set_that_was_changed_is_refused(tmp_path):
    name = keep_own_images(folder_of(tmp_path / "pets", {"cat": 3, "dog": 3}), tmp_path)
    path = place_of_own(name.removeprefix("own-"), tmp_path)
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(DataError, match="was changed"):
        open_own(name, tmp_path)


def test_pictures_are_square_in_the_middle_upright_and_grey_where_all_is_grey():
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 6)
    file = io.BytesIO()
    Image.fromarray(np.stack([pixels] * 3, 2)).save(file, "PNG")
    picture = picture_of(file.getvalue())
    assert (picture.side, picture.is_grey) == (4, True)
    assert (decoded(picture.encoded, 1)[..., 0] == pixels[:, 1:5]).all()
    assert (decoded(picture.encoded, 3) == pixels[:, 1:5, None]).all()

    turned = Image.fromarray(np.stack([pixels[:, 1:5]] * 3, 2))
    exif = turned.getexif()
    exif[0x0112] = 3  # Upside down.
    file = io.BytesIO()
    turned.save(file, "PNG", exif=exif)
    assert (decoded(picture_of(file.getvalue()).encoded, 1)[..., 0] == pixels[::-1, 4:0:-1]).all()


def test_transparent_places_are_black_sixteen_bits_become_eight_and_animations_show_their_first_frame():
    clear = Image.new("RGBA", (2, 2), (200, 100, 50, 0))
    clear.putpixel((0, 0), (200, 100, 50, 255))
    file = io.BytesIO()
    clear.save(file, "PNG")
    assert decoded(picture_of(file.getvalue()).encoded, 3).reshape(4, 3).tolist() == [[200, 100, 50]] + [[0, 0, 0]] * 3

    file = io.BytesIO()
    Image.fromarray(np.array([[0, 0x1234], [0xFF00, 0xFFFF]], np.uint16)).save(file, "PNG")
    assert decoded(picture_of(file.getvalue()).encoded, 1).ravel().tolist() == [0, 0x12, 0xFF, 0xFF]

    frames = [Image.new("L", (3, 3), shade) for shade in (0, 255)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert decoded(picture_of(file.getvalue()).encoded, 1).max() == 0


def test_large_images_are_averaged_to_512_and_huge_ones_refused_by_their_header():
    picture = picture_of(image_bytes(1, size=(600, 1100)))
    assert picture.side == 512
    header_only = bytearray(image_bytes(1))
    header_only[16:24] = (100_000).to_bytes(4, "big") * 2
    with pytest.raises(Unfit, match="has more than 16,777,216 pixels"):
        picture_of(_with_right_checksum(bytes(header_only)))


def _with_right_checksum(png: bytes) -> bytes:
    import zlib

    return png[:29] + zlib.crc32(png[12:29]).to_bytes(4, "big") + png[33:]


@given(st.binary(max_size=200), st.integers(0, 300))
def test_whatever_the_bytes_the_answer_is_a_picture_or_a_reason(noise, place):
    content = image_bytes(3)
    spoiled = content[:place] + noise + content[place + len(noise) :]
    try:
        assert picture_of(spoiled).side > 0
    except Unfit as unfit:
        assert str(unfit)


def equal_batches(one: object, other: object) -> None:
    for (images, labels), (others, other_labels) in zip(one, other, strict=True):
        assert torch.equal(images, others) and torch.equal(labels, other_labels)
        assert images.stride() == others.stride()


def test_both_loaders_give_equal_batches(tmp_path, monkeypatch):
    folder = folder_of(tmp_path / "pets", {"cat": 20, "dog": 17, "eel": 9}, size=(15, 13))
    name = keep_own_images(folder, tmp_path)
    config = DataConfig(name=name, image_size=9, train_examples=22, held_out_examples=12)

    def prepared():
        return prepare(config, seed=5, folder=tmp_path, device=torch.device("cpu"))

    resident = prepared()
    monkeypatch.setattr(own_parts, "MOST_RESIDENT_BYTES", 100)
    decoding = prepared()
    assert not isinstance(resident.train, DecodedPart) and isinstance(decoding.train, DecodedPart)
    assert resident.train.normalisation() == decoding.train.normalisation()
    how = {"order_seed": 3, "augment_seed": 4, "cutout": 4, "cutout_seed": 5}
    equal_batches(resident.train.shuffled(8, **how), decoding.train.shuffled(8, **how))
    equal_batches(resident.train.shuffled(7, order_seed=1), decoding.train.shuffled(7, order_seed=1))
    equal_batches(resident.test.batches(4), decoding.test.batches(4))
    equal_batches(resident.held_out.batches(5), decoding.held_out.batches(5))
    assert resident.batches_served == decoding.batches_served > 0


def test_the_mean_of_a_set_larger_than_memory_is_taken_of_a_few_images_at_a_time(tmp_path, monkeypatch):
    name = keep_own_images(folder_of(tmp_path / "pets", {"ant": 20, "bear": 20}), tmp_path)
    config = DataConfig(name=name, image_size=12, train_examples=20, held_out_examples=10)
    straight = prepare(config, seed=1, folder=tmp_path, device=torch.device("cpu")).train.normalisation()
    decode, counts = own_parts.pixels_of, []

    def noted(own, indices, size):
        counts.append(len(indices))
        return decode(own, indices, size)

    monkeypatch.setattr(own_parts, "pixels_of", noted)
    monkeypatch.setattr(own_parts, "MOST_RESIDENT_BYTES", 100)
    monkeypatch.setattr(own_parts, "_CHUNK_BYTES", 7 * 3 * 12 * 12)
    parts = prepare(config, seed=1, folder=tmp_path, device=torch.device("cpu"))
    assert counts == [7, 7, 6] and parts.train.normalisation() == straight


def test_an_archive_that_is_refused_whole_is_named_by_its_path(tmp_path):
    (tmp_path / "pets.zip").write_bytes(b"no archive")
    with pytest.raises(DataError) as caught:
        keep_own_images(tmp_path / "pets.zip", tmp_path)
    assert caught.value.field == "data.name"
    assert caught.value.message == f"{tmp_path / 'pets.zip'} is no zip archive, or is damaged."


def test_batches_are_the_kept_pictures_at_the_asked_size_normalised(tmp_path):
    name = keep_own_images(folder_of(tmp_path / "pets", {"cat": 20, "dog": 10}, size=(15, 13)), tmp_path)
    config = DataConfig(name=name, image_size=9, train_examples=14, held_out_examples=10)
    parts = prepare(config, seed=5, folder=tmp_path, device=torch.device("cpu"))
    own = open_own(name, tmp_path)
    first = resized(decoded(own.encoded(int(own.test[0])), 3)[None], 9)[0]
    assert (parts.test.images[0].numpy() == first).all()
    [(images, _)] = parts.train.batches(100)
    assert images.mean((0, 2, 3)).abs().max() < 1e-5 and (images.var((0, 2, 3), correction=0) - 1).abs().max() < 1e-4


def test_a_network_trains_on_a_folder_in_the_terminal_and_is_scored_on_its_test_part(tmp_path, capsys):
    folder = folder_of(tmp_path / "pets", {"cat": 30, "dog": 30}, size=(12, 12))
    data = ["--data", str(folder), "--data-folder", str(tmp_path / "data")]
    small = ["--cells", "1", "--filters", "2", "--epochs", "1", "--batch-size", "16"]
    assert main(["train", "nasnet-a", "--out", str(tmp_path / "out"), *data, *small]) == 0
    config = json.loads((tmp_path / "out" / "config.json").read_text())["data"]
    assert (config["image_size"], config["train_examples"], config["held_out_examples"]) == (12, 38, 10)
    assert config["name"].startswith("own-")
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "out"), "--json", *data]) == 0
    assert json.loads(capsys.readouterr().out)["test_examples"] == 12


def test_a_search_names_a_folder_in_its_file(tmp_path):
    from search_engine.terminal.given import search_config

    folder = folder_of(tmp_path / "pets", {"cat": 3, "dog": 3})
    (tmp_path / "search.json").write_text(json.dumps({"data": {"name": f"folder:{folder}"}}))
    config = search_config(str(tmp_path / "search.json"), tmp_path / "data")
    assert config.data.name == named_images(str(folder), tmp_path / "data")
