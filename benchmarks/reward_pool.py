"""A pool of small children, each trained to the end and in every cheaper way that might have told its rank before.

`python -m benchmarks.reward_pool` goes on where the committed file ends, until it holds CHILDREN children; several of
these programs may run at once with --part 0/2 and --part 1/2. A child takes about a minute of one core. A line each:

index, decisions            in the space of POOL
curve                       accuracy on held-out images after every epoch of the whole training
truth                       at its end, on all images that no training and no reward has seen: 6,000, because children
                            differ by less than 2,000 can tell
short                       epochs -> accuracy after a training that was planned to be so short
fewer                       accuracy after as many epochs on FEWER images
priors                      zero-cost scores
seconds                     of CPU time, by the same names
"""

import functools
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.growing_file import Line, grow_a_part
from benchmarks.unseen_images import NOWHERE, unseen_images
from benchmarks.zero_cost_scores import zero_cost_scores
from search_engine.config.data import DataConfig
from search_engine.config.layout import LayoutConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.config.search import SearchConfig
from search_engine.config.space import NasnetSpaceConfig
from search_engine.config.strategy import RandomConfig
from search_engine.data.batches import DataParts, prepare
from search_engine.data.parts import Part
from search_engine.networks.plan_network import PlanNetwork
from search_engine.presets import COFFEE
from search_engine.seeds import Seeds, derive
from search_engine.spaces.build import build_space
from search_engine.training.scoring import accuracy
from search_engine.training.train import Trainee, train
from search_engine.training.trained_plan import trained_plan

FILE = Path(__file__).parent / "data" / "reward_pool.jsonl"
CHILDREN = 300
EPOCHS, SHORT = 12, (1, 2, 4)
FEWER = 500  # Images, a quarter.
POOL = SearchConfig(
    name="Pool of rewards",
    space=NasnetSpaceConfig(blocks=3),
    strategy=RandomConfig(),
    child=LayoutConfig(normal_cells=1, reductions=1, filters=8),
    recipe=COFFEE.config.recipe.model_copy(update={"epochs": EPOCHS}),
    data=DataConfig(image_size=14, train_examples=2000, held_out_examples=2000),
)
SEED = 2026


@functools.cache
def _parts() -> tuple[DataParts, DataParts, Part]:
    """The data, the same with FEWER images to train on, and what is unseen by both."""
    device = torch.device("cpu")
    data = prepare(POOL.data, seed=SEED, folder=NOWHERE, device=device)
    fewer = prepare(POOL.data.model_copy(update={"train_examples": FEWER}), seed=SEED, folder=NOWHERE, device=device)
    return data, fewer, unseen_images(POOL.data, data, seed=SEED)


def _child(index: int) -> Line:
    data, fewer, unseen = _parts()
    decisions = _decisions(index)
    full = _trained(index, decisions, data, EPOCHS, unseen)
    short = {epochs: _trained(index, decisions, data, epochs) for epochs in SHORT}
    few = _trained(index, decisions, fewer, EPOCHS)
    return {
        "decisions": decisions,
        "curve": full["curve"],
        "truth": full["truth"],
        "short": {str(epochs): found["curve"][-1] for epochs, found in short.items()},
        "fewer": few["curve"][-1],
        "priors": zero_cost_scores(_network(index, decisions, data, EPOCHS), data.train),
        "seconds": {
            "curve": full["seconds"],
            "short": {str(epochs): found["seconds"] for epochs, found in short.items()},
            "fewer": few["seconds"],
        },
    }


def _decisions(index: int) -> list[int]:
    """Drawn evenly, from a seed of its own."""
    generator = torch.Generator().manual_seed(derive(SEED, "pool", index))
    space = build_space(POOL.space)
    return [int(torch.randint(len(each.options), (), generator=generator)) for each in space.decisions]


def _network(index: int, decisions: list[int], data: DataParts, epochs: int) -> PlanNetwork:
    """All trainings of a child start with the same weights."""
    plan = trained_plan(
        build_space(POOL.space).decode(decisions), POOL.child, _recipe(epochs), image_channels=1,
        image_size=POOL.data.image_size, classes=len(data.description.classes),
    )  # fmt: skip
    return PlanNetwork(plan, generator=torch.Generator().manual_seed(derive(SEED, "weights", index)))


def _recipe(epochs: int) -> RecipeConfig:
    return POOL.recipe.model_copy(update={"epochs": epochs})


def _trained(
    index: int, decisions: list[int], data: DataParts, epochs: int, unseen: Part | None = None
) -> dict[str, Any]:
    """The curve of one training; what diverges stays where chance is. unseen: of the whole training."""
    began = time.process_time()
    trainee = Trainee(_network(index, decisions, data, epochs), _recipe(epochs))
    seeds = Seeds(SEED, (index, epochs))
    records = train(trainee, data.train, data.held_out, seeds=seeds, score_every_epoch=unseen is not None)
    curve = [record.accuracy for record in records if record.accuracy is not None]
    seconds = time.process_time() - began
    wanted = 1 if unseen is None else epochs
    curve += [1 / len(data.description.classes)] * (wanted - len(curve))
    truth = None if unseen is None else _accuracy(trainee, unseen)
    return {"curve": curve, "seconds": seconds, "truth": truth}


def _accuracy(trainee: Trainee, part: Part) -> float:
    with trainee.as_scored():
        return accuracy(trainee.network, part)


if __name__ == "__main__":
    torch.set_num_threads(1)
    grow_a_part(FILE, [{"index": index} for index in range(CHILDREN)], _child, about=__doc__)
