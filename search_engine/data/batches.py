"""The parts of a data set that a search or a training uses: which images, split by seed, normalised, on a device."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from search_engine.config.data import DataConfig
from search_engine.data.descriptions import DatasetDescription, too_few_images
from search_engine.data.downloads import nobody
from search_engine.data.image_files import Bytes, Labels
from search_engine.data.images import load, resized
from search_engine.data.own_parts import own_part, own_parts
from search_engine.data.own_set import describe_in, open_own, sha256_of_own
from search_engine.data.parts import Part
from search_engine.seeds import derive


@dataclass(frozen=True, slots=True)
class DataParts:
    """The parts that a search or a training uses, on one device.

    train and held_out are disjoint and both drawn from the official training part; test is the official test part,
    which nothing looks at before a training ends.
    """

    description: DatasetDescription
    train: Part
    held_out: Part
    test: Part

    @property
    def batches_served(self) -> int:
        return self.train.batches_served + self.held_out.batches_served + self.test.batches_served


def prepare(
    config: DataConfig, *, seed: int, folder: Path, device: torch.device, on_block: Callable[[], None] = nobody
) -> DataParts:
    """Read, split, resize and move the data to the device.

    The split is a function of the seed alone, so all children of a search share it; pixels are normalised by mean and
    deviation of the train part. Raises ConfigError where there are not enough images, DataError where there are none.
    """
    description = describe_in(config.name, folder)
    train, held_out = split(config, description, seed=seed)
    if description.origin == "own":
        own = own_parts(open_own(config.name, folder), config.image_size, train, held_out, device)
        return DataParts(description, *own)
    images = load(config.name, folder, on_block)
    train_images = resized(images.train[train], config.image_size)
    scale, offset = _normalisation(train_images)

    def part(pixels: Bytes, labels: Labels) -> Part:
        return Part(
            torch.from_numpy(pixels).to(device),
            torch.from_numpy(labels).to(device),
            scale.to(device),
            offset.to(device),
        )

    return DataParts(
        description=description,
        train=part(train_images, images.train_labels[train]),
        held_out=part(resized(images.train[held_out], config.image_size), images.train_labels[held_out]),
        test=part(resized(images.test, config.image_size), images.test_labels),
    )


def test_part_of(name: str, image_size: int, normalisation: Mapping[str, list[float]], *, folder: Path) -> Part:
    """The test part of a data set alone, as a trained network wants its images. Raises as `prepare` does."""
    scale, offset = torch.tensor(normalisation["scale"]), torch.tensor(normalisation["offset"])
    if sha256_of_own(name) is not None:
        own = open_own(name, folder)
        return own_part(own, own.test, image_size, scale, offset)
    images = load(name, folder)
    return Part(torch.from_numpy(resized(images.test, image_size)), torch.from_numpy(images.test_labels), scale, offset)


def split(config: DataConfig, description: DatasetDescription, *, seed: int) -> tuple[Labels, Labels]:
    """Indices of the train and of the held-out part: disjoint, a function of seed and sizes.

    The held-out part is drawn first, so it stays the same when the number of training images changes.
    Raises ConfigError when the official training part has not enough images for both.
    """
    if error := too_few_images(config.train_examples, config.held_out_examples, description):
        raise error
    wanted, available = config.train_examples + config.held_out_examples, description.train_examples
    order = torch.randperm(available, generator=torch.Generator().manual_seed(derive(seed, "split"))).numpy()
    return order[config.held_out_examples : wanted], order[: config.held_out_examples]


def _normalisation(images: Bytes) -> tuple[Tensor, Tensor]:
    """Scale and offset per channel, [C], that give pixels of these images mean 0 and deviation 1."""
    axes = (0, 1, 2)
    mean = torch.from_numpy(images.mean(axes, dtype="float64"))
    deviation = torch.from_numpy(images.std(axes, dtype="float64")).clamp(min=1.0)  # An empty channel stays empty.
    return (1 / deviation).float(), (-mean / deviation).float()
