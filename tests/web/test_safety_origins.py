"""A live socket is opened from this site's own pages alone: 200 hostile origins, and what a proxy may change."""

from typing import Any

import pytest
from django.test import Client

from tests.web.test_routes_deny_by_default import example, routes
from tests.web.test_sockets import Page
from webapp.origins import is_of_ours

NAMES = ("localhost", "127.0.0.1", "cells.example")


def hostile(site: str, port: str) -> list[str]:
    """Origins that are not this site's, most of them nearly."""
    place = f"{site}{port}"
    return [
        "", "null", "*", place, f"//{place}", f"ftp://{place}", f"file://{place}", f"ws://{place}", f"wss://{place}",
        f"javascript://{place}", f"data://{place}", f"http:/{place}", f"http:{place}", f"http:///{place}", "http://",
        "https://", "http:", f"http://{place}.evil.example", f"http://evil.example/{place}", f"http://{place}@evil.example",
        f"http://evil.example@{place}", f"http://user:{place}@evil.example", f"http://{place}:@evil.example",
        f"http://evil.example#{place}", f"http://evil.example?{place}", f"http://evil.example\\{place}",
        f"http://{place}/", f"http://{place}/page", f"http://{place}?x", f"http://{place}#x", f"http://{place} ",
        f" http://{place}", f"http://{place}\t", f"http://{place}\0", f"http://{place}, http://evil.example",
        f"http://{place} http://evil.example", f"http://{site}:1", f"http://{site}:65536", f"http://{site}:99999",
        f"http://{site}:0", f"http://{site}:x", f"http://{site}:-1", f"http://{site}.{port}", f"http://.{place}",
        f"http://{site}.:8000", f"http://x{place}", f"http://{site}x{port}", f"http://sub.{place}", f"http://{place[:-1]}",
        f"http://{place}{place}", f"http://%6c{place[1:]}", f"http://{place}%00", f"http://{place}%2eevil.example",
        f"http://{place}\u3002evil.example", "http://[::1", "http://[::1]:8000", "http://]", "http://0x7f.1", "http://2130706433",
        "http://127.1", "http://0.0.0.0:8000", "http://evil.example", "https://evil.example:443", f"HTTP ://{place}",
        f"http\n://{place}", f"chrome-extension://{place}", f"about:{place}", "x" * 5000, f"http://{'a.' * 500}{place}",
    ]  # fmt: skip


def ways(settings: Any) -> list[tuple[str, str]]:
    """(host, origin) pairs, all hostile."""
    settings.ALLOWED_HOSTS = list(NAMES)
    found = [(f"{site}{port}", origin) for site in NAMES for port in (":8000", "") for origin in hostile(site, port)]
    return [
        (host, origin) for host, origin in dict.fromkeys(found) if origin not in (f"http://{host}", f"https://{host}")
    ]


def test_no_hostile_origin_is_ours(settings: Any) -> None:
    tried = ways(settings)
    assert len(tried) > 350
    for host, origin in tried:
        headers = [(b"host", host.encode()), (b"origin", origin.encode("utf-8"))]
        assert not is_of_ours(headers), (host, origin)


@pytest.mark.django_db(transaction=True)
async def test_two_hundred_hostile_origins_get_no_socket(settings: Any) -> None:
    tried = ways(settings)[:: len(ways(settings)) // 200][:200]
    assert len(tried) == 200
    for host, origin in tried:
        page = Page("/ws/streams/00000000-0000-0000-0000-000000000000", "after=0",
                    [(b"host", host.encode()), (b"origin", origin.encode("utf-8"))])  # fmt: skip
        assert not await page.connect(), (host, origin)


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "Cells.Example"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_our_own_pages_are_ours(settings: Any, host: str, scheme: str) -> None:
    settings.ALLOWED_HOSTS = [*NAMES, "[::1]"]
    origin = f"{scheme}://{host.lower()}"
    assert is_of_ours([(b"host", host.encode()), (b"origin", origin.encode())])


def test_none_two_and_foreign_hosts_are_refused(settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.CSRF_TRUSTED_ORIGINS = ["localhost"], []
    host, origin = (b"host", b"localhost"), (b"origin", b"http://localhost")
    assert is_of_ours([host, origin])
    for headers in ([host], [origin], [host, origin, origin], [host, host, origin], []):
        assert not is_of_ours(headers)
    # A name of somebody else's that leads to this machine (DNS rebinding).
    assert not is_of_ours([(b"host", b"evil.example"), (b"origin", b"http://evil.example")])


def test_a_proxy_that_changes_the_name_is_named_in_the_settings(settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.CSRF_TRUSTED_ORIGINS = ["inside"], ["https://cells.example"]
    assert is_of_ours([(b"host", b"inside"), (b"origin", b"https://cells.example")])
    assert not is_of_ours([(b"host", b"inside"), (b"origin", b"http://cells.example")])


@pytest.mark.django_db
@pytest.mark.parametrize("headers", [{}, {"X-CSRFToken": "x" * 64}, {"Origin": "https://evil.example"}])
def test_no_page_of_another_site_changes_anything(owner: Any, headers: dict[str, str]) -> None:
    """Every address and every unsafe method, with the cookies that a browser sends by itself (threat T8)."""
    client = Client(enforce_csrf_checks=True, headers=headers)
    client.force_login(owner)
    refused = 0
    for route, _ in routes():
        for method in ("post", "put", "patch", "delete"):
            status = getattr(client, method)(example(route)).status_code
            # 405 and 404: the address knows no such method, or there is nothing; either way nothing was changed.
            assert status in (403, 404, 405), (method, route, status)
            refused += status == 403
    assert refused > 60
    assert client.get("/account").status_code == 200  # Still signed in, and still there.
