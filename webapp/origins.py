"""From whose pages a live socket may be opened: from this site's own, and no other's.

A browser sends its cookies along with a socket that any page opens, and tells which page that is. A page of another
port of the same machine is another's too.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host

SCHEMES = ("http", "https")
Application = Callable[[Any, Any, Any], Awaitable[Any]]


class OwnPagesOnly:
    """Stands before everything else that looks at a socket. Without an origin nobody gets in."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        if is_of_ours(scope["headers"]):
            return await self._application(scope, receive, send)
        return await WebsocketDenier()(scope, receive, send)


def is_of_ours(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether the one Origin is that of the one Host, which is a name of this site; or one that the settings name."""
    origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
    hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
    if (
        len(origins) != 1
        or len(hosts) != 1
        or not validate_host(split_domain_port(hosts[0])[0], settings.ALLOWED_HOSTS)
    ):
        return False
    if origins[0] in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        parts = urlsplit(origins[0])
    except ValueError:
        return False
    # Compared as it was sent, so that nothing stands in it but a scheme and a place.
    return parts.scheme in SCHEMES and origins[0].lower() == f"{parts.scheme}://{hosts[0].lower()}"
