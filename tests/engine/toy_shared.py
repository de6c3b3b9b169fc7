"""Shared weights that are a count and a rule, and the small searches that are tested with them."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from search_engine.architectures.reading import Architecture
from search_engine.config.searches import AnyEnasSearchConfig, read_enas_config
from search_engine.training.shared_weights import Score, SharedWeights, TrainedMinibatch


class ToyWeights(SharedWeights):
    """Six minibatches an epoch, each of which adds one to the only weight; remembers what it was asked for."""

    def __init__(self, rule: Callable[[Architecture, int], Score], *, diverges_at: int | None = None) -> None:
        self._rule, self._diverges_at = rule, diverges_at
        self._weight = torch.zeros(1)
        self.trained: list[tuple[int, int, str]] = []
        self.scored: list[tuple[int, str]] = []

    @property
    def progress(self) -> int:
        return len(self.trained) + len(self.scored)

    def minibatches(self, epoch: int) -> int:
        return 6

    def train(self, epoch: int, first: int, architectures: Sequence[Architecture]) -> Iterator[TrainedMinibatch]:
        for number in range(first, 6):
            self._weight += 1
            self.trained.append((epoch, number, architectures[number].hash))
            loss = None if number == self._diverges_at else 1 / (1 + float(self._weight))
            yield TrainedMinibatch(number, loss, number / 10, 0.1 / (1 + epoch))

    def score(self, architecture: Architecture, minibatch: int) -> Score:
        self.scored.append((minibatch, architecture.hash))
        return self._rule(architecture, minibatch)

    def tensors(self) -> dict[str, Tensor]:
        return {"weight": self._weight}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        self._weight = tensors["weight"].clone()


def accurate(reward: float) -> Score:
    return Score(reward=reward, accuracy=reward, nats=None)


def shared_config(method: str = "enas-macro", **changes: object) -> AnyEnasSearchConfig:
    """Two epochs, three rounds of two, four candidates; macro networks of three layers unless told."""
    small: dict[str, dict[str, object]] = {
        "enas-micro": {
            "space": {"nodes": 2},
            "supernet": {"normal_cells": 1, "reductions": 1, "filters": 4},
            "derived": {"skeleton": "enas", "normal_cells": 1, "reductions": 1, "filters": 4},
        },
        "enas-macro": {"space": {"layers": 3}, "supernet": {"filters": 4}, "derived": {"filters": 4}},
        "enas-recurrent": {"space": {"nodes": 3}, "supernet": {"hidden": 8}, "derived": {"hidden": 8}},
    }
    on_images = {
        "data": {"image_size": 8, "train_examples": 100, "held_out_examples": 50},
        "shared": {"epochs": 2, "batch_size": 25},
        "phases": {"rounds": 3, "score_batch": 20},
    }
    on_text = {"shared": {"epochs": 2, "minibatches": 4}, "phases": {"rounds": 3, "score_batch": 8}}
    parts = on_text if method == "enas-recurrent" else on_images
    both = {"strategy": {"kind": "reinforce", "step_size": 2}, "deriving": {"candidates": 4}}
    on_images["derived_recipe"] = {"epochs": 1}
    on_text["derived_recipe"] = {"epochs": 1, "learning_rate": 1.0, "test_batch": 64}
    value = {"method": method, **parts, **both, **small[method], **changes}
    return read_enas_config(value)
