"""What whole searches found, each trained from scratch by one recipe for all.

`python -m benchmarks.whole_search_scores` trains what was the best at one of the marks of a search in the file of
benchmarks/whole_searches.py, TRAININGS times, as far as that is in no line yet; several of these programs may run at
once with --part 0/2 and --part 1/2. A training takes some twelve seconds of one core. A line each:

seed        of the search, which chose the images that it trained on: these train here too
hash        of the architecture
training    from 1; another one begins with other weights
accuracy    on 6,000 images that no search of this seed has seen
"""

from dataclasses import replace

import torch

from benchmarks.growing_file import Line, grow_a_part, read_lines
from benchmarks.unseen_images import NOWHERE, unseen_images
from benchmarks.whole_searches import DATA
from benchmarks.whole_searches import FILE as SEARCHES
from search_engine.architectures.reading import architecture_from_json
from search_engine.config.reproducibility import ReproducibilityConfig
from search_engine.config.training import TrainingConfig
from search_engine.data.batches import prepare
from search_engine.errors import ConfigError
from search_engine.shared_presets import MICRO_DEMO
from search_engine.training.for_keeps import TrainingForKeeps
from search_engine.training.numerics import set_numerics

FILE = SEARCHES.with_name("whole_search_scores.jsonl")
TRAININGS = 3


def due() -> list[dict[str, int | str]]:
    """In the order of the searches, each (seed, hash) once."""
    return [
        {"seed": seed, "hash": name, "training": training}
        for seed, name in _found()
        for training in range(1, TRAININGS + 1)
    ]


def _found() -> dict[tuple[int, str], Line]:
    """{(seed, hash): architecture}"""
    bests = ((line["seed"], best["architecture"]) for line in read_lines(SEARCHES) for best in line["best"].values())
    return {(seed, architecture_from_json(architecture).hash): architecture for seed, architecture in bests}


def _trained(seed: int, hash: str, training: int) -> Line:
    cpu = torch.device("cpu")
    data = prepare(DATA, seed=seed, folder=NOWHERE, device=cpu)
    config = TrainingConfig(
        architecture=_found()[seed, hash], layout=MICRO_DEMO.config.derived, recipe=MICRO_DEMO.config.derived_recipe,
        data=DATA, reproducibility=ReproducibilityConfig(seed=training),
    )  # fmt: skip
    scored = replace(data, test=unseen_images(DATA, data, seed=seed))
    trained = TrainingForKeeps(config, data=scored, device=cpu)
    return {"accuracy": accuracy_of(trained, classes=len(data.description.classes))}


def accuracy_of(training: TrainingForKeeps, *, classes: int) -> float:
    """Behind its last epoch; of what diverges, that of a guess. Raises ConfigError where memory does not suffice."""
    try:
        for _ in training.epochs():
            pass
    except ConfigError as error:
        if error.field != "recipe.learning_rate":
            raise
        return 1 / classes
    return training.test().test_accuracy


if __name__ == "__main__":
    set_numerics(1)
    grow_a_part(FILE, due(), _trained, about=__doc__)
