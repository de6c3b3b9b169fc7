"""What a person should know before pressing start, in sentences. Figures and rules: measured, see ARCHITECTURE.md."""

from search_engine.config.data import DataConfig
from search_engine.config.finals import FinalsConfig
from search_engine.config.layout import Layout
from search_engine.config.recipe import RecipeConfig
from search_engine.config.search import SearchConfig
from search_engine.config.strategy import EvolutionConfig, PpoConfig, RandomConfig
from search_engine.config.training import TrainingConfig
from search_engine.skeletons import batch_norm_constants
from webapp.searches.datasets.described import describe, is_decoded_anew

# Learning rate x updates x PPO epochs: near 0.5 a controller settles; 4 updates at the paper's rate (0.006) moved
# nothing, while the paper itself has 1,000 updates (1.4).
MOVES_WELL, HARDLY_MOVES = 0.5, 0.1
# After some fifteen batches, each of which weighs a tenth, moving batch-norm statistics gave the accuracy of a guess.
# So the batches of a training must weigh ten in all: a hundred on the CIFAR skeleton, 33,333 on the ImageNet one.
FEWEST_WEIGHTS = 10
FEWEST_HELD_OUT = 500
DAY = 86_400.0
UNREPEATABLE = (
    "Measured latencies decide in this search, and they differ from run to run: another run of the same seed may have "
    "another fingerprint."
)
YEAR = 365.25 * DAY
# Seen for small networks: 11 seconds on a quiet machine, up to 50 on a busy one, most of it for ONNX.
PACKING = "Packing the bundle after the last epoch takes some 10 to 60 seconds more."


def search_advice(config: SearchConfig, seconds: float | None, workers: int) -> list[str]:
    """Sentences about a search; seconds: its predicted length, None when unknown."""
    notes = [_movement(config), length(seconds), _too_few_batches(config.child, config.recipe, config.data)]
    notes += [_idle_workers(config, workers), _held_out(config.data), _download(config.data)]
    return [note for note in notes if note]


def bounds_advice(config: SearchConfig, over: int, draws: int) -> list[str]:
    """Sentences about bounds and cost. over: how many of so many uniform draws are over a bound on a count."""
    notes = []
    if config.bounds.parameters or config.bounds.mult_adds:
        notes.append(
            f"{over} of {draws} uniform draws are over the bounds; such children are told as failed, untrained."
        )
    if over == draws:
        notes.append(
            "It may be that no architecture is within the bounds: then nothing is trained and nothing learned."
        )
    if config.bounds.latency_ms:
        notes.append("How many children are over the bound on latency is known only when workers measure it.")
    if config.measures_latency:
        notes.append(UNREPEATABLE)
    return notes


def training_advice(config: TrainingConfig, seconds: float | None) -> list[str]:
    """Sentences about a training."""
    notes = [length(seconds), _too_few_batches(config.layout, config.recipe, config.data), _download(config.data)]
    notes.append(PACKING)
    return [note for note in notes if note]


def _movement(config: SearchConfig) -> str:
    strategy = config.strategy
    if isinstance(strategy, EvolutionConfig) and strategy.population_size >= config.budget.children:
        return (
            f"The first {strategy.population_size} children are drawn at random, and there are only "
            f"{config.budget.children}: evolution will not begin. Take a smaller population or more children."
        )
    if not isinstance(strategy, PpoConfig):
        return ""
    updates = -(-config.budget.children // strategy.step_size)
    movement = strategy.learning_rate * updates * strategy.epochs
    if movement >= HARDLY_MOVES:
        return ""
    times = f"{strategy.learning_rate:g} × {updates} updates × {strategy.epochs} PPO epochs = {movement:.2g}"
    return (
        f"With these settings the controller will hardly move: {times}; near {MOVES_WELL:g} it learns. "
        "Raise the controller's learning rate, or try more children in smaller steps."
    )


def length(seconds: float | None) -> str:
    """A word on what takes longer than a day, "" on what does not."""
    if seconds is None or seconds < DAY:
        return ""
    return f"This takes about {_in_words(seconds)} with the workers that are here. You can pause and stop it."


def final_round(finals: FinalsConfig, seconds: float | None) -> str:
    """What the final round is and which part of the time it takes."""
    who = "The best child is" if finals.children == 1 else f"The {finals.children} best children are"
    how_long = "1 epoch" if finals.epochs == 1 else f"{finals.epochs} epochs"
    what = f"{who} trained again for {how_long}" + (" each" if finals.children > 1 else "")
    return f"{what}." if seconds is None else f"{what}: about {_in_words(seconds)} of the whole time."


def _in_words(seconds: float) -> str:
    """A length of time in the unit in which it has a readable size."""
    for size, unit in ((YEAR, "years"), (DAY, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{max(2.0, seconds):.0f} seconds"  # One would need another word, and is not known so exactly.


def _too_few_batches(layout: Layout, recipe: RecipeConfig, data: DataConfig) -> str:
    batches = recipe.epochs * -(-data.train_examples // recipe.batch_size)
    weight = recipe.batch_norm_momentum or batch_norm_constants(layout)[1]
    if batches * weight >= FEWEST_WEIGHTS or recipe.reestimate_batches > 0:
        return ""
    return (
        f"A network sees only {batches:,} batches: its batch-norm statistics will not be ready and the accuracy will "
        "be that of a guess. Set “Batch-norm batches” to 10 or more."
    )


def _idle_workers(config: SearchConfig, workers: int) -> str:
    if config.strategy.lookahead > 0 or workers <= config.strategy.step_size:
        return ""
    idle = workers - config.strategy.step_size
    return f"{idle} of {workers} workers will wait: a step has only {config.strategy.step_size} children."


def _held_out(data: DataConfig) -> str:
    if data.held_out_examples >= FEWEST_HELD_OUT:
        return ""
    spread = 100 * (0.25 / data.held_out_examples) ** 0.5  # Standard deviation of an accuracy near one half.
    return (
        f"With {data.held_out_examples} held-out images a reward is off by ±{spread:.1f} points from chance alone: "
        "more than most cells differ."
    )


def _download(data: DataConfig) -> str:
    description = describe(data.name)
    if is_decoded_anew(data):
        return "These images do not fit into memory: every batch is decoded when it is due, which takes longer."
    if description.bytes == 0:
        return ""
    return f"{description.title} is downloaded once, {description.bytes / 1e6:.0f} MB, before the first child starts."


def honesty(config: SearchConfig) -> str:
    """What a search of these settings can show, and what it cannot."""
    epochs, images = config.recipe.epochs, config.data.train_examples
    trained = f"{epochs} epoch{'s' if epochs > 1 else ''} on {images:,} images"
    weighed = f", weighed with {config.objective.cost.replace('_', '-')}" if config.weighs_cost else ""
    measured = f"A reward is the accuracy on held-out images after {trained}, measured once{weighed}."
    if config.measures_latency:
        measured = f"{measured} {UNREPEATABLE}"
    if isinstance(config.strategy, RandomConfig):
        return f"{measured} Random search does not learn: a rising best is patience and luck, the mean stays level."
    who = "the controller learned" if isinstance(config.strategy, PpoConfig) else "the search found out"
    return (
        f"{measured} A rising mean shows that {who} which cells learn fast; which cell is best in the long run, only a "
        "longer training tells."
    )
