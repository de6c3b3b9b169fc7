"""Seeded batches of images. Letters: N images, B batch, H height, W width, C channels."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

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
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        return self.labels.device

    @property
    def size(self) -> int:
        """Height and width of the images."""
        return self.images.shape[1]

    def normalisation(self) -> dict[str, list[float]]:
        """What a batch was made by, per channel: byte * scale + offset."""
        return {"scale": self._scale.tolist(), "offset": self._offset.tolist()}

    def batches(self, batch_size: int) -> Iterator[Batch]:
        """Every image once, in the order of storage; the last batch may be smaller."""
        for images, labels in self._fetched(
            torch.arange(len(self), device=self.device).tensor_split(tuple(range(batch_size, len(self), batch_size)))
        ):
            yield self._normalised(images), labels

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
        order = torch.randperm(len(self), generator=generator).to(self.device)
        size, device = self.size, self.device
        moves = None if augment_seed is None else _draw_moves(len(self), size, augment_seed)
        centres = _draw_centres(len(self), size, cutout_seed) if cutout else None
        batches = -(-len(self) // batch_size)
        for (images, labels), shifts, holes in zip(
            self._fetched(order.tensor_split(batches)),
            _split(moves, batches, device),
            _split(centres, batches, device),
            strict=True,
        ):
            if shifts is not None:
                images = moved(images, shifts)
            normalised = self._normalised(images)
            if holes is not None:
                normalised = wiped(normalised, holes, cutout)
            yield normalised, labels

    def picked(self, indices: Tensor) -> Batch:
        """These images, as they are, in this order. indices: whole numbers [B]."""
        ((images, labels),) = self._fetched((indices.to(self.device),))
        return self._normalised(images), labels

    def _fetched(self, batches: Iterable[Tensor]) -> Iterator[Batch]:
        """Bytes [B, H, W, C] and labels [B] for each tensor of indices [B]."""
        for indices in batches:
            self.batches_served += 1
            yield self.images.index_select(0, indices), self.labels.index_select(0, indices)

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
