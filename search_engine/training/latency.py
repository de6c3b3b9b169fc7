"""How long a forward pass of a network takes on this device, measured."""

import statistics
import time

import torch

from search_engine.config.bounds import BoundsConfig
from search_engine.events import Latency
from search_engine.network_plan import NetworkPlan
from search_engine.networks.plan_network import PlanNetwork


def measure_latency(network_plan: NetworkPlan, bounds: BoundsConfig, device: torch.device) -> Latency:
    """The median of the timed passes of one batch of zeros, without gradients, after the warm-up.

    Whatever else the machine does is in it. Weights do not change how long a pass takes, so they are drawn anyhow.
    """
    network = PlanNetwork(network_plan, generator=torch.Generator().manual_seed(0)).to(device).eval()
    images = torch.zeros(bounds.latency_batch, *network_plan.image, device=device)
    with torch.inference_mode():
        for _ in range(bounds.latency_warm_up):
            network(images)
        seconds = [_timed(network, images, device) for _ in range(bounds.latency_repeats)]
    return Latency(
        ms=round(1000 * statistics.median(seconds), 4),
        batch=bounds.latency_batch,
        repeats=bounds.latency_repeats,
        warm_up=bounds.latency_warm_up,
        device=_name(device),
    )


def _timed(network: PlanNetwork, images: torch.Tensor, device: torch.device) -> float:
    _wait_for(device)
    started = time.perf_counter()
    network(images)
    _wait_for(device)
    return time.perf_counter() - started


def _wait_for(device: torch.device) -> None:
    """What was asked of an accelerator goes on behind the caller's back."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def _name(device: torch.device) -> str:
    """With the threads of a CPU, on which a latency depends too."""
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"cpu, {threads} thread{'s' if threads > 1 else ''}"
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
