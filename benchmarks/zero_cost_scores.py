"""Scores of a network that is not trained, from one look at a batch at most: candidates for a prior on its reward.

parameters, mult_adds   counts of the plan
grad_norm               the norm of the loss's gradient on one batch
snip                    the sum of |gradient x weight| on one batch (Lee et al. 2019)
synflow                 the sum of gradient x weight where every weight counts by its size and no data is looked at
                        (Tanaka et al. 2020), as a logarithm
"""

import time

import torch
from torch import Tensor, nn

from search_engine.cost import mult_adds, parameters
from search_engine.data.parts import Part
from search_engine.networks.plan_network import PlanNetwork

BATCH = 64


def zero_cost_scores(network: PlanNetwork, part: Part) -> dict[str, dict[str, float]]:
    """name -> {"score", "seconds": of CPU time}. The network is as it was afterwards, but for its gradients."""
    images, labels = next(part.shuffled(BATCH, order_seed=0))
    found = {
        "parameters": {"score": float(parameters(network.plan)), "seconds": 0.0},
        "mult_adds": {"score": float(mult_adds(network.plan)), "seconds": 0.0},
    }
    began = time.process_time()
    gradients = _gradients(network, images, labels)
    seconds = time.process_time() - began
    weights = [parameter.detach() for parameter in network.parameters()]
    norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
    snip = sum(float((gradient * weight).abs().sum()) for gradient, weight in zip(gradients, weights, strict=True))
    found["grad_norm"] = {"score": float(norm), "seconds": seconds}
    found["snip"] = {"score": snip, "seconds": seconds}
    began = time.process_time()
    found["synflow"] = {"score": _synflow(network, images), "seconds": time.process_time() - began}
    return found


def _gradients(network: PlanNetwork, images: Tensor, labels: Tensor) -> list[Tensor]:
    network.train()
    loss = nn.functional.cross_entropy(network(images), labels)
    loss.backward()
    return _taken(network)


def _taken(network: PlanNetwork) -> list[Tensor]:
    """The gradients, which no later step may find; zero where a weight had none."""
    found = [torch.zeros_like(each) if each.grad is None else each.grad for each in network.parameters()]
    network.zero_grad(set_to_none=True)
    return found


def _synflow(network: PlanNetwork, images: Tensor) -> float:
    """Batch norm is left as it starts, which changes nothing: it would scale the flow by what it saw otherwise."""
    network.eval()
    signs = [parameter.detach().sign() for parameter in network.parameters()]
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    network(torch.ones_like(images[:1])).sum().backward()
    flow = sum(
        float((gradient.double() * weight.detach().double()).sum())
        for gradient, weight in zip(_taken(network), network.parameters(), strict=True)
    )
    with torch.no_grad():
        for parameter, sign in zip(network.parameters(), signs, strict=True):
            parameter.mul_(sign)
    return float(torch.tensor(max(flow, 1e-300), dtype=torch.float64).log())
