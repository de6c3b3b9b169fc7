from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from search_engine.config.data import DataConfig
from search_engine.data.batches import prepare, split
from search_engine.data.descriptions import EMBEDDED, describe
from search_engine.data.images import load, resized
from search_engine.data.parts import Part, moved, wiped
from search_engine.data.resident import ResidentData
from search_engine.errors import ConfigError

HUNDRED = replace(describe(EMBEDDED), train_examples=100)
CPU = torch.device("cpu")
SMALL = DataConfig(image_size=14, train_examples=300, held_out_examples=200)


def part(count=10, size=8):
    images = torch.arange(count * size * size, dtype=torch.int64).remainder(251).to(torch.uint8)
    return Part(images.reshape(count, size, size, 1), torch.arange(count), torch.ones(1), torch.zeros(1))


@given(st.integers(0, 2**53), st.integers(10, 60), st.integers(10, 40))
def test_train_and_held_out_are_disjoint_and_a_function_of_the_seed(seed, train, held_out):
    config = DataConfig(train_examples=train, held_out_examples=held_out)
    first, second = split(config, HUNDRED, seed=seed)
    assert len(first) == train and len(second) == held_out
    assert len(set(first) | set(second)) == train + held_out
    assert min(*first, *second) >= 0 and max(*first, *second) < 100
    again, _ = split(config, HUNDRED, seed=seed)
    assert (again == first).all()


def test_the_held_out_part_stays_when_more_images_are_trained_on():
    few = DataConfig(train_examples=20, held_out_examples=30)
    many = DataConfig(train_examples=70, held_out_examples=30)
    assert (split(few, HUNDRED, seed=3)[1] == split(many, HUNDRED, seed=3)[1]).all()


def test_too_few_images_are_refused_at_the_field():
    with pytest.raises(ConfigError) as caught:
        split(DataConfig(train_examples=9000, held_out_examples=2000), describe(EMBEDDED), seed=1)
    assert (caught.value.field, caught.value.message) == (
        "data.train_examples",
        "is 9,000 and 2,000 more are held out, 11,000 together; the training part of “Fashion-MNIST, 10,000 images” "
        "has 10,000.",
    )


def test_batches_have_mean_0_and_deviation_1_over_the_train_part(tmp_path):
    data = prepare(SMALL, seed=1, folder=tmp_path, device=CPU)
    pixels = torch.cat([images for images, _ in data.train.batches(64)])
    assert pixels.shape == (300, 1, 14, 14)
    assert pixels.mean().item() == pytest.approx(0, abs=1e-5)
    assert pixels.std().item() == pytest.approx(1, abs=1e-3)
    assert len(data.held_out) == 200 and len(data.test) == 2000


def test_the_test_part_is_the_official_one_whatever_the_seed(tmp_path):
    official = load("fashion-mnist-10k", tmp_path)
    for seed in (1, 2):
        data = prepare(SMALL, seed=seed, folder=tmp_path, device=CPU)
        assert (data.test.images.numpy() == resized(official.test, 14)).all()
        assert (data.test.labels.numpy() == official.test_labels).all()


@given(st.integers(2, 50), st.integers(1, 20), st.integers(0, 2**62))
def test_an_epoch_shows_every_image_once_in_batches_that_differ_by_at_most_one(count, batch_size, seed):
    labels = [batch for _, batch in part(count).shuffled(batch_size, order_seed=seed)]
    assert sorted(torch.cat(labels).tolist()) == list(range(count))
    sizes = [len(batch) for batch in labels]
    assert max(sizes) <= batch_size and max(sizes) - min(sizes) <= 1


def test_the_order_is_a_function_of_its_seed_alone():
    def order(seed):
        return torch.cat([labels for _, labels in part(40).shuffled(8, order_seed=seed)]).tolist()

    torch.manual_seed(0)
    first = order(5)
    torch.manual_seed(1)
    assert order(5) == first != order(6)


def test_batches_are_in_channels_last_memory(tmp_path):
    data = Part(torch.zeros(6, 8, 8, 3, dtype=torch.uint8), torch.zeros(6), torch.ones(3), torch.zeros(3))
    images, _ = next(data.shuffled(4, order_seed=1, augment_seed=2))
    assert images.shape == (3, 3, 8, 8)
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_served_batches_are_counted():
    data = part(10)
    list(data.batches(4))
    list(data.shuffled(5, order_seed=1))
    assert data.batches_served == 5


