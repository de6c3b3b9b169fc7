"""Data that stay on the device from one job to the next."""

from pathlib import Path

import torch

from search_engine.config import DataConfig
from search_engine.data.batches import DataParts, prepare

KEPT = 2  # A worker that alternates between two searches reads nothing twice; more would hold memory for nothing.


class ResidentData:
    """Prepared parts by configuration and seed; the one that was not asked for longest goes first."""

    def __init__(self, *, folder: Path, device: torch.device) -> None:
        self._folder, self._device = folder, device
        self._parts: dict[str, DataParts] = {}
        self._served_before = 0  # Batches of parts that are gone.

    def get(self, config: DataConfig, seed: int) -> DataParts:
        """The parts, prepared now or earlier. Raises as data.batches.prepare does."""
        key = f"{seed} {config.model_dump_json()}"
        parts = self._parts.pop(key, None) or prepare(config, seed=seed, folder=self._folder, device=self._device)
        self._parts = self._parts | {key: parts}
        while len(self._parts) > KEPT:
            oldest = next(iter(self._parts))
            self._served_before += self._parts[oldest].batches_served
            self._parts = {name: kept for name, kept in self._parts.items() if name != oldest}
        return parts

    @property
    def batches_served(self) -> int:
        """All batches ever handed out: it grows while anything is trained or scored."""
        return self._served_before + sum(parts.batches_served for parts in self._parts.values())
