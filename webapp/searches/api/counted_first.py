"""A route that starts something on a text of one's own has read the text before any lock is taken.

An answer to an Idempotency-Key is committed together with what it did, so everything inside `once` holds the database's
write lock, and reading fifty megabytes takes seconds.
"""

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from webapp.searches.models import Search
from webapp.searches.start import count_text


def text_counted_first(route: Callable[..., Any]) -> Callable[..., Any]:
    """For outside of `once`. The route names a configuration or a search in its body, or a search in its path."""

    @functools.wraps(route)
    def count_and_act(request: HttpRequest, *args: Any, **arguments: Any) -> Any:
        count_text(request.user, _data(request, arguments))
        return route(request, *args, **arguments)

    return count_and_act


def _data(request: HttpRequest, arguments: dict[str, Any]) -> Any:
    """The part of the configuration that names the data, as JSON; None where there is none."""
    body = arguments.get("body")
    config = getattr(body, "config", None)
    named = arguments.get("search_id") or (getattr(body, "search", None) if config is None else None)
    if named is not None:
        search = Search.objects.visible_to(request.user).filter(pk=named).first()
        return search and search.config["data"]
    return config.get("data") if isinstance(config, dict) else None
