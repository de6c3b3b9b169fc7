"""How good a network is: accuracy on one part of the data, after measuring batch-norm statistics anew."""

import torch

from search_engine.data.parts import Part
from search_engine.networks.plan_network import PlanNetwork

SCORING_BATCH = 250  # Images scored at once: no gradient is kept, so memory stays below that of a training step.


@torch.no_grad()
def accuracy(network: PlanNetwork, part: Part) -> float:
    """Part of the images whose class the network names, in [0, 1], by running batch-norm statistics."""
    network.eval()
    right = torch.zeros((), dtype=torch.int64, device=part.labels.device)
    for images, labels in part.batches(SCORING_BATCH):
        right += (network(images).argmax(1) == labels).sum()
    return int(right) / len(part)


@torch.no_grad()
def reestimate_statistics(network: PlanNetwork, part: Part, *, batches: int, batch_size: int, order_seed: int) -> None:
    """Replace batch norm's running statistics by plain means over some training batches.

    A child that saw few batches has moving statistics that still remember their first values: after 15 steps it scored
    like chance without this.
    """
    network.train()
    for count, (images, _) in enumerate(part.shuffled(batch_size, order_seed=order_seed)):
        if count == batches:
            break
        network.set_statistics_momentum(1 / (count + 1))  # The first batch replaces all that was, so nothing is reset.
        network(images)
    network.set_statistics_momentum(None)
