"""The random companion of a search: uniform random search in the same group, with everything else alike.

The companion has the seed of its search. So both train on the same split of the images, and the children at one place
start from the same random numbers wherever their networks have the same shapes: the figures are paired, and differ by
what was proposed rather than by luck. It has no final round: it is there to be compared child by child.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from search_engine.config.finals import FinalsConfig
from search_engine.config.search import SearchConfig
from search_engine.config.searches import AnySearchConfig, read_search_config
from search_engine.config.strategy import RandomConfig
from search_engine.errors import UserError
from webapp.searches import lifecycle, limits, planner
from webapp.searches.costs.data_limits import search_errors
from webapp.searches.models import Group, Search, Stream
from webapp.searches.start import start_search

LONGEST_NAME = 80
SUFFIX = " (random)"
RANDOM_ITSELF = UserError(
    "companion", "must be left out: this search is random itself, so there is nothing to compare it with."
)


def companion_config(config: AnySearchConfig) -> AnySearchConfig:
    """The same search, drawn uniformly. Raises UserError where the search is random itself.

    With shared weights it has its own, which learn under uniform draws for as long, and scores as many architectures:
    weights that learned under a policy would be rigged for it (see science, "ENAS random control").
    """
    if config.strategy.kind == "random":
        raise RANDOM_ITSELF
    strategy = RandomConfig(step_size=config.strategy.step_size, lookahead=config.strategy.lookahead)
    name = (config.name or "Search")[: LONGEST_NAME - len(SUFFIX)] + SUFFIX
    beside = config.model_copy(update={"name": name, "strategy": strategy})
    return beside.model_copy(update={"finals": FinalsConfig()}) if isinstance(beside, SearchConfig) else beside


def start_with_companion(owner: Any, config: AnySearchConfig, first_limits: dict[str, Any] | None = None) -> Search:
    """Start both in one transaction; the search, not its companion. Its data must be known. first_limits: of each."""
    beside = companion_config(config)
    with transaction.atomic():
        group = Group.objects.create(owner=owner, name=config.name)
        search = start_search(owner, config, group=group, first_limits=first_limits)
        start_search(owner, beside, group=group, first_limits=first_limits)
    return search


def add_companion(search: Search) -> Search:
    """The companion of a search, started now where it has none. Whether the search has ended does not matter.

    Raises ConfigError where its images are no longer there.
    """
    with transaction.atomic():
        search = planner.locked_search(search.pk)
        existing = companion_of(search)
        if existing is not None:
            return existing
        beside = companion_config(read_search_config(search.config))
        if errors := search_errors(beside, search.owner):
            raise errors[0]
        group = search.group
        if group is None:
            group = Group.objects.create(owner=search.owner, name=search.name)
            Stream.objects.filter(pk=search.pk).update(group=group)
        companion = start_search(search.owner, beside, group=group, priority=search.priority)
        total = limits.total_of(search)  # It may have been changed since the start. From now on each has its own.
        lifecycle.change_limits(companion.pk, {total: limits.limits_of(search)[total]})
        return companion


def companion_of(search: Search) -> Search | None:
    """The random search beside it; None where there is none, and for a random search."""
    if search.group_id is None or is_random(search):
        return None
    return _beside(search).filter(config__strategy__kind="random").first()


def accompanied_by(search: Search) -> Search | None:
    """The search whose companion this is; None where it is no companion."""
    if search.group_id is None or not is_random(search):
        return None
    return _beside(search).exclude(config__strategy__kind="random").first()


def is_left_alone(search: Search) -> bool:
    """Whether the search that it was started beside was deleted."""
    return search.group_id is not None and not Search.objects.filter(group_id=search.group_id).exclude(pk=search.pk)


def beside_in_words(searches: Sequence[Search]) -> dict[uuid.UUID, str]:
    """What belongs together with each of these, in words, for those that do not stand alone. One question in all."""
    groups = {search.group_id for search in searches if search.group_id is not None}
    pairs: dict[tuple[uuid.UUID | None, int], list[Search]] = {}
    for search in Search.objects.filter(group_id__in=groups).order_by("created", "pk") if groups else ():
        pairs.setdefault(_pair(search), []).append(search)
    words = {}
    for search in searches:
        others = [each for each in pairs.get(_pair(search), ()) if is_random(each) != is_random(search)]
        if others:
            name = others[0].name or "a search without a name"
            words[search.pk] = f"random companion of {name}" if is_random(search) else "with a random companion"
    return words


def compares(search: Search) -> dict[str, bool]:
    """What its page must know: whether it can be compared with random search, and whether a companion is there."""
    compares = not is_random(search) and not search.epochs  # Rewards of children that were trained by themselves.
    return {"compares": compares, "has_companion": companion_of(search) is not None}


def is_random(search: Search) -> bool:
    """Whether its children are uniform draws."""
    kind: str = search.config["strategy"]["kind"]
    return kind == "random"


def _pair(search: Search) -> tuple[uuid.UUID | None, int]:
    return search.group_id, search.config["reproducibility"]["seed"]


def _beside(search: Search) -> Any:
    seed = search.config["reproducibility"]["seed"]  # A group may hold the search over several seeds.
    others = Search.objects.filter(group_id=search.group_id, config__reproducibility__seed=seed)
    return others.exclude(pk=search.pk).order_by("created", "pk")
