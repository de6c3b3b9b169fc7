"""Everything that decides a training of a recurrent cell on text."""

import re
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from search_engine.config.base import OURS, Config, at, option
from search_engine.config.reproducibility import ReproducibilityConfig

ENAS = "ENAS, Pham et al. 2018"
RELEASE = "the authors' second release (enas_lm)"
OWN = "own"  # The name of every text that a user brings.


class RecurrentLayoutConfig(Config):
    """How wide a network around a recurrent cell is."""

    heading: ClassVar = "Network"
    kind: Literal["recurrent"] = "recurrent"
    hidden: int = option(
        128, "Hidden size", "Numbers in the state, and in the vector of every word.", unit="units",
        source=f"{RELEASE}: 800; 128 is for a CPU", ge=2, le=4096,
    )  # fmt: skip


class TextDataConfig(Config):
    """Which text, and in which pieces."""

    heading: ClassVar = "Data"
    name: str = option(
        "state-of-the-union-2k", "Text",
        'Texts that come along, or "own", one of yours. Perplexities on different texts cannot be compared.',
        min_length=1, max_length=80,
    )  # fmt: skip
    own: str = option(
        "", "Your text", "A file of settings names it by the SHA-256 under which it is kept.",
        only_with={"name": OWN}, max_length=64,
    )  # fmt: skip
    level: Literal["automatic", "words", "characters"] = option(
        "automatic", "Level",
        "What the network reads one by one. Automatic: what the embedded text is made for, and words of your own.",
    )  # fmt: skip
    vocabulary: int = option(
        10_000, "Largest vocabulary",
        "The most frequent words of the training part are kept; all others become <unk>, and are scored as <unk>.",
        unit="words or characters", source=f"{ENAS}: 10,000", ge=3, le=1_000_000,
    )  # fmt: skip
    held_out_share: float = option(
        0.1, "Held-out share",
        "Part of a single file that is for validation, and as much again for the test: the file's last two pieces.",
        unit="of the text", source=OURS, only_with={"name": OWN}, gt=0, le=0.4,
    )  # fmt: skip

    @model_validator(mode="after")
    def _own_texts_are_named_by_their_digest(self) -> Self:
        if self.name == OWN and not self.own:
            raise at("data.own", "names no text; must be one of yours, by its SHA-256.")
        if self.name == OWN and not re.fullmatch("[0-9a-f]{64}", self.own):
            raise at("data.own", f"is {self.own!r}; your own text is named by its SHA-256, 64 hexadecimal digits.")
        if self.name != OWN and self.own:
            raise at("data.own", f"is given; must be empty where the text is {self.name}.")
        return self


