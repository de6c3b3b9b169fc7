"""What a page shows or does, a program can have or do: every page and every request of a script is held to it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from tests.web.test_routes_deny_by_default import example, routes
from webapp.searches.api.routes import api
from webapp.settings import HOME

FRONTEND = HOME / "frontend"
SCRIPTS = [path for path in (FRONTEND / "static" / "js").rglob("*.js") if "vendor" not in path.parts]
TEMPLATES = list((FRONTEND / "templates").rglob("*.html"))
ID = "00000000-0000-0000-0000-000000000000"

# Operations that give a program what a page shows, by the name of the page's address.
PAGES = {
    "home": "streams tags searches trainings workers",
    "compare-page": "compare start-group estimate-group",
    "new-search": "presets data search estimate-search start-search",
    "search-page": "search search-events search-states children search-artifacts search-comparison honesty-meter",
    "search-replay": "search-states search-timeline search-events replayed-children",
    "child-page": "child trainings",
    "picture": "child-file",
    "example-picture": "search",  # One architecture of its space, drawn anew; nothing of the search.
    "epoch-picture": "search-events",
    "asked-picture": "asked-score",
    "gallery": "architectures",
    "import-architecture": "read-architecture read-bundle keep-architecture keep-bundle",
    "edit-architecture": "edits edit-options edit-searches",
    "architecture-page": "architecture describe-architecture transfer-architecture fit-architecture",
    "architecture-picture": "architecture-file",
    "account-page": "account change-account change-password end-sessions tokens make-token revoke-token",
    "people-page": "people change-person make-way-back invitations invite revoke-invitation",
    "data-page": "data start-upload start-text upload-piece",
    "data-samples": "samples-of-data",
    "own-data-page": "own-data data-preview data-refused use-data",
    "machines-page": "workers drain-worker change-host search-time-left training-time-left",
    "notices-page": "notices add-notice-target change-notice-target remove-notice-target test-notice-target",
    "new-training": "training-defaults estimate-training start-training",
    "training-page": "training training-events training-states training-artifacts training-file",
    "training-replay": "training-states training-timeline training-events",
}
# What is about a browser, is words for people, or is asked by an operator's programs.
NOT_FOR_PROGRAMS = {
    "health", "ready", "metrics", "sign-in-page", "sign-in", "sign-out", "shared", "open-shared", "api-docs", "docs",
    "docs-page", "docs-image", "invited-page", "look-at-invitation", "accept-invitation", "way-back-page", "come-back",
}  # fmt: skip
# Take a POST from a browser, because they are about its session.
DOORS = {"sign-in-page", "sign-out", "open-shared", "look-at-invitation", "accept-invitation", "come-back"}
# Requests of scripts beside api.js: pictures, which a file of the API gives as well, and the form of another method.
FETCHES = {"api.js", "picture-download.js", "cell-picture.js", "method-choice.js"}
OPEN_SOCKETS = {"socket.js"}  # It sends the events that GET .../events gives.


def page_names() -> set[str]:
    return {pattern.name for route, pattern in routes() if not route.startswith("api/") or route == "api/docs"}


def test_every_page_is_held_to_the_api_or_is_for_people_alone() -> None:
    assert set(PAGES) | NOT_FOR_PROGRAMS >= page_names(), "say which operations give a program what the new page shows"
    known = {pattern.name for route, pattern in routes() if route.startswith("api/")}
    assert {name for names in PAGES.values() for name in names.split()} <= known


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_pages_show_and_only_the_api_acts(signed_in: Client, method: str) -> None:
    for route, pattern in routes():
        if route.startswith("api/") or pattern.name in DOORS | {"health", "ready", "metrics"}:
            continue
        assert getattr(signed_in, method)(example(route)).status_code == 405, route


def addresses(path: Path) -> Iterator[str]:
    """Addresses of the API in a file, as examples: what is filled in later stands as an id, or as a name of letters."""
    for quoted in re.findall(r"[\"'`](/api/[^\"'`\s]*)[\"'`]", path.read_text()):
        address = re.sub(r"\$\{[^}]*\}|\{\{[^}]*\}\}", ID, quoted).partition("?")[0]
        yield address.removesuffix("/")


def answers(address: str) -> bool:
    """Whether the address, or one that begins with it, belongs to an operation."""
    try:
        return resolve(address).namespace == "api" or resolve(address).url_name == "api-docs"
    except Resolver404:
        paths = api.get_openapi_schema()["paths"]
        return any(re.sub(r"{\w+}", ID, path).startswith(address) for path in paths)


@pytest.mark.parametrize("path", [*SCRIPTS, *TEMPLATES], ids=lambda path: path.name)
def test_every_request_of_a_page_goes_to_an_operation(path: Path) -> None:
    for address in addresses(path):
        assert address == "/api/openapi.json" or answers(address), f"{path.name}: {address}"


def test_scripts_ask_through_the_api_and_nowhere_else() -> None:
    texts = {path.name: path.read_text() for path in SCRIPTS}
    assert {name for name, text in texts.items() if re.search(r"\bfetch\(", text)} <= FETCHES
    assert {name for name, text in texts.items() if "new WebSocket(" in text} <= OPEN_SOCKETS
    assert not [name for name, text in texts.items() if "XMLHttpRequest" in text or "sendBeacon" in text]
    assert sum(len(list(addresses(path))) for path in SCRIPTS) > 20, "nothing is found where much should be"
