"""Text on a device, in stretches of time. Letters: T time steps, B streams (places that are read at the same time)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from search_engine.config.language import TextDataConfig
from search_engine.data.text_reading import Text, read_text
from search_engine.data.texts import TextDescription
from search_engine.errors import ConfigError

IGNORED = -100  # The target of a place that is not scored; cross_entropy knows it.
Stretch = tuple[Tensor, Tensor]  # What is read and what comes after it: both [T, B].


class TokenPart:
    """One part of a text: tokens [N] on a device. `batches_served` counts for ever, as that of images does."""

    def __init__(self, tokens: Tensor) -> None:
        self.tokens = tokens
        self.batches_served = 0

    def __len__(self) -> int:
        return len(self.tokens)

    def steps(self, streams: int) -> int:
        """How many words each of so many streams guesses in training.

        Raises ConfigError where the part is too short for the batch.
        """
        steps = len(self) // streams - 1
        if steps < 1:
            raise ConfigError(
                "recipe.batch_size",
                f"is {streams}; the training part has {len(self)} tokens, and each stream needs two.",
            )
        return steps

    def stretches(self, streams: int, lengths: Sequence[int]) -> Iterator[Stretch]:
        """The part as contiguous streams side by side, one stretch of time after the other.

        The state after a stretch is the state before the next. lengths: of the stretches; they add up to
        `steps(streams)`. Tokens that do not fill a row at the end are left out, fewer than there are streams.
        """
        rows = self.tokens[: len(self) // streams * streams].view(streams, -1).T.contiguous()
        start = 0
        for length in lengths:
            self.batches_served += 1
            yield rows[start : start + length], rows[start + 1 : start + length + 1]
            start += length

    def windows(self, streams: int, length: int) -> int:
        """How many stretches of this length the part has when so many streams read it; a shorter part has one.

        0 where a stream has fewer than the two tokens of a guess.
        """
        steps = len(self) // streams - 1
        return max(1, steps // length) if steps > 0 else 0

    def window(self, streams: int, length: int, number: int) -> Stretch:
        """One of these stretches, by its number from 0; streams are contiguous, as in `stretches`."""
        self.batches_served += 1
        rows = self.tokens[: len(self) // streams * streams].view(streams, -1)
        start, end = number * length, min((number + 1) * length, rows.shape[1] - 1)
        return rows[:, start:end].T.contiguous(), rows[:, start + 1 : end + 1].T.contiguous()

    def scored(self, streams: int, length: int) -> Iterator[Stretch]:
        """As `stretches`, but with every token but the first as a target once, however many streams there are."""
        guesses = len(self) - 1
        steps = -(-guesses // streams)
        padded = torch.full((streams * steps + 1,), IGNORED, device=self.tokens.device)
        padded[: len(self)] = self.tokens
        read = padded[:-1].clamp(min=0).view(streams, steps).T
        targets = padded[1:].view(streams, steps).T
        for start in range(0, steps, length):
            self.batches_served += 1
            yield read[start : start + length], targets[start : start + length]


@dataclass(frozen=True, slots=True)
class TextParts:
    """The parts of a text on one device. The test part is looked at when a training ends, not before."""

    description: TextDescription
    vocabulary: tuple[str, ...]
    train: TokenPart
    valid: TokenPart
    test: TokenPart

    @property
    def batches_served(self) -> int:
        return self.train.batches_served + self.valid.batches_served + self.test.batches_served


def prepare_text(config: TextDataConfig, *, folder: Path, device: torch.device) -> TextParts:
    """Read a text and move it to the device. Raises as text_reading.read_text does."""
    return on_device(read_text(config, folder), device)


def on_device(text: Text, device: torch.device) -> TextParts:
    train, valid, test = (TokenPart(torch.from_numpy(part).to(device)) for part in (text.train, text.valid, text.test))
    return TextParts(text.description, text.vocabulary, train, valid, test)
