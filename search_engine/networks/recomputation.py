"""Values that the backward pass computes again, so that the forward pass need not keep them.

PyTorch keeps what a layer read until its backward pass. Of a separable convolution that is five tensors, of which three
are cheap: two results of depthwise convolutions, and one of batch norm with ReLU. Kept are the sources of cheap values
alone, in all less than half of the memory. What is computed again comes from the same kernels,
so it has the same bits, and no gradient changes.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from search_engine.networks.layer_compute import Compute

# Bytes of all values of a forward pass, of which two thirds would be kept: below that, memory is not scarce and time
# matters. It takes a tenth of the time of a large child's step, a sixth of a micro and a quarter of a macro network's.
WORTH_WHILE = 1536 << 20

HELD = 8  # Values at once: those of the cell whose gradients are under way. Others are computed once more.


class Cheap:
    """A value that is computed when it is asked for, and let go when all who will ask have done so."""

    def __init__(self, compute: Compute, sources: "list[Tensor | Cheap]", held: "deque[Cheap]") -> None:
        """held: those whose values are there, the oldest first."""
        self._compute, self._sources, self._held = compute, sources, held
        self._awaited = 0
        self._value: Tensor | None = None

    def expect(self) -> "Cheap":
        """Somebody will call `take` once."""
        self._awaited += 1
        return self

    def take(self) -> Tensor:
        value = self.value()
        self._awaited -= 1
        if self._awaited <= 0 and self._value is not None:
            self._held.remove(self)
            self._value = None
        return value

    def value(self) -> Tensor:
        """The value, held for those who will take it, unless too many others are."""
        if self._value is not None:
            return self._value
        value = self._compute(*[source.value() if isinstance(source, Cheap) else source for source in self._sources])
        if self._awaited > 1:
            if len(self._held) == HELD:
                self._held.popleft()._value = None
            self._held.append(self)
            self._value = value
        return value


class Recomputation:
    """Of one forward pass: which tensors in memory are cheap."""

    def __init__(self) -> None:
        self._cheap: dict[int, tuple[Tensor, Cheap]] = {}  # By the address of a value that is alive.
        self._held: deque[Cheap] = deque()
        self._result: Cheap | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within, what is saved for the backward pass is saved as its recipe, where it is cheap."""
        with saved_tensors_hooks(self._pack, _unpack):
            yield

    def source(self, value: Tensor) -> Tensor | Cheap:
        """What a cheap value is computed from: a recipe, or the tensor, which is then kept."""
        return self._recipe(value) or value.detach()

    def cheap(self, compute: Compute, sources: list[Tensor | Cheap]) -> Cheap:
        return Cheap(compute, sources, self._held)

    @contextmanager
    def resulting(self, cheap: Cheap) -> Iterator[None]:
        """Within, a layer saves nothing but its own result, which is this."""
        self._result = cheap
        try:
            yield
        finally:
            self._result = None

    def add(self, value: Tensor, cheap: Cheap) -> None:
        self._cheap[value.data_ptr()] = value.detach(), cheap

    def forget(self, value: Tensor) -> None:
        """The value goes, or is written over; its address may soon be another's."""
        self._cheap.pop(value.data_ptr(), None)

    def _recipe(self, tensor: Tensor) -> Cheap | None:
        """None too for a view that only begins where a cheap value does."""
        value, cheap = self._cheap.get(tensor.data_ptr(), (None, None))
        is_same = value is not None and value.shape == tensor.shape and value.stride() == tensor.stride()
        return cheap if is_same else None

    def _pack(self, tensor: Tensor) -> Tensor | Cheap:
        cheap = self._result or self._recipe(tensor)
        return tensor if cheap is None else cheap.expect()


@torch.no_grad()
def _unpack(saved: Tensor | Cheap) -> Tensor:
    return saved.take() if isinstance(saved, Cheap) else saved
