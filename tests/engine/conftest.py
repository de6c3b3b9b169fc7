"""One computing thread for every engine test: results then do not hang on the machine, nor does its load on theirs.

And what several files measure in the same way.
"""

import pytest
import torch

from search_engine.networks.plan_network import PlanNetwork


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def kept_bytes():
    """Bytes of what PyTorch keeps from the forward to the backward pass of a plan's network, without its weights."""

    def measure(network_plan, batch):
        network = PlanNetwork(network_plan, generator=torch.Generator().manual_seed(1))
        weights = {parameter.data_ptr() for parameter in network.parameters()}
        kept = {}

        def pack(tensor):
            if tensor.data_ptr() not in weights:
                kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            logits = network(torch.randn(batch, *network_plan.image))
        del logits  # Until here the graph holds what was kept, so that no place in memory is counted twice.
        return sum(kept.values())

    return measure
