"""The first page: searches and trainings together, filtered and sorted as its address says, a page at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, QueryDict
from pydantic import ValidationError

from search_engine.config.reading import config_errors
from webapp.searches.entries import Entry, entries_for
from webapp.searches.models import Stream
from webapp.searches.offers import METHODS
from webapp.searches.stream_list import Wanted, listed, tags_in

SIZE = 50
LONGEST = 200
MOST_TAGS = 200  # Offered.

# What can be chosen, in the order of the page: the words of each value.
CHOICES: dict[str, dict[str, str]] = {
    "state": {
        "": "Any state", "running": "Running", "paused": "Paused", "finished": "Finished", "stopped": "Stopped",
        "failed": "Failed",
    },
    "kind": {"": "Any kind", "search": "Searches", "training": "Trainings"},
    "method": {"": "Any method", **{method.name: method.title for method in METHODS}},
    "whose": {"": "Anybody's", "mine": "Yours", "shared": "Shared with you"},
    "archived": {"no": "Not archived", "yes": "Archived", "all": "Archived or not"},
    "order": {"newest": "Newest first", "oldest": "Oldest first", "best": "Best first", "name": "By name"},
}  # fmt: skip
_TITLES = {"state": "State", "kind": "Kind", "method": "Method", "whose": "Whose", "archived": "Archive",
           "order": "Order"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Menu:
    """A choice of the filter. options: (value, words, is chosen)."""

    name: str
    title: str
    options: tuple[tuple[str, str, bool], ...]
    is_set: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """One that is in force. words: what it says; without: the address of the list without it."""

    words: str
    without: str


def entries_of(user: Any) -> list[Entry]:
    """The newest ones that are not archived, for whoever chooses among them."""
    return entries_for(user, list(listed(user, Wanted())[:LONGEST]))


def list_shown(request: HttpRequest) -> dict[str, Any]:
    """The context of the page."""
    wanted, wrong = _wanted(request.GET)
    streams = listed(request.user, wanted)
    page = Paginator(streams, SIZE).get_page(request.GET.get("page"))
    everything = Stream.objects.visible_to(request.user)
    tags = tags_in(request.user)[:MOST_TAGS]
    has_shared = everything.exclude(owner=request.user.pk).exists()
    return {
        "entries": entries_for(request.user, list(page.object_list)),
        "nothing_yet": not page.paginator.count and not wanted.narrows and not everything.exists(),
        "wanted": wanted,
        "wrong": wrong,
        "total": page.paginator.count,
        "page": page,
        "menus": _menus(wanted, tags, has_shared),
        "filters": _filters(request.GET, wanted),
        "earlier": _address(request.GET, page=page.number - 1) if page.has_previous() else "",
        "later": _address(request.GET, page=page.number + 1) if page.has_next() else "",
    }


def _wanted(query: QueryDict) -> tuple[Wanted, list[str]]:
    """What the address asks for, and a sentence on each part of it that cannot be."""
    asked = {name: query[name] for name in Wanted.model_fields if name != "ids" and query.get(name)}
    try:
        return Wanted.model_validate(asked), []
    except ValidationError as error:
        wrong = {each.field: f"In the address, {each.field} {each.message}" for each in config_errors(error)}
    return Wanted.model_validate({name: asked[name] for name in asked.keys() - wrong.keys()}), list(wrong.values())


def _menus(wanted: Wanted, tags: list[tuple[str, int]], has_shared: bool) -> list[Menu]:
    """Tags and other people's are offered where there are any."""
    menus = {name: _menu(name, _TITLES[name], choices, wanted) for name, choices in CHOICES.items()}
    if not has_shared and not wanted.whose:
        del menus["whose"]
    if tags or wanted.tag:
        counted = {tag: f"{tag} ({count})" for tag, count in tags}
        asked = {wanted.tag: wanted.tag} if wanted.tag else {}
        menus["tag"] = _menu("tag", "Tag", {"": "Any tag"} | asked | counted, wanted)
    return [menus[name] for name in ("state", "kind", "method", "tag", "whose", "archived", "order") if name in menus]


def _menu(name: str, title: str, choices: Mapping[str, str], wanted: Wanted) -> Menu:
    value, usual = getattr(wanted, name), Wanted.model_fields[name].default
    return Menu(name, title, tuple((each, words, each == value) for each, words in choices.items()), value != usual)


def _filters(query: QueryDict, wanted: Wanted) -> list[Filter]:
    found = []
    for name in ("text", "tag", *CHOICES):
        value = getattr(wanted, name)
        if name != "order" and value != Wanted.model_fields[name].default:
            words = {"text": f"“{value}”", "tag": f"tag {value}"}.get(name) or CHOICES[name].get(value, value)
            found.append(Filter(words, _address(query, **{name: ""})))
    return found


def _address(query: QueryDict, **changes: Any) -> str:
    """This list with other values; "" and page 1 are left out."""
    kept = query.copy()
    kept.pop("page", None)
    for name, value in changes.items():
        kept[name] = str(value)
    for name in [name for name, value in kept.items() if not value or (name, value) == ("page", "1")]:
        del kept[name]
    return f"/?{kept.urlencode()}" if kept else "/"
