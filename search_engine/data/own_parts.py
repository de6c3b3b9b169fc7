"""The parts of a user's own set: in memory where they fit, else decoded anew for every batch. Both give equal batches.

Letters: N images, B batch, H height, C channels.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from search_engine.data.image_files import Bytes, Labels
from search_engine.data.images import resized
from search_engine.data.one_image import decoded
from search_engine.data.own_set import MOST_RESIDENT_BYTES, OwnSet, picture_bytes
from search_engine.data.parts import Batch, Part

_CHUNK_BYTES = 8 << 20  # Of images decoded at once where no batch says how many; their sums take 16 times as much.


class DecodedPart(Part):
    """A part whose images stay in their file; the batch after the one in use is decoded meanwhile, by one thread."""

    def __init__(self, own: OwnSet, indices: Labels, size: int, labels: Tensor, scale: Tensor, offset: Tensor) -> None:
        """indices: of the set's pictures, in the order of this part; size: of the images, in pixels."""
        super().__init__(torch.empty(0), labels, scale, offset)
        self._own, self._indices, self._size = own, indices, size

    @property
    def size(self) -> int:
        return self._size

    def _fetched(self, batches: Iterable[Tensor]) -> Iterator[Batch]:
        with ThreadPoolExecutor(1) as ahead:
            waiting = None
            for indices in chain(batches, (None,)):
                following = None if indices is None else (indices, ahead.submit(self._decoded, indices))
                if waiting is not None:
                    self.batches_served += 1
                    yield waiting[1].result().to(self.device), self.labels.index_select(0, waiting[0])
                waiting = following

    def _decoded(self, indices: Tensor) -> Tensor:
        return torch.from_numpy(pixels_of(self._own, self._indices[indices.cpu().numpy()], self._size))


def own_parts(
    own: OwnSet,
    size: int,
    train: Labels,
    held_out: Labels,
    device: torch.device,
) -> tuple[Part, Part, Part]:
    """Train, held-out and test part. train, held_out: indices into the set's training pictures."""
    chosen = (own.train[train], own.train[held_out], own.test)
    scale, offset = (each.to(device) for each in _normalisation(own, chosen[0], size))
    is_resident = sum(map(len, chosen)) * picture_bytes(own.record.channels, size) <= MOST_RESIDENT_BYTES

    first, second, third = (own_part(own, indices, size, scale, offset, is_resident=is_resident) for indices in chosen)
    return first, second, third


def own_part(
    own: OwnSet, indices: Labels, size: int, scale: Tensor, offset: Tensor, *, is_resident: bool = False
) -> Part:
    """The pictures of these indices on the device of `scale`."""
    labels = torch.from_numpy(own.labels[indices]).to(scale.device)
    if not is_resident:
        return DecodedPart(own, indices, size, labels, scale, offset)
    return Part(torch.from_numpy(pixels_of(own, indices, size)).to(scale.device), labels, scale, offset)


def pixels_of(own: OwnSet, indices: Labels, size: int) -> Bytes:
    """Decoded pictures at one size, [N, H, H, C]."""
    channels = own.record.channels
    result = np.empty((len(indices), size, size, channels), np.uint8)
    for place, index in enumerate(indices):
        result[place] = resized(decoded(own.encoded(int(index)), channels)[None], size)[0]
    return result


def _normalisation(own: OwnSet, indices: Labels, size: int) -> tuple[Tensor, Tensor]:
    """Scale and offset per channel, [C], that give these pictures mean 0 and deviation 1.

    Sums are of whole numbers, so it does not matter how many are decoded at a time.
    """
    sums: NDArray[np.int64] = np.zeros((2, own.record.channels), np.int64)
    chunk = max(1, _CHUNK_BYTES // picture_bytes(own.record.channels, size))
    for start in range(0, len(indices), chunk):
        pixels = pixels_of(own, indices[start : start + chunk], size).astype(np.int64)
        sums += np.stack([pixels.sum((0, 1, 2)), (pixels**2).sum((0, 1, 2))])
    mean, squares = torch.from_numpy(sums / (len(indices) * size * size))
    deviation = (squares - mean**2).clamp(min=0).sqrt().clamp(min=1.0)  # An empty channel stays empty.
    return (1 / deviation).float(), (-mean / deviation).float()
