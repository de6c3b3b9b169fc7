"""The limits of a search: children or epochs in all, workers at a time, hours of running. Any may change on the way.

A new total takes effect with the next update of the controller: what is drawn already stays. So the fingerprint
follows from the configuration and `Search.changes` alone, and a terminal can repeat it. Functions expect the stream's
lock to be held.
"""

from collections.abc import Mapping
from typing import Any, Literal

from django.db import transaction

from search_engine.config.changes import Change, proposals_left_out, read_changes
from search_engine.config.search import SearchConfig
from search_engine.config.searches import AnySearchConfig, read_search_config
from search_engine.errors import ConfigError
from search_engine.events import LimitsChanged
from webapp.searches import leases, planner, running_time
from webapp.searches.models import Child, Job, Search, Stream

NAMES = ("children", "epochs", "workers", "hours")  # In the order in which they are told.
Wanted = Mapping[str, Any]  # By name, only what is to change; None for no limit of workers or hours.


def set_first(search: Search, wanted: Wanted) -> list[LimitsChanged]:
    """The limits of workers and hours that a search starts with; the events that say so."""
    limits = {name: wanted[name] for name in ("workers", "hours") if wanted.get(name) is not None}
    return [_write(search, limits)] if limits else []


def change(search: Search, wanted: Wanted, by: Literal["person", "time"] = "person") -> list[LimitsChanged]:
    """Change the limits of an open search; the events that say so, none where everything is as wanted already.

    Raises ConfigError at the limit that cannot be as wanted; then nothing is changed.
    """
    in_force = limits_of(search)
    given = [(name, wanted[name]) for name in NAMES if name in wanted]
    limits = {name: value for name, value in given if name not in in_force or in_force[name] != value}
    name = total_of(search)
    if other := ({"children", "epochs"} - {name}) & limits.keys():
        raise ConfigError(other.pop(), f"is no limit of this search; its length is the number of {name}.")
    if "hours" in limits:
        search.max_hours = limits["hours"]
    if name not in limits:
        return [_write(search, limits, by=by)] if limits else []
    least = _checked_total(search, name, limits[name])
    if limits[name] > least and running_time.is_over(search):
        raise ConfigError("hours", f"is {search.max_hours:g}, and they are over; to go on, allow more of them.")
    config = read_search_config(search.config)
    new = Change.model_validate({"from_step": next_step(search, config), name: limits[name]})
    search.changes = [*search.changes, new.to_json()]
    left_out = proposals_left_out(config, read_changes(search.changes, config))  # It can come true, or this is our bug.
    take_updates_back(search)
    return [_write(search, limits, from_step=new.from_step, by=by, left_out=left_out)]


def end_in_time(search: Search) -> list[LimitsChanged]:
    """The hours of a search are over: it ends with the steps that are drawn, or the epoch that is under way."""
    name, least = total_of(search), least_total(search)
    if not running_time.is_over(search) or not _can_change_total(search) or limits_of(search)[name] <= least:
        return []
    if name == "children" and search.steps_told < 0:
        return []  # Nothing is drawn yet, and a search of nothing has no end.
    return change(search, {name: least}, by="time")


def limits_of(search: Search) -> dict[str, Any]:
    """What is in force."""
    total = search.total if total_of(search) == "children" else search.epochs
    return {total_of(search): total, "workers": search.max_workers, "hours": search.max_hours}


def total_of(search: Search) -> Literal["children", "epochs"]:
    """What the length of a search is counted in."""
    return "epochs" if search.epochs else "children"


def least_total(search: Search) -> int:
    """The smallest total that takes nothing back: what is drawn, or the epoch that is under way."""
    if search.epochs:
        return min(search.steps_told + 1, search.epochs)
    return max(Child.objects.filter(search=search, off_policy=False).count(), 1)


def next_step(search: Search, config: AnySearchConfig) -> int:
    """The first step that can be drawn, or epoch that is begun, under a change that is made now."""
    if search.steps_told < 0:
        return 0  # Nothing is drawn yet, however far ahead.
    ahead = config.strategy.lookahead if isinstance(config, SearchConfig) else 0
    return search.steps_told + 1 + ahead


def _can_change_total(search: Search) -> bool:
    return search.steps_told < search.epochs if search.epochs else search.finals == ""


def _checked_total(search: Search, name: str, wanted: int) -> int:
    """The least that it can be."""
    if not _can_change_total(search):
        begun = "the candidates are being chosen" if search.epochs else "the final round has begun"
        raise ConfigError(name, f"cannot change any more: {begun}.")
    least = least_total(search)
    if wanted < least:
        why = f"epoch {least} is under way" if search.epochs else f"{least} are drawn already"
        raise ConfigError(name, f"is {wanted}; {why}, so it must be at least {least}.")
    return least


def take_updates_back(search: Search) -> None:
    """What draws next is due again, and will know of the change; late writes are refused. A phase keeps its checkpoint.

    Most of a phase would be the same, but whether it draws a round behind its last one is not.
    """
    drawing = Job.objects.filter(
        stream_id=search.pk, kind__in=(Job.Kind.LEARN, Job.Kind.TEACH), state=Job.State.LEASED
    )  # fmt: skip
    for job in drawing:
        leases.put_back(job)


def _write(
    search: Search, limits: Wanted, *, from_step: int | None = None, by: Literal["person", "time"] = "person",
    left_out: int = 0,
) -> LimitsChanged:  # fmt: skip
    fields = {"children": "total", "epochs": "epochs", "workers": "max_workers", "hours": "max_hours"}
    for name, value in limits.items():
        setattr(search, fields[name], value)
    written = {fields[name]: value for name, value in limits.items()}
    of_stream = {name: written.pop(name) for name in ("max_workers", "max_hours") if name in written}
    if of_stream:
        Stream.objects.filter(pk=search.pk).update(**of_stream)
    if written:
        Search.objects.filter(pk=search.pk).update(changes=search.changes, **written)
    transaction.on_commit(planner.call_workers)
    told = {"limits": dict(limits), "from_step": from_step, "by": by, "proposals_left_out": left_out or None}
    return LimitsChanged.model_validate(told)
