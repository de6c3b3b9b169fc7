"""What a training on text will cost, before it starts. Rough: see MULT_ADDS_PER_GUESS and STEP_SECONDS."""

from collections.abc import Sequence

from search_engine.architectures.reading import Architecture
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.config.language import LanguageTrainingConfig
from search_engine.recurrent_plan import recurrent_parameters
from search_engine.training_speed import TrainingSpeed
from webapp.searches.costs.advice import length
from webapp.searches.costs.estimate import FLOAT_BYTES, FORWARD_SHARE, ROW_BYTES_EPOCH, Cost, kept_share
from webapp.searches.datasets.texts import text_of

# Workers measure their speed on images. Matrix products of a recurrent cell run about as fast as the largest of the
# measured networks: with so many bytes for a mult-add, one takes as long as its mean one did where both were measured.
# What else it takes is put into the other two, measured on one core of a CPU. Time told over time taken by an epoch
# there: ENAS's cell of 128 and 64 units 1.09 and 1.27, with twice the batch 1.56, of 8 units in batches of 1,024 0.68;
# the cell of DARTS, 128 units, 1.49.
BYTES_PER_MULT_ADD = 0.127
MULT_ADDS_PER_GUESS = 70  # What exponent, sum and gradient of one word of the vocabulary cost beside its product.
STEP_SECONDS = 15e-6  # Each node of each word, forward, however few streams are read side by side.
START_SECONDS = 3.0  # Reading and numbering the text.
WEIGHTS_KEPT = 3  # Weights, gradients and, once they are averaged, their mean.
CHECKPOINT_KEPT = 2
GUESS_COPIES, NODE_COPIES = 3, 8  # What backpropagation keeps: per word of the vocabulary, per unit of a node.


def text_training_cost(
    config: LanguageTrainingConfig, architecture: Architecture, workers: Sequence[TrainingSpeed]
) -> Cost:
    """Of one network on one worker: the slowest. The text must be known."""
    assert isinstance(architecture, RecurrentArchitecture)
    vocabulary = text_of(config.data).vocabulary
    parameters = recurrent_parameters(architecture, hidden=config.layout.hidden, vocabulary=vocabulary)
    nodes = len(architecture.nodes)
    seconds = max((_seconds(config, parameters, vocabulary, nodes, speed) for speed in workers), default=None)
    recipe = config.recipe
    places = recipe.batch_size * recipe.bptt
    kept = places * (GUESS_COPIES * vocabulary + NODE_COPIES * nodes * config.layout.hidden)
    files = recipe.epochs * CHECKPOINT_KEPT * FLOAT_BYTES * parameters * kept_share(seconds)
    return Cost(
        children=1,
        seconds=seconds,
        child_seconds=seconds,
        workers=len(workers),
        parameters=(parameters, parameters),
        mult_adds=(parameters, parameters),
        memory_bytes=FLOAT_BYTES * (kept + WEIGHTS_KEPT * parameters),
        disk_bytes=int(files) + recipe.epochs * ROW_BYTES_EPOCH,
        notes=[note for note in (length(seconds),) if note],
    )


def token_seconds(parameters: int, vocabulary: int, speed: TrainingSpeed) -> float:
    """Of learning from one word, beside STEP_SECONDS. parameters: that it uses."""
    a_mult_add = speed.mult_add + BYTES_PER_MULT_ADD * speed.byte
    return (parameters + MULT_ADDS_PER_GUESS * vocabulary) * a_mult_add


def _seconds(
    config: LanguageTrainingConfig, parameters: int, vocabulary: int, nodes: int, speed: TrainingSpeed
) -> float:
    """Epochs of training, each scored on the validation part, and the one look at the test part."""
    text, recipe = text_of(config.data), config.recipe
    token = token_seconds(parameters, vocabulary, speed)
    step = nodes * STEP_SECONDS
    epoch = text.train_tokens * (token + step / FORWARD_SHARE / recipe.batch_size)
    validation = text.valid_tokens * (token * FORWARD_SHARE + step / recipe.scoring_batch)
    test = text.test_tokens * (token * FORWARD_SHARE + step / recipe.test_batch)
    return START_SECONDS + recipe.epochs * (epoch + validation) + test
