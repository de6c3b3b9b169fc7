"""A search with shared weights against its random companion, which draws uniformly and has shared weights of its own.

Scores are given by two different sets of shared weights, so they compare how these were trained and not what was found.
What counts is the best network of each, trained from scratch alike: chosen by held-out figure, compared on the test
part.
"""

import math
from dataclasses import dataclass
from statistics import median
from typing import Literal

from search_engine.config.enas_search import EnasRecurrentSearchConfig
from search_engine.config.searches import AnyEnasSearchConfig, read_enas_config
from webapp.searches.companion import companion_of
from webapp.searches.honesty_meter import Measured
from webapp.searches.models import Child, Event, Search, Stream, Training
from webapp.searches.steering import steered_in_words

SPAN_95 = 1.96  # Standard errors.

Verdict = Literal["ahead", "undecided", "not ahead", "waiting"]

NO_COMPANION = "No random companion has run beside this search, so nothing tells what its controller is good for."
NOTHING_TRAINED = (
    "No best network is trained from scratch here, because the search was started with 0 of them; without that the two "
    "cannot be compared."
)
NOTHING_FINISHED = "On {side} no network was trained from scratch to its end, so the two cannot be compared."
OWN_WEIGHTS = (
    "Each side's scores are given by its own shared weights: they show how well these were trained, and are no "
    "comparison of networks."
)
FALLING = (
    "A falling entropy says that the controller makes up its mind, and not that it is right: it falls on noise too."
)
ONE_RUN = "This is one run of each, with one seed: another may turn it round."


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two searches. done of epochs: its steps.

    scored: candidates with a score, and of these the median and the best. entropy: of the policy after the last phase,
    in nats, None before the first. best: the finished training from scratch with the best held-out figure; trainings:
    how many there are, and open: how many of them have not ended.
    """

    search: Search
    done: int
    epochs: int
    scored: int
    median_score: float | None
    best_score: float | None
    entropy: float | None
    best: Training | None
    trainings: int
    open: int

    @property
    def is_over(self) -> bool:
        """Nothing more will come by itself."""
        return not self.search.is_open and not self.open


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedCompared:
    """random: None where there is no companion. difference: of the test figures, ours minus random's.

    waiting: what a verdict waits for, or why there is none; "" once there is one.
    """

    ours: Side
    random: Side | None
    measured: Measured
    verdict: Verdict
    difference: float | None
    waiting: str
    sentences: tuple[str, ...]


def compared_shared(search: Search) -> SharedCompared:
    """How this search stands against its random companion. It must have shared weights and not be random itself."""
    config = read_enas_config(search.config)
    companion = companion_of(search)
    ours = side_of(search, config)
    random = None if companion is None else side_of(companion, read_enas_config(companion.config))
    measured: Measured = "perplexity" if isinstance(config, EnasRecurrentSearchConfig) else "accuracy"
    waiting = _waiting(ours, random, config)
    verdict: Verdict = "waiting"
    difference = None
    sentences: tuple[str, ...] = ()
    if not waiting and random is not None and ours.best is not None and random.best is not None:
        verdict, difference, said = _judged(ours.best, random.best, measured)
        sentences = (said, ONE_RUN)
    if random is not None and ours.scored and random.scored:
        sentences += (OWN_WEIGHTS,)
    if random is not None and ours.entropy is not None:
        sentences += (FALLING,)
    sentences += steered_in_words(search, companion)
    return SharedCompared(
        ours=ours, random=random, measured=measured, verdict=verdict, difference=difference, waiting=waiting,
        sentences=sentences,
    )  # fmt: skip


def side_of(search: Search, config: AnyEnasSearchConfig) -> Side:
    """What is known of one of the two."""
    scores = list(Child.objects.filter(search=search, reward__isnull=False, reason="").values_list("reward", flat=True))
    phase = Event.objects.filter(stream_id=search.pk, kind="controller_phase_ended").order_by("-number").first()
    trainings = [
        training for training in Training.objects.filter(owner=search.owner_id, child__search=search, for_meter=False)
        if _is_derived(training, config)
    ]  # fmt: skip
    finished = [training for training in trainings if training.state == Stream.State.FINISHED]
    return Side(
        search=search,
        done=search.steps_told,
        epochs=search.epochs,
        scored=len(scores),
        median_score=median(scores) if scores else None,
        best_score=max(scores, default=None),
        entropy=None if phase is None else phase.payload["entropy"],
        best=min(finished, key=_rank, default=None),
        trainings=len(trainings),
        open=sum(training.is_open for training in trainings),
    )


def tested(training: Training) -> float:
    """The figure that networks are compared on."""
    figure = training.test_accuracy if training.test_perplexity is None else training.test_perplexity
    assert figure is not None, "a finished training has been tested"
    return figure


def _is_derived(training: Training, config: AnyEnasSearchConfig) -> bool:
    """It was trained as the search trains its best: another recipe, which a person chose, would compare recipes."""
    wanted = config.final_training(training.config["architecture"], training.name).model_dump(mode="json")
    return wanted == training.config


def _rank(training: Training) -> tuple[float, str]:
    """The best first: the highest accuracy, or the lowest perplexity."""
    if training.held_out_perplexity is not None:
        return training.held_out_perplexity, str(training.pk)
    return -(training.held_out_accuracy or 0.0), str(training.pk)


def _waiting(ours: Side, random: Side | None, config: AnyEnasSearchConfig) -> str:
    if random is None:
        return NO_COMPANION
    if config.deriving.train == 0 and not (ours.trainings and random.trainings):
        return NOTHING_TRAINED
    missing = []
    for side, name in ((ours, "the search"), (random, "the random companion")):
        if side.search.is_open:
            missing.append(f"{name} to reach its end ({side.done} of {side.epochs} epochs)")
        elif side.open:
            number = "its best network" if side.trainings == 1 else f"{side.open} of its {side.trainings} best networks"
            missing.append(f"{name} to train {number} from scratch")
    if missing:
        return f"A verdict waits for {', and for '.join(missing)}."
    for side, name in ((ours, "the side of the search"), (random, "the side of the random companion")):
        if side.best is None:
            return NOTHING_FINISHED.format(side=name)
    return ""


def _judged(ours: Training, random: Training, measured: Measured) -> tuple[Verdict, float, str]:
    """The verdict, the difference of the test figures and what it means, in plain words."""
    difference = tested(ours) - tested(random)
    if measured == "perplexity":
        return _judged_perplexity(ours, random, difference)
    figures = f"{_percent(tested(ours))} against random's {_percent(tested(random))}"
    points = f"{abs(100 * difference):.1f} points"
    images = f"{ours.test_examples:,} test images"
    if difference == 0:
        return "not ahead", difference, f"Random search is as good: both best networks reach {_percent(tested(ours))}."
    if difference < 0:
        return "not ahead", difference, (
            "Random search is as good or better: the controller's best network, trained from scratch, reaches "
            f"{figures}."
        )  # fmt: skip
    chance = _chance(ours, random)
    if difference <= chance:
        return "undecided", difference, (
            f"The two cannot be told apart: {figures} on {images}, where {100 * chance:.1f} points may be chance."
        )  # fmt: skip
    return "ahead", difference, (
        f"The controller is ahead: its best network, trained from scratch, reaches {figures}; {points} on {images}, "
        f"where {100 * chance:.1f} points may be chance."
    )  # fmt: skip


def _judged_perplexity(ours: Training, random: Training, difference: float) -> tuple[Verdict, float, str]:
    figures = f"test perplexity {tested(ours):.1f} against random's {tested(random):.1f}"
    if difference == 0:
        return (
            "not ahead",
            difference,
            f"Random search is as good: both best networks have {figures.split(' against')[0]}.",
        )
    if difference > 0:
        return "not ahead", difference, (
            f"Random search is as good or better: the controller's best network, trained from scratch, has {figures}; "
            "lower is better."
        )  # fmt: skip
    return "ahead", difference, (
        f"The controller is ahead: its best network, trained from scratch, has {figures}; lower is better."
    )  # fmt: skip


def _chance(ours: Training, random: Training) -> float:
    """How far apart two equally good networks may easily come out, because test images are a sample."""
    variance = sum(
        tested(training) * (1 - tested(training)) / (training.test_examples or 1) for training in (ours, random)
    )
    return SPAN_95 * math.sqrt(variance)


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
