"""What a user decides: frozen models with range, unit, help and source of every field.

The same models serve the form, the HTTP API, configuration files, database rows and the terminal. The help is written
for the person at the form; `title` is the label, `unit` and `source` stand beside it.
"""

from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.config import JsonDict

from search_engine.architecture import COMBINATIONS, OPERATIONS
from search_engine.config_sentences import place_and_sentence
from search_engine.errors import ConfigError

C = TypeVar("C", bound="Config")

PAPER = "NASNet, Zoph et al. 2018"
OURS = "our choice; the paper does not state it"
STEM_FILTERS = 32  # Of the ImageNet stem, where nothing else is said (released code).


def option(
    default: Any, title: str, help: str, *, unit: str | None = None, source: str | None = None, **limits: Any
) -> Any:
    """A field with what the form shows beside it; limits are pydantic's (ge, le, min_length, ...)."""
    extra: JsonDict = {"unit": unit, "source": source}
    return Field(default, title=title, description=help, json_schema_extra=extra, **limits)


class Config(BaseModel):
    """A part of a configuration. Unknown names are refused, numbers are finite, nothing changes after it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NasnetSpaceConfig(Config):
    """Two cells of blocks; each block decides two inputs, two operations and how they combine."""

    heading: ClassVar = "Search space"
    kind: Literal["nasnet"] = "nasnet"
    blocks: int = option(
        5, "Blocks per cell", "How many blocks each of the two cells has. More blocks, more possible cells.",
        source=f"{PAPER}, section 3: 5", ge=1, le=7,
    )  # fmt: skip
    operations: tuple[str, ...] = option(
        OPERATIONS, "Operations", "What a block may do with an input. Untick what you never want to see.",
        source=f"{PAPER}, section 3: these 13", min_length=1,
    )  # fmt: skip
    combinations: tuple[str, ...] = option(
        COMBINATIONS, "Combinations", "How a block may join its two results: added, or side by side as channels.",
        source=f"{PAPER}, section 3: both", min_length=1,
    )  # fmt: skip

    @field_validator("operations", "combinations")
    @classmethod
    def _known_once_and_in_order(cls, chosen: tuple[str, ...], info: Any) -> tuple[str, ...]:
        known = OPERATIONS if info.field_name == "operations" else COMBINATIONS
        for name in chosen:
            if name not in known:
                raise ValueError(f"{name!r} is unknown; must be one of {', '.join(known)}.")
        if len(set(chosen)) != len(chosen):
            raise ValueError("names one twice; each may be named once.")
        return tuple(name for name in known if name in chosen)  # One order, so that equal choices are equal values.


class StrategyConfig(Config):
    """What every strategy decides by: how many children a step has, and how far it may run ahead."""

    heading: ClassVar = "Search strategy"
    step_size: int = option(
        20, "Children per step", "How many architectures are drawn before the controller learns from their rewards.",
        source=f"{PAPER}, A.3: 20", ge=1, le=1000,
    )  # fmt: skip
    lookahead: int = option(
        0, "Steps drawn ahead",
        "0 waits for every child of a step, as the paper does; 1 draws the next step early and keeps workers busy.",
        source=f"{PAPER}: 0", ge=0, le=4,
    )  # fmt: skip


class RandomConfig(StrategyConfig):
    """Uniform random search: every decision from a uniform distribution."""

    kind: Literal["random"] = "random"


class PpoConfig(StrategyConfig):
    """A controller LSTM, trained by proximal policy optimization on the joint probability of its decisions."""

    kind: Literal["ppo"] = "ppo"
    learning_rate: float = option(
        0.00035, "Controller learning rate",
        "Step width of Adam on the controller. The paper's value is meant for a thousand updates.",
        source=f"{PAPER}, A.2: 0.00035", gt=0, le=1,
    )  # fmt: skip
    epochs: int = option(
        4, "PPO epochs", "How often the controller goes over the children of a step.", source=OURS, ge=1, le=50
    )
    clip: float = option(
        0.2, "PPO clip", "How far the joint probability of an architecture may move in one step, as a ratio.",
        source=OURS, gt=0, lt=1,
    )  # fmt: skip
    entropy_weight: float = option(
        0.00001, "Entropy weight", "Reward for staying undecided; more of it explores longer.",
        source=f"{PAPER}, A.2: 0.00001", ge=0, le=10,
    )  # fmt: skip
    baseline_decay: float = option(
        0.95, "Baseline decay", "Memory of the moving mean reward that a child's reward is compared with.",
        source=f"{PAPER}, A.2: 0.95", ge=0, lt=1,
    )  # fmt: skip
    normalise_advantages: bool = option(
        False, "Normalise advantages",
        "Divide reward minus baseline by its running deviation, so that scale does not matter.",
        source="a variant; the paper does not mention it",
    )  # fmt: skip
    gradient_clip: float = option(
        1.0, "Controller gradient clip", "Largest norm of the controller's gradient.", source=OURS, gt=0, le=1000
    )
    hidden_size: int = option(
        100, "LSTM units", "Width of the controller's one LSTM layer.", source=f"{PAPER}, A.2: 100", ge=1, le=2048
    )
    init_range: float = option(
        0.1, "Initial weights", "The controller's weights start uniform between minus and plus this.",
        source=f"{PAPER}, A.2: 0.1", gt=0, le=1,
    )  # fmt: skip


class LayoutConfig(Config):
    """How cells are stacked to a network: a skeleton of the released code, and its sizes."""

    heading: ClassVar = "Network"
    skeleton: Literal["cifar", "imagenet"] = option(
        "cifar", "Skeleton",
        "cifar starts at the image's own size. imagenet, for large images, first shrinks it to an eighth; its batch "
        "norm averages over thousands of batches, so after a short training measure its statistics anew.",
        source="both from the released code",
    )  # fmt: skip
    normal_cells: int = option(
        2, "Normal cells per stack", "N: how many normal cells stand before, between and after the reduction cells.",
        source=f"{PAPER}, A.6: 2 while searching, 6 for keeps", ge=1, le=20,
    )  # fmt: skip
    reductions: int = option(
        2, "Reduction cells", "How often height and width are halved (and filters doubled) behind the stem.",
        source=f"{PAPER}, section 3: 2", ge=1, le=4,
    )  # fmt: skip
    filters: int = option(
        32, "Filters",
        "F: channels of each block in the first stack; must be even, with the ImageNet skeleton a multiple of 4.",
        unit="channels", source="the released 6 @ 768 has 32; for the search the paper states none", ge=2, le=1024,
        multiple_of=2,
    )  # fmt: skip
    stem_filters: int = option(
        STEM_FILTERS, "Stem filters",
        "Channels of the ImageNet skeleton's first convolution. The CIFAR skeleton has three times the filters.",
        unit="channels", source="released code: 32 for 4 @ 1056, 96 for 6 @ 4032", ge=1, le=1024,
    )  # fmt: skip
    previous_after_reduction: Literal["one-before", "two-before"] = option(
        "one-before", "Previous input after a reduction",
        "What the cell behind a reduction reads as its previous input: the cell before the reduction, which fed it "
        "(one-before), or the one before that (two-before).",
        source="released code: one-before for CIFAR and 4 @ 1056, two-before for 6 @ 4032",
    )  # fmt: skip

    @property
    def halvings(self) -> int:
        """How often height and width are halved in all; the ImageNet stem does so three times."""
        return self.reductions + (3 if self.skeleton == "imagenet" else 0)

    @field_validator("filters")
    @classmethod
    def _halves_of_the_stem_are_whole(cls, filters: int, info: Any) -> int:
        if info.data.get("skeleton") == "imagenet" and filters % 4:
            raise ValueError(f"is {filters}; with the ImageNet skeleton it must be a multiple of 4.")
        return filters

    @field_validator("stem_filters")
    @classmethod
    def _only_the_imagenet_stem_is_set(cls, stem_filters: int, info: Any) -> int:
        if info.data.get("skeleton") == "cifar" and stem_filters != STEM_FILTERS:
            raise ValueError(
                f"is {stem_filters}; the CIFAR skeleton has three times the filters there, so leave {STEM_FILTERS} "
                "or choose the ImageNet skeleton."
            )
        return stem_filters


class RecipeConfig(Config):
    """How a network is trained."""

    heading: ClassVar = "Training"
    epochs: int = option(
        20, "Epochs", "How often the network sees every training image.", source=f"{PAPER}, A.6: 20 while searching",
        ge=1, le=2000,
    )  # fmt: skip
    batch_size: int = option(
        32, "Batch size", "Images per step.", unit="images", source="released code: 32", ge=1, le=4096
    )
    learning_rate: float = option(
        0.025, "Learning rate", "Step width of SGD at its highest.", source="released code: 0.025", gt=0, le=10
    )
    schedule: Literal["cosine", "constant"] = option(
        "cosine", "Schedule", "How the learning rate falls: one cosine to zero, or not at all.",
        source=f"{PAPER}, A.6: one cosine period",
    )  # fmt: skip
    warm_up: float = option(
        0.0, "Warm-up", "Part of the training over which the learning rate rises to its highest.",
        unit="of all steps", source=OURS, ge=0, le=0.5,
    )  # fmt: skip
    momentum: float = option(0.9, "Momentum", "Momentum of SGD.", source=f"{PAPER}, A.6: 0.9", ge=0, lt=1)
    nesterov: bool = option(False, "Nesterov momentum", "Look ahead along the momentum.", source=OURS)
    weight_decay: float = option(
        0.0005, "Weight decay", "L2 decay of all weights.", source="released code: 0.0005", ge=0, le=1
    )
    gradient_clip: float = option(
        5.0, "Gradient clip", "Largest norm of the gradient of all weights together.", source="released code: 5",
        gt=0, le=1000,
    )  # fmt: skip
    augment: bool = option(
        True, "Augmentation", "Shift each image by up to an eighth of its size and mirror it at random.",
        source=f"{PAPER}, A.1: random crop and mirror",
    )  # fmt: skip
    reestimate_batches: int = option(
        0, "Batch-norm batches",
        "Batches over which batch-norm statistics are measured anew before scoring; 0 keeps the moving ones.",
        unit="batches", source="our choice; needed where a child sees few batches", ge=0, le=1000,
    )  # fmt: skip


class DataConfig(Config):
    """Which images, and how many."""

    heading: ClassVar = "Data"
    name: str = option(
        "fashion-mnist-10k",
        "Data set",
        "The embedded one works everywhere; the others are downloaded once.",
        min_length=1,
    )
    image_size: int = option(
        28,
        "Image size",
        "Height and width; a smaller one averages pixels and trains faster.",
        unit="pixels",
        ge=8,
        le=512,
    )
    train_examples: int = option(
        8000, "Training images", "How many images each network trains on.", unit="images", ge=10, le=10_000_000
    )
    held_out_examples: int = option(
        2000, "Held-out images",
        "How many other training images the reward is measured on. Test images wait for the end of a training.",
        unit="images", source=f"{PAPER}, A.1: 5,000 of 50,000", ge=10, le=1_000_000,
    )  # fmt: skip


class BudgetConfig(Config):
    """When the search ends."""

    heading: ClassVar = "Budget"
    children: int = option(
        200, "Children", "How many architectures are tried in all.", source=f"{PAPER}, A.3: 20,000", ge=1, le=1_000_000
    )
    infeasible_reward: float = option(
        0.0, "Reward of a failed child", "What the controller is told when a child diverges or does not fit.",
        source=OURS, ge=-10, le=1,
    )  # fmt: skip
    reuse: Literal["off", "copy"] = option(
        "off", "Twins",
        "Train an architecture again when it is drawn again (off, the paper), or copy its first reward.",
        source=f"{PAPER}: off",
    )  # fmt: skip


class ReproducibilityConfig(Config):
    """What fixes every random number and every rounding."""

    heading: ClassVar = "Reproducibility"
    seed: int = option(
        1, "Seed", "Two searches with equal settings and seeds compute the same, to the last bit.", ge=0, le=2**53
    )
    threads: int = option(
        1, "Threads per child", "Part of the settings because one and two threads round differently.", ge=1, le=64
    )


class SearchConfig(Config):
    """Everything that decides a search. It never changes after the start."""

    name: str = option("", "Name", "What this search is called in your list.", max_length=80)
    space: NasnetSpaceConfig = NasnetSpaceConfig()
    strategy: Annotated[PpoConfig | RandomConfig, Field(discriminator="kind")] = PpoConfig()
    child: LayoutConfig = LayoutConfig()
    recipe: RecipeConfig = RecipeConfig()
    data: DataConfig = DataConfig()
    budget: BudgetConfig = BudgetConfig()
    reproducibility: ReproducibilityConfig = ReproducibilityConfig()

    @model_validator(mode="after")
    def _a_step_fits_the_budget(self) -> Self:
        if self.strategy.step_size > self.budget.children:
            raise _at(
                "strategy.step_size",
                f"is {self.strategy.step_size}; must be at most the number of children, {self.budget.children}.",
            )
        _must_shrink(self.child, self.data)
        return self


class TrainingConfig(Config):
    """Everything that decides a training: one architecture, trained for keeps."""

    name: str = option("", "Name", "What this training is called in your list.", max_length=80)
    architecture: dict[str, Any]
    layout: LayoutConfig = LayoutConfig(normal_cells=6)
    recipe: RecipeConfig = RecipeConfig(epochs=600)
    data: DataConfig = DataConfig()
    reproducibility: ReproducibilityConfig = ReproducibilityConfig()

    @model_validator(mode="after")
    def _the_images_fit_the_layout(self) -> Self:
        _must_shrink(self.layout, self.data)
        return self


def read_config(model: type[C], value: Any) -> C:
    """The configuration in `value`, a JSON object; raises ConfigError for the first thing that is wrong."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise config_errors(error)[0] from error


def config_errors(error: ValidationError) -> list[ConfigError]:
    """One error per wrong field, each with a sentence that states found and wanted."""
    found: dict[str, ConfigError] = {}
    for detail in error.errors():
        field, message = place_and_sentence(detail)
        if detail["type"] == "too_short" and any(other.startswith(f"{field}.") for other in found):
            continue  # Entries that are wrong were not counted; only they are to be mended.
        found.setdefault(field, ConfigError(field, message))
    return list(found.values())


class _AtField(ValueError):
    """A rule between fields was broken; carries the field to change."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def _at(field: str, message: str) -> _AtField:
    return _AtField(field, message)


def _must_shrink(layout: LayoutConfig, data: DataConfig) -> None:
    """The last stack must keep two rows of pixels."""
    is_imagenet = layout.skeleton == "imagenet"
    smallest = 2**layout.halvings + 3 if is_imagenet else 2 ** (layout.halvings + 1)
    if data.image_size < smallest:
        times = f"{layout.halvings} times" + (", as the ImageNet skeleton does," if is_imagenet else "")
        raise _at("data.image_size", f"is {data.image_size}; to be halved {times} it must be at least {smallest}.")
