"""Images that a search has never seen, more of them than the test part alone has."""

from pathlib import Path

import torch

from search_engine.config.data import DataConfig
from search_engine.data.batches import DataParts, prepare
from search_engine.data.parts import Part

FURTHER = 4000  # Of the official training part.
NOWHERE = Path("unused: the data set is embedded")


def unseen_images(config: DataConfig, data: DataParts, *, seed: int) -> Part:
    """The test images, and FURTHER ones that are neither in data.train nor held out, normalised as data.train is.

    data: prepared from config and seed. Small children differ by less than 2,000 images can tell.
    """
    wider = config.model_copy(update={"train_examples": config.train_examples + FURTHER})
    wide = prepare(wider, seed=seed, folder=NOWHERE, device=data.train.device).train
    rest = slice(config.train_examples, None)
    assert torch.equal(wide.images[: rest.start], data.train.images)
    images = torch.cat([data.test.images, wide.images[rest]])
    normalisation = data.train.normalisation()
    scale, offset = (torch.tensor(normalisation[name]) for name in ("scale", "offset"))
    return Part(images, torch.cat([data.test.labels, wide.labels[rest]]), scale, offset)
