"""The page that lays searches and trainings over each other, and what stands there while there is nothing to lay."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from search_engine.config.searches import search_model
from search_engine.config.trainings import read_training_config
from webapp.searches.groups import STRATEGY_TITLES, strategies_for
from webapp.searches.many_compared import MOST_STREAMS, Family, Line, chosen_streams, families_of
from webapp.searches.models import Group, Search, Stream
from webapp.searches.pages.listing import entries_of
from webapp.searches.pages.settings_shown import started_with

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class SettingsRow:
    """One setting of all lines. cells: (value, differs from the first line)."""

    heading: str
    title: str
    cells: tuple[tuple[str, bool], ...]

    @property
    def differs(self) -> bool:
        return any(differs for _, differs in self.cells)


@dataclass(frozen=True, slots=True)
class SettingsTable:
    """The settings of all lines of one kind of stream, those that differ apart from those that do not."""

    title: str
    lines: tuple[Line, ...]
    differing: tuple[SettingsRow, ...]
    equal: tuple[SettingsRow, ...]


@require_GET
def compare_page(request: HttpRequest) -> HttpResponse:
    """streams: ids of searches, trainings and groups, each with a name of its own or with commas between them."""
    ids = _ids(request.GET.getlist("streams"))
    streams = chosen_streams(request.user, ids)
    groups = _groups(request)
    whole = frozenset(ids) & {group.pk for group, _ in groups}
    families = families_of(streams, whole)
    lines = [line for family in families for line in family.lines]
    chosen = {str(key) for key in ids}
    return render(request, "compare.html", {
        "entries": entries_of(request.user),
        "groups": groups,
        "chosen": chosen,
        "most": MOST_STREAMS,
        "streams": ",".join(str(key) for key in ids),
        "count": len(lines),
        "says": _says(ids, streams, families),
        "tables": _tables(lines),
        "searches": [run.stream for line in lines for run in line.runs if run.strategy],
    })  # fmt: skip


def again_shown(search: Search) -> dict[str, Any]:
    """What the panel that starts a group beside this search must know."""
    seed = search.config["reproducibility"]["seed"]
    titles = [(kind, STRATEGY_TITLES[kind]) for kind in strategies_for(search)]
    return {"first_seed": seed, "strategies": titles, "group": search.group_id}


def _ids(texts: Sequence[str]) -> list[uuid.UUID]:
    """What is no id is left out: it names nothing of this user."""
    found = []
    for text in ",".join(texts).split(","):
        try:
            found.append(uuid.UUID(text.strip()))
        except ValueError:
            continue
    return list(dict.fromkeys(found))[:MOST_STREAMS]


def _groups(request: HttpRequest) -> list[tuple[Group, int]]:
    """The groups of this user with two searches or more, newest first, and how many they hold."""
    counts: dict[uuid.UUID, int] = {}
    open_or_ended = Stream.objects.visible_to(request.user).filter(group__owner_id=request.user.pk, kind="search")
    for key in open_or_ended.order_by("-created").values_list("group_id", flat=True):
        counts[key] = counts.get(key, 0) + 1
    rows = {group.pk: group for group in Group.objects.visible_to(request.user).filter(pk__in=counts)}
    return [(rows[key], count) for key, count in counts.items() if count > 1 and key in rows]


def _says(ids: Sequence[uuid.UUID], streams: Sequence[Stream], families: Sequence[Family]) -> str:
    """What stands in the way of a comparison, and what helps; "" where nothing does."""
    if not streams:
        if ids:
            return "What was to be compared is not there any more, or is not yours. Tick others below."
        return "Tick two or more of your searches and trainings below, then press Compare."
    lines = [line for family in families for line in family.lines]
    if len(lines) == 1 and len(lines[0].runs) == 1:
        return "This is one alone. Tick what it shall be compared with below, then press Compare."
    if len(families) > 1:
        alone = all(len(family.lines) == 1 for family in families)
        many = "no two of these mean the same" if alone else "not all of these mean the same"
        return f"Figures are laid over each other only where they mean the same, and {many}: see the headings."
    return ""


def _tables(lines: Sequence[Line]) -> list[SettingsTable]:
    """Searches and trainings have different settings, so each kind has a table of its own."""
    tables = []
    for kind, title in (("search", "Searches"), ("training", "Trainings")):
        alike = tuple(line for line in lines if line.runs[0].stream.kind == kind)
        if len(alike) > 1:
            rows = _settings(alike)
            differing = tuple(row for row in rows if row.differs)
            tables.append(SettingsTable(title, alike, differing, tuple(row for row in rows if not row.differs)))
    return tables


def _settings(lines: Sequence[Line]) -> list[SettingsRow]:
    columns = [_column(line) for line in lines]
    keys = dict.fromkeys(key for column in columns for key in column)
    rows = []
    for heading, title in keys:
        values = [column.get((heading, title), NOTHING) for column in columns]
        cells = tuple((value, value != values[0]) for value in values)
        rows.append(SettingsRow(heading, title, cells))
    return rows


def _column(line: Line) -> dict[tuple[str, str], str]:
    """The settings of a line; of several runs, every value that one of them has."""
    found: dict[tuple[str, str], list[str]] = {}
    for run in line.runs:
        config: dict[str, Any] = run.stream.config
        model = search_model(config) if run.strategy else type(read_training_config(config))
        for section in started_with(model, run.stream, config):
            for row in section["rows"]:
                found.setdefault((section["heading"], row["title"]), []).append(str(row["value"]))
    return {key: ", ".join(dict.fromkeys(values)) for key, values in found.items()}
