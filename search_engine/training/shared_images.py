"""Weights that image networks share, trained and scored minibatch by minibatch (ENAS, sections 2.2 and 3.2)."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from search_engine.architectures.reading import Architecture
from search_engine.config.enas_search import EnasMacroSearchConfig, EnasMicroSearchConfig
from search_engine.config.supernet import ImageSupernetConfig, MicroSupernetConfig
from search_engine.data.batches import DataParts
from search_engine.data.parts import Batch
from search_engine.errors import CheckpointError, ConfigError
from search_engine.networks.image_supernet import ImageSupernet
from search_engine.seeds import Seeds
from search_engine.training.recipe import looks_ahead, restarting_rate
from search_engine.training.shared_weights import Score, SharedWeights, TrainedMinibatch
from search_engine.training.train import unless_out_of_memory

_MOMENTUM = "momentum/"  # In front of a weight's name: the momentum of a weight that was used before.
_KEY = "momentum_buffer"  # PyTorch's name for it.

ImageSearchConfig = EnasMicroSearchConfig | EnasMacroSearchConfig


class SharedImages(SharedWeights):
    """Shared weights of a micro or macro search.

    A training step changes the weights of one path: the others have no gradient, so clipping, momentum and decay leave
    them alone. A score is the accuracy on held-out images with dropout off.
    """

    def __init__(self, config: ImageSearchConfig, *, data: DataParts, device: torch.device) -> None:
        """Raises ConfigError where the weights do not fit into memory."""
        self._config, self._recipe, self._data, self._device = config, config.shared, data, device
        self._seeds = Seeds(config.reproducibility.seed)
        supernet = unless_out_of_memory(lambda: self._build().to(device))
        if isinstance(supernet, str):
            size = config.supernet.filters
            raise ConfigError("supernet.filters", f"is {size}; the shared weights do not fit into memory.")
        self.supernet = supernet
        self._features = _features(config.supernet)
        self._optimizer = self._build_optimizer()
        self._held_out_order: tuple[int, Tensor] | None = None  # (pass, [N]): the one that was looked at last.
        self._held_out_batch: tuple[int, Batch] | None = None  # A whole round is scored on one minibatch.
        self._progress = 0

    @property
    def progress(self) -> int:
        return self._progress

    def minibatches(self, epoch: int) -> int:
        return -(-len(self._data.train) // self._recipe.batch_size)

    def train(self, epoch: int, first: int, architectures: Sequence[Architecture]) -> Iterator[TrainedMinibatch]:
        rate = self._rate(epoch)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        batches = itertools.islice(self._batches(epoch), first, None)
        for number, batch in enumerate(batches, first):
            loss, right = self._step(architectures[number], batch, epoch, number)
            self._progress += 1
            yield TrainedMinibatch(number, loss if math.isfinite(loss) else None, right, rate)

    @torch.no_grad()
    def score(self, architecture: Architecture, minibatch: int) -> Score:
        images, labels = self._held_out(minibatch)
        logits = self.supernet.logits(architecture, images)
        # Without the second half, what is no number would count as a guess of the first class.
        right = ((logits.argmax(1) == labels) & logits.isfinite().all(1)).sum()
        self._progress += 1
        accuracy = int(right) / len(labels)
        return Score(reward=accuracy, accuracy=accuracy, nats=None)

    def tensors(self) -> dict[str, Tensor]:
        moments = {
            _MOMENTUM + name: self._optimizer.state[parameter][_KEY]
            for name, parameter in self.supernet.named_parameters()
            if _KEY in self._optimizer.state.get(parameter, {})
        }
        return self.supernet.state_dict() | moments

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        weights = {name: tensor for name, tensor in tensors.items() if not name.startswith(_MOMENTUM)}
        try:
            self.supernet.load_state_dict(weights)
        except RuntimeError as error:
            raise CheckpointError("", "the shared weights belong to another search.") from error
        self._optimizer = self._build_optimizer()  # Momentum that was there before is not part of the checkpoint.
        for name, parameter in self.supernet.named_parameters():
            if (saved := tensors.get(_MOMENTUM + name)) is not None:
                self._optimizer.state[parameter][_KEY] = torch.empty_like(parameter).copy_(saved).detach()

    def _build(self) -> ImageSupernet:
        config, description = self._config, self._data.description
        size = config.data.image_size
        return ImageSupernet(
            config.space,
            config.supernet,
            image=(description.channels, size, size),
            classes=len(description.classes),
            auxiliary=self._recipe.auxiliary_weight > 0,
            generator=torch.Generator().manual_seed(self._seeds.of("shared weights")),
        )

    def _build_optimizer(self) -> torch.optim.SGD:
        """SGD with momentum. Decay is for weights of convolutions and linear layers, as in a training for keeps."""
        parameters = list(self.supernet.parameters())
        groups = [
            {"params": [each for each in parameters if each.dim() > 1], "weight_decay": self._recipe.weight_decay},
            {"params": [each for each in parameters if each.dim() <= 1], "weight_decay": 0.0},
        ]
        return torch.optim.SGD(
            groups,
            lr=self._recipe.learning_rate,
            momentum=self._recipe.momentum,
            nesterov=looks_ahead(self._recipe),
            foreach=True,
        )

    def _rate(self, epoch: int) -> float:
        recipe = self._recipe
        return restarting_rate(
            epoch, highest=recipe.learning_rate, lowest=recipe.lowest_learning_rate, first_period=recipe.first_period,
            factor=recipe.period_factor,
        )  # fmt: skip

    def _batches(self, epoch: int) -> Iterator[Batch]:
        recipe = self._recipe
        return self._data.train.shuffled(
            recipe.batch_size,
            order_seed=self._seeds.of("shared order", epoch),
            augment_seed=self._seeds.of("shared augment", epoch) if recipe.augment else None,
            cutout=recipe.cutout,
            cutout_seed=self._seeds.of("shared cutout", epoch),
        )

    def _step(self, architecture: Architecture, batch: Batch, epoch: int, number: int) -> tuple[float, float]:
        """Train one minibatch under an architecture: (loss, part that was guessed right).

        The loss is that of the main head in nats; it is not finite where the gradient was not.
        """
        images, labels = batch
        logits, auxiliary = self.supernet.both_logits(architecture, images, self._dropout(len(labels), epoch, number))
        loss = nn.functional.cross_entropy(logits, labels)
        extra = (
            0.0 if auxiliary is None else self._recipe.auxiliary_weight * nn.functional.cross_entropy(auxiliary, labels)
        )
        (loss + extra).backward()  # type: ignore[no-untyped-call]  # PyTorch's.
        used = [parameter for _, parameter in self.supernet.parameters_of(architecture) if parameter.grad is not None]
        norm = nn.utils.clip_grad_norm_(used, self._recipe.gradient_clip, foreach=True)
        self._optimizer.step()
        for parameter in used:
            parameter.grad = None  # Not zero: what has no gradient is neither decayed nor moved by its momentum.
        right = (logits.detach().argmax(1) == labels).sum()
        return float(loss.detach() + 0.0 * norm), int(right) / len(labels)

    def _dropout(self, images: int, epoch: int, number: int) -> Tensor | None:
        """[images, features]: what the inputs of the last layer are multiplied with; None where none is dropped."""
        keep = self._recipe.dropout_keep
        if keep == 1:
            return None
        generator = torch.Generator().manual_seed(self._seeds.of("shared dropout", epoch, number))
        drawn = torch.rand((images, self._features), generator=generator)
        return ((drawn < keep) / keep).to(self._device)

    def _held_out(self, minibatch: int) -> Batch:
        if self._held_out_batch is None or self._held_out_batch[0] != minibatch:
            self._held_out_batch = minibatch, self._data.held_out.picked(self.held_out_indices(minibatch))
        return self._held_out_batch[1]

    def held_out_indices(self, minibatch: int) -> Tensor:
        """Which held-out images are in a minibatch. Each pass has its own order and leaves out what fills none."""
        size = self._config.phases.score_batch
        number, place = divmod(minibatch, len(self._data.held_out) // size)
        return self._order_of_pass(number)[place * size : (place + 1) * size]

    def _order_of_pass(self, number: int) -> Tensor:
        if self._held_out_order is None or self._held_out_order[0] != number:
            generator = torch.Generator().manual_seed(self._seeds.of("score order", number))
            self._held_out_order = number, torch.randperm(len(self._data.held_out), generator=generator)
        return self._held_out_order[1]


def _features(supernet: ImageSupernetConfig) -> int:
    """Channels before the last layer: of micro networks they double at each reduction, of macro networks they stay."""
    if isinstance(supernet, MicroSupernetConfig):
        return supernet.filters << supernet.reductions
    return supernet.filters
