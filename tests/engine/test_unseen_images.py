"""The images on which benchmarks judge what a search found."""

import torch

from benchmarks.reward_pool import POOL, SEED
from benchmarks.unseen_images import FURTHER, NOWHERE, unseen_images
from search_engine.data.batches import prepare


def test_they_are_the_test_images_and_others_that_no_child_is_trained_or_scored_on() -> None:
    data = prepare(POOL.data, seed=SEED, folder=NOWHERE, device=torch.device("cpu"))
    unseen = unseen_images(POOL.data, data, seed=SEED)
    assert len(unseen) == len(data.test) + FURTHER == 6000
    assert torch.equal(unseen.images[: len(data.test)], data.test.images)
    assert torch.equal(unseen.labels[: len(data.test)], data.test.labels)
    seen = {image.numpy().tobytes() for part in (data.train, data.held_out) for image in part.images}
    assert not [image for image in unseen.images if image.numpy().tobytes() in seen]
    assert unseen.normalisation() == data.train.normalisation()
