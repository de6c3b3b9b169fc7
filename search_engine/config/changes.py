"""What is changed while a search runs. Its configuration never changes: the two together decide every bit of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import ValidationError, model_validator

from search_engine.config.base import Config, at, option
from search_engine.config.enas_search import EnasSearchConfig
from search_engine.config.reading import config_errors
from search_engine.config.search import SearchConfig
from search_engine.config.step_sizes import NeverInForce, StepSizes, Total
from search_engine.errors import ConfigError


class Change(Config):
    """A change, and the first step that is drawn, or the first shared epoch that is begun, under it.

    Where steps are drawn ahead, it takes effect with the update behind which that step is drawn.
    """

    from_step: int = option(0, "From step", "The first step, or shared epoch, under the change; from 0.", ge=0)
    children: int | None = option(
        None, "Children", "How many architectures are tried in all, of a search that trains each by itself.", ge=1
    )
    epochs: int | None = option(None, "Shared epochs", "How many there are in all, with shared weights.", ge=1)
    bans: dict[str, tuple[str, ...]] | None = option(
        None, "Banned options",
        "What is not to be drawn, by a kind of decisions (operation, input) or the name of one (normal 1 input 2). "
        "It takes the place of what was banned there before; an empty list takes that back.",
    )  # fmt: skip

    proposal: dict[str, Any] | None = option(
        None, "Proposal",
        "An architecture, as JSON, that is trained beside what is drawn in the step. It is not learned from: nobody "
        "drew it, so its probability under the policy says nothing of a draw.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _sets_something(self) -> Self:
        if self.children is not None and self.epochs is not None:
            raise at("children", "or the number of epochs must be given, not both.")
        if self.children is None and self.epochs is None and not self.bans and self.proposal is None:
            raise at(
                "children", "is missing, and so is what else could change: the number of epochs, bans, a proposal."
            )
        return self

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)


def read_changes(value: Any, config: SearchConfig | EnasSearchConfig) -> tuple[Change, ...]:
    """The changes of a search, a list of JSON objects; raises ConfigError for the first thing that is wrong."""
    if not isinstance(value, list):
        raise ConfigError("changes", "must be a list.")
    changes = tuple(_read(place, each) for place, each in enumerate(value))
    wanted, other = ("children", "epochs") if isinstance(config, SearchConfig) else ("epochs", "children")
    for place, change in enumerate(changes):
        if getattr(change, other) is not None:
            raise ConfigError(f"changes.{place}.{wanted}", "is missing; it is what such a search counts.")
    for place, change in enumerate(changes):
        try:
            sizes_of(config, changes[: place + 1])
        except NeverInForce as error:
            raise ConfigError(f"changes.{place}.{wanted}", str(error)) from error
        if place and change.from_step < changes[place - 1].from_step:
            raise ConfigError(
                f"changes.{place}.from_step", "is before that of the change before; they must be in their order."
            )
        if change.proposal is not None and not isinstance(config, SearchConfig):
            raise ConfigError(f"changes.{place}.proposal", "is for a search that trains each child by itself.")
        is_for_a_step = bool(change.bans) or change.proposal is not None
        if is_for_a_step and change.from_step > last_that_draws(config, changes[: place + 1]):
            raise ConfigError(f"changes.{place}.from_step", "comes too late: nothing is drawn from there on.")
    return changes


def bans_in_force(changes: Sequence[Change], step: int) -> dict[str, tuple[str, ...]]:
    """What is banned when this step is drawn: for each place the last word that was said before."""
    words: dict[str, tuple[str, ...]] = {}
    for change in changes:
        if change.from_step <= step:
            words |= change.bans or {}
    return {where: banned for where, banned in words.items() if banned}


def last_that_draws(config: SearchConfig | EnasSearchConfig, changes: Sequence[Change]) -> int:
    """The last step under whose bans anything is drawn: with shared weights one behind the last, of the candidates."""
    steps = sizes_of(config, changes).steps
    return steps - 1 if isinstance(config, SearchConfig) else steps


def proposals_left_out(config: SearchConfig | EnasSearchConfig, changes: Sequence[Change]) -> int:
    """How many proposals wait for a step behind the last one: they are trained only if the total grows again."""
    steps = sizes_of(config, changes).steps
    return sum(change.proposal is not None and change.from_step >= steps for change in changes)


def is_steered(changes: Sequence[Mapping[str, object]]) -> bool:
    """Whether any of these, as JSON, bans something or takes it back."""
    return any("bans" in change for change in changes)


def sizes_of(config: SearchConfig | EnasSearchConfig, changes: Sequence[Change]) -> StepSizes:
    """The steps of a search with their children; with shared weights a step is an epoch, which counts as one."""
    return step_sizes(config, changes) if isinstance(config, SearchConfig) else _epoch_sizes(config, changes)


def step_sizes(config: SearchConfig, changes: Sequence[Change]) -> StepSizes:
    """The steps of a search that trains each child by itself."""
    return StepSizes(
        config.budget.children,
        step_size=config.strategy.step_size,
        lookahead=config.strategy.lookahead,
        changes=child_totals(changes),
    )


def child_totals(changes: Sequence[Change]) -> list[Total]:
    """What the changes say of how many children there are."""
    return [Total(change.from_step, change.children) for change in changes if change.children is not None]


def epochs_in_all(config: EnasSearchConfig, changes: Sequence[Change]) -> int:
    """How many shared epochs there are, with all changes."""
    return _epoch_sizes(config, changes).steps


def epochs_at(config: EnasSearchConfig, changes: Sequence[Change], step: int) -> int:
    """How many shared epochs there were to be when this one was begun."""
    return epochs_in_all(config, [change for change in changes if change.from_step <= step])


def in_rounds(config: EnasSearchConfig, changes: Sequence[Change]) -> tuple[Change, ...]:
    """The same changes for the strategy, whose steps are the rounds of all epochs."""
    rounds, size = config.phases.rounds, config.strategy.step_size
    return tuple(
        Change(
            from_step=change.from_step * rounds,
            children=None if change.epochs is None else change.epochs * rounds * size,
            bans=change.bans,
        )
        for change in changes
    )


def _epoch_sizes(config: EnasSearchConfig, changes: Sequence[Change]) -> StepSizes:
    totals = [Total(change.from_step, change.epochs) for change in changes if change.epochs is not None]
    return StepSizes(config.epochs, step_size=1, lookahead=0, changes=totals)


def _read(place: int, value: Any) -> Change:
    try:
        return Change.model_validate(value)
    except ValidationError as error:
        wrong = config_errors(error)[0]
        raise ConfigError(f"changes.{place}.{wrong.field}".rstrip("."), wrong.message) from error
