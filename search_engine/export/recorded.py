"""What a bundle says of how good its network is, and whether its weights are those of the network it names. No PyTorch.

The figures are those that were recorded when the network had been trained; nothing here measures them again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search_engine import cost
from search_engine.architectures.reading import architecture_from_json
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.config.language import LanguageTrainingConfig
from search_engine.config.trainings import AnyTrainingConfig, read_training_config
from search_engine.errors import CheckpointError, UserError
from search_engine.export.bundle_file import BundleContent
from search_engine.network_plan import NetworkPlan
from search_engine.recurrent_plan import recurrent_parameter_shapes, recurrent_parameters
from search_engine.training.trained_plan import trained_plan

LONGEST_TITLE = 200  # Characters of a data set's name.
MOST_EXAMPLES = 10**12
MOST_CHANNELS = 64
MOST_PERPLEXITY = 1e300


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """measure: "accuracy", in [0, 1], or "perplexity", at least 1; None where a figure was not recorded.

    name: what the training was called, "" without a name. data: title of the data set. held_out_examples: images; None
    of a text. test_examples: images, or words. guessing: the perplexity of guessing by frequency on the test part.
    """

    name: str
    data: str
    measure: str
    held_out: float | None
    held_out_examples: int | None
    test: float | None
    test_examples: int | None
    guessing: float | None
    parameters: int

    def sentences(self) -> tuple[str, ...]:
        """For people: how good the network is, on which data, and who says so."""
        weights = f"It has {self.parameters:,} weights, and they fit the architecture."
        return (weights, *self._figures(), "These are the bundle's own figures; nothing was measured again.")

    def _figures(self) -> tuple[str, ...]:
        digits = 4 if self.measure == "accuracy" else 2
        parts = []
        if self.test is not None:
            counted = "images" if self.measure == "accuracy" else "words or characters"
            examples = "" if self.test_examples is None else f" ({self.test_examples:,} {counted})"
            parts.append(f"{self.test:.{digits}f} on the test part{examples}")
        if self.held_out is not None:
            examples = "" if self.held_out_examples is None else f" ({self.held_out_examples:,} images)"
            parts.append(f"{self.held_out:.{digits}f} on the held-out part{examples}")
        if not parts:
            return (f"It was trained on {self.data}; how good it is was not recorded.",)
        told = f"Recorded {self.measure} on {self.data}: {', '.join(parts)}."
        guessing = () if self.guessing is None else (f"Guessing by frequency has {self.guessing:.{digits}f} there.",)
        unseen = ("The test part was not looked at.",) if self.test is None else ()
        return (told, *guessing, *unseen)


def recorded(bundle: BundleContent) -> Recorded:
    """Raises CheckpointError where weights and network do not agree, or a figure can be none."""
    try:
        config = read_training_config(bundle.metadata["config"])
        if architecture_from_json(config.architecture) != bundle.architecture:
            raise CheckpointError("", "is damaged: its configuration is of another architecture.")
        if isinstance(config, LanguageTrainingConfig):
            return _of_text(bundle, config)
        return _of_images(bundle, config)
    except CheckpointError:
        raise
    except (UserError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError("", "is no bundle: what it says of its training cannot be read.") from error


def _of_images(bundle: BundleContent, config: Any) -> Recorded:
    told = bundle.metadata
    plan = _plan(bundle, config)
    _check_shapes(bundle, {**plan.parameter_shapes(), **plan.buffer_shapes()})
    return Recorded(
        name=config.name,
        data=_title(told["data"]),
        measure="accuracy",
        held_out=_figure(told, "held_out_accuracy", 0.0, 1.0),
        held_out_examples=config.data.held_out_examples,
        test=_figure(told, "test_accuracy", 0.0, 1.0),
        test_examples=_count(told, "test_examples"),
        guessing=None,
        parameters=cost.parameters(plan),
    )


def _of_text(bundle: BundleContent, config: LanguageTrainingConfig) -> Recorded:
    told, architecture = bundle.metadata, bundle.architecture
    assert isinstance(architecture, RecurrentArchitecture), architecture.kind
    if not isinstance(told["vocabulary"], list):
        raise ValueError("no vocabulary")
    size = {"hidden": config.layout.hidden, "vocabulary": len(told["vocabulary"])}
    _check_shapes(bundle, recurrent_parameter_shapes(architecture, **size))
    return Recorded(
        name=config.name,
        data=_title(told["data"]),
        measure="perplexity",
        held_out=_figure(told, "held_out_perplexity", 1.0, MOST_PERPLEXITY),
        held_out_examples=None,
        test=_figure(told, "test_perplexity", 1.0, MOST_PERPLEXITY),
        test_examples=_count(told, "test_tokens"),
        guessing=_figure(told, "unigram_perplexity", 1.0, MOST_PERPLEXITY),
        parameters=recurrent_parameters(architecture, **size),
    )


def _plan(bundle: BundleContent, config: AnyTrainingConfig) -> NetworkPlan:
    assert not isinstance(config, LanguageTrainingConfig)
    channels, classes = bundle.metadata["data"]["channels"], bundle.metadata["data"]["classes"]
    if type(channels) is not int or not 1 <= channels <= MOST_CHANNELS or not isinstance(classes, list) or not classes:
        raise ValueError("no images that can be")
    return trained_plan(
        bundle.architecture,
        config.layout,
        config.recipe,
        image_channels=channels,
        image_size=config.data.image_size,
        classes=len(classes),
    ).without_auxiliary()


def _check_shapes(bundle: BundleContent, wanted: Mapping[str, tuple[int, ...]]) -> None:
    if dict(bundle.shapes) != {name: tuple(shape) for name, shape in wanted.items()}:
        raise CheckpointError("", "is damaged: its weights are those of another network.")


def _title(data: Any) -> str:
    title = data.get("title") or data["name"]
    if not isinstance(title, str) or not title.isprintable() or len(title) > LONGEST_TITLE:
        raise ValueError("no title of a data set")
    return title


def _figure(told: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    value = told.get(name)
    if value is None:
        return None
    if type(value) not in (int, float) or not low <= value <= high:
        raise ValueError(f"no {name} that can be")
    return float(value)


def _count(told: Mapping[str, Any], name: str) -> int | None:
    value = told.get(name)
    if value is not None and (type(value) is not int or not 0 <= value <= MOST_EXAMPLES):
        raise ValueError(f"no {name} that can be")
    return value