@given(st.integers(-1, 1), st.integers(-1, 1), st.booleans(), st.integers(0, 100))
def test_an_image_is_mirrored_and_shifted_with_black_coming_in(down, right, is_mirrored, seed):
    image = np.random.default_rng(seed).integers(1, 256, (8, 8, 3)).astype(np.uint8)
    found = moved(torch.from_numpy(image[None]), torch.tensor([[down, right, int(is_mirrored)]]))[0].numpy()
    padded = np.zeros((10, 10, 3), np.uint8)
    padded[1:9, 1:9] = image
    wanted = padded[1 - down : 9 - down, 1 - right : 9 - right]
    if is_mirrored:
        wanted = np.zeros_like(padded)
        wanted[1:9, 1:9] = image
        # Mirroring comes last: a column of the result is read from the other side, then the shift is applied.
        wanted = wanted[1 - down : 9 - down, 1 - right : 9 - right][:, ::-1]
    assert (found == wanted).all()


def test_augmentation_moves_by_at_most_an_eighth_and_mirrors_about_half():
    image = torch.zeros(1, 16, 16, 1, dtype=torch.uint8)
    image[0, 8, 4, 0] = 255
    data = Part(image.expand(400, 16, 16, 1).contiguous(), torch.zeros(400), torch.ones(1), torch.zeros(1))
    images = torch.cat([images for images, _ in data.shuffled(100, order_seed=1, augment_seed=7)])
    rows, columns = images[:, 0].amax(2).argmax(1), images[:, 0].amax(1).argmax(1)
    assert set(rows.tolist()) == {6, 7, 8, 9, 10}
    plain = columns <= 6
    assert set(columns[plain].tolist()) == {2, 3, 4, 5, 6}
    assert set(columns[~plain].tolist()) == {9, 10, 11, 12, 13}
    assert 160 < int(plain.sum()) < 240


def test_data_stay_resident_for_equal_settings_and_the_oldest_go(tmp_path):
    resident = ResidentData(folder=tmp_path, device=CPU)
    first = resident.get(SMALL, 1)
    assert resident.get(SMALL.model_copy(), 1) is first
    assert resident.get(SMALL, 2) is not first
    list(first.train.batches(100))
    resident.get(SMALL, 3)
    assert resident.progress == 3
    assert resident.get(SMALL, 1) is not first


@pytest.mark.parametrize(
    ("centre", "length", "rows", "columns"),
    [
        ((4, 4), 4, range(2, 6), range(2, 6)),
        ((0, 0), 4, range(2), range(2)),  # Half of each side lies outside: a quarter is left.
        ((7, 3), 4, range(5, 8), range(1, 5)),
        ((7, 7), 5, range(5, 8), range(5, 8)),
        ((3, 5), 1, range(3, 4), range(5, 6)),
        ((4, 4), 8, range(8), range(8)),
    ],
)
def test_cutout_wipes_a_square_and_cuts_it_off_at_the_edges(centre, length, rows, columns):
    images = torch.rand(1, 3, 8, 8) + 1
    found = wiped(images, torch.tensor([centre]), length)
    wanted = images.clone()
    wanted[:, :, rows.start : rows.stop, columns.start : columns.stop] = 0
    assert torch.equal(found, wanted)


def test_every_image_has_a_square_of_its_own_drawn_from_the_seed_alone():
    def batches(seed, cutout=4):
        shuffled = part(40).shuffled(8, order_seed=1, cutout=cutout, cutout_seed=seed)
        return torch.cat([images for images, _ in shuffled])

    ones = Part(torch.ones(40, 8, 8, 1, dtype=torch.uint8), torch.arange(40), torch.ones(1), torch.ones(1))
    images = torch.cat([images for images, _ in ones.shuffled(8, order_seed=1, cutout=4, cutout_seed=3)])
    areas = (images == 0).sum((1, 2, 3))
    assert areas.min() >= 4 and areas.max() == 16 and (images == 0).unique(dim=0).shape[0] > 10
    assert torch.equal(batches(3), batches(3)) and not torch.equal(batches(3), batches(4))
    plain = torch.cat([images for images, _ in part(40).shuffled(8, order_seed=1)])
    assert torch.equal(batches(3, cutout=0), plain)


def test_wiped_batches_stay_in_channels_last_memory():
    images = torch.rand(4, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    found = wiped(images, torch.tensor([[1, 1]] * 4), 4)
    assert found.is_contiguous(memory_format=torch.channels_last)
