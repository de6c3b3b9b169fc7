"""Every address over HTTP and every live socket asks who is there, except for the few that are listed here."""

import re
from collections.abc import Iterator

import pytest
from channels.generic.websocket import AsyncWebsocketConsumer
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import get_converters

from webapp.accounts.access import DeniedByDefault
from webapp.asgi import application
from webapp.origins import OwnPagesOnly
from webapp.searches.live.consumers import StreamConsumer
from webapp.searches.live.routing import websocket_urlpatterns

PUBLIC = {
    "health",
    "ready",
    "metrics",
    "sign-in",
    "sign-in/<path:token>",
    "sign-in/once",
    "sign-in/once/open",
    "invited",
    "invited/look",
    "invited/accept",
    "shared",
    "shared/open",
}  # Everybody may see these, and nothing else.
VALUES = ("00000000-0000-0000-0000-000000000000", "0", "x", "architecture.json")  # One of them fits any converter.


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, prefix + str(pattern.pattern))
        else:
            yield prefix + str(pattern.pattern), pattern


def example(route: str) -> str:
    """An address that the route matches."""
    address = ""
    while "<" in route:
        before, _, rest = route.partition("<")
        name, _, route = rest.partition(">")
        converter = get_converters()[name.split(":")[0] if ":" in name else "str"]
        address += before + next(value for value in VALUES if re.fullmatch(converter.regex, value))
    return "/" + address + route


def test_what_is_public_is_listed_and_what_is_listed_is_there() -> None:
    found = {route for route, pattern in routes() if not getattr(pattern.callback, "login_required", True)}
    assert found == PUBLIC


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
def test_a_stranger_is_sent_away_from_every_other_address(client: Client, method: str) -> None:
    private = [route for route, _ in routes() if route not in PUBLIC]
    assert len(private) > 10
    for route in private:
        answer = getattr(client, method)(example(route))
        is_api = route.startswith("api/")
        assert answer.status_code == (401 if is_api else 302), (method, route, answer.status_code)
        if not is_api:
            assert answer.headers["Location"].startswith("/sign-in")


def test_every_socket_has_a_policy_and_the_origin_is_asked_first() -> None:
    outermost = application.application_mapping["websocket"]
    assert isinstance(outermost, OwnPagesOnly)
    consumers = [pattern.callback.consumer_class for pattern in websocket_urlpatterns]
    assert consumers == [StreamConsumer]  # A new one must be added here, and to test_sockets.
    assert all(issubclass(consumer, AsyncWebsocketConsumer) for consumer in consumers)


def test_the_gate_stands_before_every_view(settings: object) -> None:
    gate = f"{DeniedByDefault.__module__}.{DeniedByDefault.__name__}"
    middleware = list(settings.MIDDLEWARE)  # type: ignore[attr-defined]
    assert middleware.index("django.contrib.auth.middleware.AuthenticationMiddleware") < middleware.index(gate)
