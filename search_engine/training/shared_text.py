"""The weights that recurrent cells share, trained and scored on text (ENAS, sections 2.1 and 2.2).

Letters: T time steps, B streams, H hidden units.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import torch
from torch import Tensor, nn

from search_engine.architectures.reading import Architecture
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.config.enas_search import EnasRecurrentSearchConfig
from search_engine.data.token_streams import Stretch, TextParts
from search_engine.errors import CheckpointError, ConfigError
from search_engine.networks.recurrent_supernet import RecurrentSupernet
from search_engine.seeds import Seeds
from search_engine.training.language_recipe import learning_rate_in, lengths_of_stretches, masks_of, penalties
from search_engine.training.shared_weights import Score, SharedWeights, TrainedMinibatch
from search_engine.training.train import unless_out_of_memory

_STATE = "carried_state"  # [B, H] of the text that is being read; its name in a checkpoint.


class SharedText(SharedWeights):
    """A minibatch is a stretch of text [T, B], read under one cell with the state that another cell left there.

    The text is read from its start with an empty state, pass after pass. Scores read stretches of the validation part,
    each with an empty state.
    """

    def __init__(self, config: EnasRecurrentSearchConfig, *, data: TextParts, device: torch.device) -> None:
        """Raises ConfigError where text, sizes or memory do not fit."""
        self._config, self._data = config, data
        self._recipe = config.shared
        self._seeds = Seeds(config.reproducibility.seed)
        self._steps = _steps(config, data)
        self._windows = _windows(config, data)
        network = unless_out_of_memory(lambda: self._build(device))
        if isinstance(network, str):
            raise ConfigError("supernet.hidden", f"is {config.supernet.hidden}; the shared weights exceed the memory.")
        self.network = network
        self._optimizer = torch.optim.SGD(
            network.parameters(), lr=self._recipe.learning_rate, weight_decay=self._recipe.weight_decay, fused=True
        )
        self._state = network.first_state(self._recipe.batch_size)
        self._done = 0

    def _build(self, device: torch.device) -> RecurrentSupernet:
        network = RecurrentSupernet(
            self._config.space,
            self._config.supernet,
            vocabulary=len(self._data.vocabulary),
            generator=torch.Generator().manual_seed(self._seeds.of("shared-weights")),
            initial_range=self._recipe.initial_range,
        )
        return network.to(device)

    def minibatches(self, epoch: int) -> int:
        return self._recipe.minibatches or len(self._lengths(epoch))

    def train(self, epoch: int, first: int, architectures: Sequence[Architecture]) -> Iterator[TrainedMinibatch]:
        for number, (is_start, stretch) in islice(
            enumerate(self._stretches(epoch)), first, self.minibatches(epoch)
        ):  # fmt: skip
            if is_start:
                self._state = self.network.first_state(self._recipe.batch_size)
            rate = self._learning_rate(epoch, len(stretch[0]))
            loss = self._step(
                _cell(architectures[number]), stretch, rate, self._seeds.of("shared-masks", epoch, number)
            )
            self._done += 1
            yield TrainedMinibatch(number, loss if math.isfinite(loss) else None, None, rate)

    def _step(
        self, architecture: RecurrentArchitecture, stretch: Stretch, learning_rate: float, mask_seed: int
    ) -> float:
        """Forward, backward, clip, step, of what the cell uses alone. The loss in nats, NaN if a gradient was none."""
        (words, targets), recipe = stretch, self._recipe
        masks = masks_of(self.network, recipe, seed=mask_seed)
        outputs, after = self.network(architecture, words, self._state, masks)
        loss = nn.functional.cross_entropy(self.network.logits(outputs, masks).flatten(0, 1), targets.flatten())
        (loss + penalties(outputs, masks.outputs, recipe)).backward()  # type: ignore[no-untyped-call]  # PyTorch's.
        used = [parameter for _, parameter in self.network.parameters_of(architecture)]
        norm = nn.utils.clip_grad_norm_(used, recipe.gradient_clip, foreach=True)
        self._optimizer.param_groups[0]["lr"] = learning_rate
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._state = after.detach()
        return float(loss.detach() + 0.0 * norm)

    @torch.no_grad()
    def score(self, architecture: Architecture, minibatch: int) -> Score:
        phases = self._config.phases
        words, targets = self._data.valid.window(phases.score_batch, self._recipe.bptt, self._window(minibatch))
        outputs, _ = self.network(_cell(architecture), words, self.network.first_state(phases.score_batch))
        nats = float(nn.functional.cross_entropy(self.network.logits(outputs).flatten(0, 1), targets.flatten()))
        self._done += 1
        if not math.isfinite(nats):
            return Score(0.0, None, None)
        return Score(phases.scale * math.exp(-nats), None, nats)  # The perplexity has no cap: e to -800 is 0.

    def tensors(self) -> dict[str, Tensor]:
        """SGD without momentum has nothing to remember."""
        return self.network.state_dict() | {_STATE: self._state}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        state = tensors.get(_STATE)
        if state is None or state.shape != self._state.shape:
            raise CheckpointError("", "the weights belong to another search.")
        try:
            self.network.load_state_dict({name: tensor for name, tensor in tensors.items() if name != _STATE})
        except RuntimeError as error:
            raise CheckpointError("", "the weights belong to another search.") from error
        self._state = state.to(self._state.device, copy=True)

    @property
    def progress(self) -> int:
        return self._done

    def _learning_rate(self, epoch: int, length: int) -> float:
        share = length / self._recipe.bptt if self._recipe.random_length else 1.0
        return learning_rate_in(epoch + 1, self._recipe) * share

    def _stretches(self, epoch: int) -> Iterator[tuple[bool, Stretch]]:
        """From the first stretch of an epoch on, without end: (whether the text starts there, it)."""
        reading, skipped = self._place(epoch)
        while True:
            stretches = self._data.train.stretches(self._recipe.batch_size, self._lengths(reading))
            for index, stretch in enumerate(stretches):
                if index >= skipped:
                    yield index == 0, stretch
            reading, skipped = reading + 1, 0

    def _place(self, epoch: int) -> tuple[int, int]:
        """(pass over the text, stretch in it) where an epoch begins, both from 0."""
        if not self._recipe.minibatches:
            return epoch, 0
        reading, left = 0, epoch * self._recipe.minibatches
        while left >= (count := len(self._lengths(reading))):
            reading, left = reading + 1, left - count
        return reading, left

    def _lengths(self, reading: int) -> list[int]:
        """Of the stretches of a pass over the text, in words."""
        return lengths_of_stretches(self._steps, self._recipe, seed=self._seeds.of("shared-lengths", reading))

    def _window(self, minibatch: int) -> int:
        """Which stretch of the validation part a minibatch is: each once in a pass, in an order of that pass."""
        passed, place = divmod(minibatch, self._windows)
        generator = torch.Generator().manual_seed(self._seeds.of("shared-score-order", passed))
        return int(torch.randperm(self._windows, generator=generator)[place])


def _cell(architecture: Architecture) -> RecurrentArchitecture:
    assert isinstance(architecture, RecurrentArchitecture)
    return architecture


def _steps(config: EnasRecurrentSearchConfig, data: TextParts) -> int:
    """How many words each stream guesses in a pass. Raises ConfigError where the batch does not fit."""
    try:
        return data.train.steps(config.shared.batch_size)
    except ConfigError as error:
        raise ConfigError("shared.batch_size", error.message) from error


def _windows(config: EnasRecurrentSearchConfig, data: TextParts) -> int:
    """How many minibatches the validation part has. Raises ConfigError where it is too short for one."""
    streams = config.phases.score_batch
    windows = data.valid.windows(streams, config.shared.bptt)
    if not windows:
        raise ConfigError(
            "phases.score_batch",
            f"is {streams}; the validation part has {len(data.valid)} tokens, and each stream needs two.",
        )
    return windows