class ReadingConfig(Config):
    """How weights learn from text: SGD through stretches of time, with the state carried from one to the next."""

    heading: ClassVar = "Training"
    epochs: int = option(
        2, "Epochs", "How often the network reads the training part.", source=f"{ENAS}: 150; 2 are for a CPU",
        ge=1, le=10_000,
    )  # fmt: skip
    batch_size: int = option(
        32, "Batch size", "How many places of the text are read at the same time.", unit="streams",
        source=f"{ENAS}: 64; 32 learns more in few epochs", ge=1, le=4096,
    )  # fmt: skip
    bptt: int = option(
        35, "Backpropagation length", "How many words back the gradient reaches.", unit="words", source=f"{ENAS}: 35",
        ge=2, le=1000,
    )  # fmt: skip
    random_length: bool = option(
        False, "Random length",
        "Vary that length at random, so that no word is always at an end; the learning rate follows it.",
        source=f"{RELEASE}: yes on a GPU",
    )  # fmt: skip
    learning_rate: float = option(
        20.0, "Learning rate", "Step width of SGD on the mean loss of a word.", source=f"{ENAS}: 20", gt=0, le=1000
    )
    decay: float = option(
        0.96, "Decay", "What the learning rate is multiplied by each epoch once it falls.", unit="per epoch",
        source=f"{ENAS}: 0.96", gt=0, le=1,
    )  # fmt: skip
    decay_from: int = option(
        15, "Decay from epoch", "The first epoch with a smaller learning rate.", source=f"{ENAS}: 15", ge=2, le=10_000
    )
    gradient_clip: float = option(
        0.25, "Gradient clip", "Largest norm of the gradient of all weights together.", source=f"{ENAS}: 0.25",
        gt=0, le=1000,
    )  # fmt: skip
    weight_decay: float = option(
        1.6e-6, "Weight decay", "Half of it times the sum of all squared weights is added to the loss.",
        source=f"{RELEASE}: 8e-7 times the sum", ge=0, le=1,
    )  # fmt: skip
    initial_range: float = option(
        0.15, "Initial range", "Weights start between minus this and this.",
        source="released code: 0.1 up to 300 units, less above; a small network learns sooner from 0.15", gt=0, le=1,
    )  # fmt: skip
    drop_words: float = option(
        0.0, "Drop words", "How many words of the vocabulary are left out of a stretch of text.", unit="of all",
        source=f"{RELEASE}: 0.125; 0 is for few epochs", ge=0, lt=1,
    )  # fmt: skip
    drop_inputs: float = option(
        0.0, "Drop inputs", "How much of each word's vector is left out; the same places for a stretch.",
        unit="of all", source=f"{RELEASE}: 0.725; 0 is for few epochs", ge=0, lt=1,
    )  # fmt: skip
    drop_nodes: float = option(
        0.0, "Drop between nodes", "How much of what a node reads is left out; what it carries on stays whole.",
        unit="of all", source=f"{RELEASE}: 0.225; 0 is for few epochs", ge=0, lt=1,
    )  # fmt: skip
    drop_outputs: float = option(
        0.0, "Drop outputs", "How much of the cell's output is left out before the next word is guessed.",
        unit="of all", source=f"{RELEASE}: 0.75; 0 is for few epochs", ge=0, lt=1,
    )  # fmt: skip
    activation_penalty: float = option(
        0.0, "Activation penalty", "Times the mean square of the cell's output after dropout, added to the loss.",
        source=f"{RELEASE}: 0.7", ge=0, le=100,
    )  # fmt: skip
    slowness_penalty: float = option(
        0.0, "Slowness penalty", "Times the mean square by which the output changes from word to word.",
        source=f"{RELEASE}: 1", ge=0, le=100,
    )  # fmt: skip


class LanguageRecipeConfig(ReadingConfig):
    """How one network is trained on text: as it reads, and what of it is scored."""

    averaging: Literal["never", "from_epoch", "when_stalled"] = option(
        "when_stalled", "Averaging",
        "Score and keep the mean of the weights of all steps: never, from an epoch on, or once validation stalls.",
        source=f"{RELEASE}: once stalled, on a GPU",
    )  # fmt: skip
    averaging_from: int = option(
        2, "Averaging from epoch", "The first epoch whose weights are averaged.",
        source=OURS, only_with={"averaging": "from_epoch"}, ge=1, le=10_000,
    )  # fmt: skip
    averaging_patience: int = option(
        10, "Patience", "Stalled: no better than the best validation loss before so many last epochs.", unit="epochs",
        source=f"{RELEASE}: 10", only_with={"averaging": "when_stalled"}, ge=1, le=1000,
    )  # fmt: skip
    scoring_batch: int = option(
        64, "Validation batch", "At how many places of the validation part reading starts, each with an empty state.",
        unit="streams", source=f"{ENAS}: the batch of training", ge=1, le=4096,
    )  # fmt: skip
    test_batch: int = option(
        1, "Test batch", "The same for the test part; 1 reads it from end to end with one state, which is slow.",
        unit="streams", source=f"{ENAS}: 1", ge=1, le=4096,
    )  # fmt: skip


class LanguageTrainingConfig(Config):
    """Everything that decides a training on text: one recurrent architecture, trained for keeps."""

    name: str = option("", "Name", "What this training is called in your list.", max_length=80)
    architecture: dict[str, Any]
    layout: RecurrentLayoutConfig = RecurrentLayoutConfig()
    recipe: LanguageRecipeConfig = LanguageRecipeConfig()
    data: TextDataConfig = TextDataConfig()
    reproducibility: ReproducibilityConfig = ReproducibilityConfig()
