"""Searches and trainings as lines of a list: how far they are, what came of them, whose they are, and what for."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from search_engine.config.trainings import reads_text
from webapp.searches import roles
from webapp.searches.companion import beside_in_words
from webapp.searches.meter_trainings import metered_in_words
from webapp.searches.models import Search, Share, Stream, Training
from webapp.searches.overview import searches_of, trainings_of
from webapp.searches.sparklines import Points, best_so_far, sparkline
from webapp.searches.stream_list import PLAIN_METHOD
from webapp.searches.templatetags.shares import percent, perplexity, reward_beside_accuracy
from webapp.searches.time_left import now as time_left


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line. done of total: children, finalists or epochs, named by `unit`; result: as people read it, of the
    figure in `result_title`; best: the same as a number, None before there is one.

    method: of a search. seconds_left: None where nobody can tell, or nothing runs. sparkline: of best_so_far, see
    sparklines. beside: what belongs together with it, in words; "" for what stands alone.
    owner: the name of the person; role: of the one who looks, as in roles. created, archived: None for never.
    """

    id: str
    kind: str
    method: str
    name: str
    title: str
    url: str
    state: str
    reason: str
    done: int
    total: int
    unit: str
    seconds_left: float | None
    result: str
    result_title: str
    best: float | None
    best_so_far: Points
    sparkline: str
    owner: str
    role: str
    tags: list[str]
    notes: str
    archived: float | None
    created: float
    ended: float | None
    beside: str = ""

    @property
    def begun(self) -> datetime:
        return datetime.fromtimestamp(self.created, UTC)

    @property
    def may_change(self) -> bool:
        return self.role in (roles.OWNER, Share.Role.CO_OWNER)

    @property
    def is_own(self) -> bool:
        return self.role == roles.OWNER


def entries_for(user: Any, streams: Sequence[Stream]) -> list[Entry]:
    """Of these, in their order, all of which this user may see. As many questions for one as for a hundred."""
    searches = {each.pk: each for each in _of_kind(searches_of(user), streams, Stream.Kind.SEARCH)}
    trainings = {each.pk: each for each in _of_kind(trainings_of(user), streams, Stream.Kind.TRAINING)}
    rows = searches | trainings
    present = [rows[stream.pk] for stream in streams if stream.pk in rows]  # One may be deleted in this moment.
    beside, metered = beside_in_words(list(searches.values())), metered_in_words(list(searches.values()))
    curves, who, left = best_so_far(present), _roles(user, present), _seconds_left(present)
    entries = []
    for row in present:
        words = ", ".join(word for word in (beside.get(row.pk, ""), metered.get(row.pk, "")) if word)
        figures = _search_figures(row) if isinstance(row, Search) else _training_figures(row)
        entries.append(
            _entry(row, figures, curves[row.pk], role=who[row.pk], seconds_left=left.get(row.pk), beside=words)
        )
    return entries


def _of_kind(rows: Any, streams: Sequence[Stream], kind: str) -> list[Any]:
    ids = [stream.pk for stream in streams if stream.kind == kind]
    return list(rows.filter(pk__in=ids).select_related("owner")) if ids else []


def _roles(user: Any, rows: Sequence[Search | Training]) -> dict[uuid.UUID, str]:
    """What this user may do with each, as roles.role_of says of one."""
    others = [row.pk for row in rows if row.owner_id != user.pk]
    shared: Mapping[uuid.UUID, str] = {}
    if others:
        shared = dict(Share.objects.filter(stream__in=others, user=user.pk).values_list("stream", "role"))
    return {row.pk: roles.OWNER if row.owner_id == user.pk else shared.get(row.pk, roles.GUEST) for row in rows}


def _search_figures(search: Any) -> dict[str, Any]:
    if search.epochs:
        is_text = search.best_perplexity is not None
        return {
            "done": search.steps_told, "total": search.epochs, "unit": "epochs",
            "best": search.best_perplexity if is_text else search.best_reward,
            "result": perplexity(search.best_perplexity) if is_text else percent(search.best_reward),
            "result_title": "best score under shared weights" + (", lower is better" if is_text else ""),
        }  # fmt: skip
    is_final_round = search.finalists_done < search.finalists_chosen
    return {
        "done": search.finalists_done if is_final_round else search.done,
        "total": search.finalists_chosen if is_final_round else search.total,
        "unit": "finalists" if is_final_round else "children",
        "best": search.best_reward,
        "result": reward_beside_accuracy(search.best_reward, search.best_accuracy),
        "result_title": "best reward",
    }


def _training_figures(training: Any) -> dict[str, Any]:
    is_text = reads_text(training.config)
    best = training.test_perplexity if is_text else training.test_accuracy
    return {
        "done": training.epochs_done, "total": training.config["recipe"]["epochs"], "unit": "epochs", "best": best,
        "result": perplexity(best) if is_text else percent(best),
        "result_title": "test perplexity, lower is better" if is_text else "test accuracy",
    }  # fmt: skip


def _seconds_left(rows: Sequence[Stream]) -> Mapping[uuid.UUID, float | None]:
    """Of what runs, as far as that is known; nobody is asked where nothing does."""
    return time_left.recent().left if any(row.state == Stream.State.RUNNING for row in rows) else {}


def _entry(row: Any, figures: dict[str, Any], points: Points, **others: Any) -> Entry:
    is_search = row.kind == Stream.Kind.SEARCH
    return Entry(
        id=str(row.pk),
        kind=row.kind,
        method=row.config.get("method", PLAIN_METHOD) if is_search else "",
        name=row.name,
        title=row.name or f"{row.kind.capitalize()} without a name",
        url=f"/searches/{row.pk}" if is_search else f"/trainings/{row.pk}",
        state=row.state,
        reason=row.reason,
        best_so_far=points,
        sparkline=sparkline(points, figures["done"]),
        owner=row.owner.name,
        tags=row.tags,
        notes=row.notes,
        archived=row.archived,
        created=row.created,
        ended=row.ended,
        **figures,
        **others,
    )
