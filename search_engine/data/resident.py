"""Data that stay on the device from one job to the next."""

from pathlib import Path

import torch

from search_engine.config.data import DataConfig
from search_engine.data.batches import DataParts, prepare

KEPT = 2  # A worker that alternates between two searches reads nothing twice; more would hold memory for nothing.


class ResidentData:
    """Prepared parts by configuration and seed; the one that was not asked for longest goes first."""

    def __init__(self, *, folder: Path, device: torch.device) -> None:
        self._folder, self._device = folder, device
        self._parts: dict[str, DataParts] = {}
        self._served_before = 0  # Batches of parts that are gone.
        self._blocks_fetched = 0

    def get(self, config: DataConfig, seed: int) -> DataParts:
        """The parts, prepared now or earlier. Raises as data.batches.prepare does."""
        key = f"{seed} {config.model_dump_json()}"
        parts = self._parts.get(key) or self._prepared(config, seed)
        # The dictionary is replaced and never changed, because another thread reads `progress` meanwhile.
        self._parts = {name: kept for name, kept in self._parts.items() if name != key} | {key: parts}
        while len(self._parts) > KEPT:
            oldest = next(iter(self._parts))
            self._served_before += self._parts[oldest].batches_served
            self._parts = {name: kept for name, kept in self._parts.items() if name != oldest}
        return parts

    @property
    def progress(self) -> int:
        """All batches ever handed out and all blocks ever downloaded: it grows while anything is done with data."""
        served = self._served_before + sum(parts.batches_served for parts in self._parts.values())
        return served + self._blocks_fetched

    def _prepared(self, config: DataConfig, seed: int) -> DataParts:
        def count() -> None:
            self._blocks_fetched += 1

        return prepare(config, seed=seed, folder=self._folder, device=self._device, on_block=count)
