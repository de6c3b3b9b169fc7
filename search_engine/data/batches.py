"""Seeded batches from images that live on the device. Letters: N images, B batch, H height, W width, C channels."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from search_engine.config.data import DataConfig
from search_engine.data.descriptions import DatasetDescription, describe
from search_engine.data.downloads import nobody
from search_engine.data.images import Bytes, Labels, load, resized
from search_engine.errors import ConfigError
from search_engine.seeds import derive

Batch = tuple[Tensor, Tensor]


class Part:
    """One part of a data set on a device: bytes [N, H, W, C], which become normalised batches [B, C, H, W].

    A batch is float32 in channels_last memory, as the bytes are. `batches_served` counts for ever; whoever watches it
    grow knows that work goes on.
    """

    def __init__(self, images: Tensor, labels: Tensor, scale: Tensor, offset: Tensor) -> None:
        self.images, self.labels = images, labels
        self._scale, self._offset = scale, offset  # [C]: pixel * scale + offset has mean 0 and deviation 1.
        self.batches_served = 0

    def __len__(self) -> int:
        return len(self.images)

    def normalisation(self) -> dict[str, list[float]]:
        """What a batch was made by, per channel: byte * scale + offset."""
        return {"scale": self._scale.tolist(), "offset": self._offset.tolist()}

    def batches(self, batch_size: int) -> Iterator[Batch]:
        """Every image once, in the order of storage; the last batch may be smaller."""
        for start in range(0, len(self), batch_size):
            self.batches_served += 1
            yield self._normalised(self.images[start : start + batch_size]), self.labels[start : start + batch_size]

    def shuffled(
        self,
        batch_size: int,
        *,
        order_seed: int,
        augment_seed: int | None = None,
        cutout: int = 0,
        cutout_seed: int = 0,
    ) -> Iterator[Batch]:
        """Every image once, in an order that is a function of its seed alone.

        Batches differ by at most one image in size, so that none is too small for batch norm. augment_seed: shifts and
        mirrors are drawn from it; None leaves images as they are. cutout: side in pixels of the square that is wiped
        out of each image, at a place drawn from cutout_seed; 0 wipes nothing.
        """
        generator = torch.Generator().manual_seed(order_seed)
        order = torch.randperm(len(self), generator=generator).to(self.images.device)
        size, device = self.images.shape[1], self.images.device
        moves = None if augment_seed is None else _draw_moves(len(self), size, augment_seed)
        centres = _draw_centres(len(self), size, cutout_seed) if cutout else None
        batches = -(-len(self) // batch_size)
        for indices, shifts, holes in zip(
            order.tensor_split(batches), _split(moves, batches, device), _split(centres, batches, device), strict=True
        ):
            self.batches_served += 1
            images = self.images.index_select(0, indices)
            if shifts is not None:
                images = moved(images, shifts)
            normalised = self._normalised(images)
            if holes is not None:
                normalised = wiped(normalised, holes, cutout)
            yield normalised, self.labels.index_select(0, indices)

    def _normalised(self, images: Tensor) -> Tensor:
        return torch.addcmul(self._offset, images.to(torch.float32), self._scale).permute(0, 3, 1, 2)


def _draw_moves(examples: int, size: int, seed: int) -> Tensor:
    """[N, 3]: shift down and shift right, each up to an eighth of the size, and whether to mirror."""
    generator = torch.Generator().manual_seed(seed)
    reach = size // 8
    shifts = torch.randint(-reach, reach + 1, (examples, 2), generator=generator)
    mirrored = torch.randint(0, 2, (examples, 1), generator=generator)
    return torch.cat([shifts, mirrored], 1)


def _draw_centres(examples: int, size: int, seed: int) -> Tensor:
    """[N, 2]: row and column of the centre of a square, anywhere in the image."""
    return torch.randint(0, size, (examples, 2), generator=torch.Generator().manual_seed(seed))


def _split(drawn: Tensor | None, batches: int, device: torch.device) -> tuple[Tensor | None, ...]:
    return (None,) * batches if drawn is None else drawn.to(device).tensor_split(batches)


def moved(images: Tensor, moves: Tensor) -> Tensor:
    """Shift and mirror every image by its own row of `moves`; what comes in from outside is black.

    images: bytes [B, H, H, C]; moves: [B, 3] of rows down, columns right, mirror (0 or 1). Returns bytes [B, H, H, C].
    NASNet, A.1 crops from an image enlarged to 40 pixels; a crop of an image with a black border moves it alike.
    """
    count, size = images.shape[0], images.shape[1]
    places = torch.arange(size, device=images.device)
    mirrored = moves[:, 2:3] * (size - 1 - 2 * places) + places
    rows = places - moves[:, 0:1]
    columns = mirrored - moves[:, 1:2]
    inside = ((rows >= 0) & (rows < size))[:, :, None] & ((columns >= 0) & (columns < size))[:, None, :]
    first = torch.arange(count, device=images.device)[:, None, None]
    found = images[first, rows.clamp(0, size - 1)[:, :, None], columns.clamp(0, size - 1)[:, None, :]]
    return found * inside[..., None].to(torch.uint8)


def wiped(images: Tensor, centres: Tensor, length: int) -> Tensor:
    """Cutout: set a square of each image to zero, which is the mean of all pixels.

    images: normalised [B, C, H, H]; centres: [B, 2], row and column. What reaches over the edge is cut off, so a square
    has between a quarter of its length^2 pixels and all (DeVries and Taylor 2017).
    """
    places = torch.arange(images.shape[2], device=images.device)
    first = centres - length // 2
    rows, columns = ((places >= edge) & (places < edge + length) for edge in (first[:, 0:1], first[:, 1:2]))
    kept = ~(rows[:, :, None] & columns[:, None, :])
    return images * kept[:, None].to(images.dtype)


@dataclass(frozen=True, slots=True)
class DataParts:
    """The parts that a search or a training uses, resident on one device.

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
    description = describe(config.name)
    train, held_out = split(config, description.train_examples, seed=seed)
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


def split(config: DataConfig, available: int, *, seed: int) -> tuple[Labels, Labels]:
    """Indices of the train and of the held-out part: disjoint, a function of seed and sizes.

    The held-out part is drawn first, so it stays the same when the number of training images changes.
    Raises ConfigError when the official training part has not enough images for both.
    """
    wanted = config.train_examples + config.held_out_examples
    if wanted > available:
        raise ConfigError(
            "data.train_examples",
            f"is {config.train_examples}, with {config.held_out_examples} more held out; "
            f"{config.name} has {available} training images in all.",
        )
    order = torch.randperm(available, generator=torch.Generator().manual_seed(derive(seed, "split"))).numpy()
    return order[config.held_out_examples : wanted], order[: config.held_out_examples]


def _normalisation(images: Bytes) -> tuple[Tensor, Tensor]:
    """Scale and offset per channel, [C], that give pixels of these images mean 0 and deviation 1."""
    axes = (0, 1, 2)
    mean = torch.from_numpy(images.mean(axes, dtype="float64"))
    deviation = torch.from_numpy(images.std(axes, dtype="float64")).clamp(min=1.0)  # An empty channel stays empty.
    return (1 / deviation).float(), (-mean / deviation).float()
