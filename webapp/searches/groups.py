"""The same search with several seeds, or with other strategies, as one group.

A group has one search for each strategy and seed that is asked for. What stands in it already is not started again: a
search with the same settings and the same seed would compute the same once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from search_engine.config.members import member_config, strategies_of
from search_engine.config.searches import AnySearchConfig, read_search_config
from search_engine.errors import UserError
from webapp.searches import lifecycle, limits, planner
from webapp.searches.companion import LONGEST_NAME
from webapp.searches.costs.data_limits import search_errors
from webapp.searches.costs.estimate import Cost, live_speeds
from webapp.searches.costs.shared_estimate import cost_of_search
from webapp.searches.models import Group, Search, Stream
from webapp.searches.start import start_search

MOST_MEMBERS = 50
STRATEGY_TITLES = {
    "ppo": "PPO", "ppo-replay": "PPO with a memory", "reinforce": "REINFORCE", "evolution": "evolution",
    "local": "local search", "random": "random",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which members a group shall have. strategies: () for the one that the search has."""

    seeds: Sequence[int]
    strategies: Sequence[str] = ()


def members_of(config: AnySearchConfig, wanted: Wanted) -> list[AnySearchConfig]:
    """The configuration of every member, seed by seed, the strategy of the search first. Raises UserError."""
    strategies = list(dict.fromkeys(wanted.strategies or (config.strategy.kind,)))
    seeds = list(dict.fromkeys(wanted.seeds))
    if not 1 <= len(seeds) * len(strategies) <= MOST_MEMBERS:
        found = len(seeds) * len(strategies)
        raise UserError("seeds", f"and strategies make {found} searches; must make from 1 to {MOST_MEMBERS}.")
    strategies.sort(key=lambda kind: kind != config.strategy.kind)
    names_strategy = strategies != [config.strategy.kind]
    return [_member(config, kind, seed, names_strategy) for seed in seeds for kind in strategies]


def missing_members(search: Search, wanted: Wanted) -> list[AnySearchConfig]:
    """The members that are still to be started. Raises UserError, also where they cannot be started any more."""
    beside = [search] if search.group_id is None else list(Search.objects.filter(group_id=search.group_id))
    there = [_nameless(read_search_config(each.config)) for each in beside]
    missing = [each for each in members_of(read_search_config(search.config), wanted) if _nameless(each) not in there]
    for each in missing:
        if errors := search_errors(each, search.owner):
            raise errors[0]
    return missing


def add_members(search: Search, wanted: Wanted) -> tuple[Group, list[Search]]:
    """Start what is missing beside a search, in its group; the group and what was started. Raises UserError."""
    with transaction.atomic():
        search = planner.locked_search(search.pk)
        missing = missing_members(search, wanted)
        group = search.group or Group.objects.create(owner=search.owner, name=search.name)
        Stream.objects.filter(pk=search.pk).update(group=group)
        started = [start_search(search.owner, each, group=group, priority=search.priority) for each in missing]
        total = limits.total_of(search)  # It may have been changed since the start. From now on each has its own.
        for each in started:
            lifecycle.change_limits(each.pk, {total: limits.limits_of(search)[total]})
    return group, started


def start_members(owner: Any, config: AnySearchConfig, wanted: Wanted) -> tuple[Group, list[Search]]:
    """Start all members of a group that rests on no search. Raises UserError."""
    members = members_of(config, wanted)
    for each in members:
        if errors := search_errors(each, owner):
            raise errors[0]
    with transaction.atomic():
        group = Group.objects.create(owner=owner, name=config.name)
        return group, [start_search(owner, each, group=group) for each in members]


def cost_of_members(members: Sequence[AnySearchConfig]) -> Cost | None:
    """Of all together: the workers share themselves out among them. None for none."""
    if not members:
        return None
    speeds = live_speeds()
    by_kind: dict[str, Cost] = {}  # Seeds cost the same.
    for each in members:
        by_kind.setdefault(each.strategy.kind, cost_of_search(each, speeds))
    costs = [by_kind[each.strategy.kind] for each in members]
    known = [cost.seconds for cost in costs if cost.seconds is not None]
    return replace(
        costs[0],
        children=sum(cost.children for cost in costs),
        seconds=sum(known) if len(known) == len(costs) else None,
        disk_bytes=sum(cost.disk_bytes for cost in costs),
        memory_bytes=max(cost.memory_bytes for cost in costs),
    )


def strategies_for(search: Search) -> list[str]:
    """The strategies that this search may have, its own first."""
    config = read_search_config(search.config)
    return sorted(strategies_of(type(config)), key=lambda kind: kind != config.strategy.kind)


def _member(config: AnySearchConfig, strategy: str, seed: int, names_strategy: bool) -> AnySearchConfig:
    member = member_config(config, strategy=strategy, seed=seed)
    suffix = f" ({STRATEGY_TITLES[strategy]}, seed {seed})" if names_strategy else f" (seed {seed})"
    name = (config.name or "Search")[: LONGEST_NAME - len(suffix)] + suffix
    return member.model_copy(update={"name": name})


def _nameless(config: AnySearchConfig) -> AnySearchConfig:
    return config.model_copy(update={"name": ""})
