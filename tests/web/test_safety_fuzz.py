"""Requests that the API's own description allows, and others that it does not: never an error of the server.

Every answer has a status that the description names, and a body of the form that it promises. What a request changes
is taken back behind it, so that each meets the same rows; what is tried is the same in every run.
"""

import collections
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.core.failures import FailureGroup

from tests.web.example_search import a_search, a_training, a_worker
from tests.web.slow_sizes import size
from tests.web.test_routes_deny_by_default import example, routes
from webapp.accounts.tokens import make_token
from webapp.searches.api.routes import api

checks.load_all_checks()
NAMES = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
WANTED = [checks.CHECKS.get_one(name) for name in NAMES]
REQUESTS = size(1000, 20_000)
# Of every operation: what fits, about rows that are there; what does not fit; what fits, about rows that are nowhere.
PER_OPERATION = (
    (GenerationMode.POSITIVE, True, size(4, 85)),
    (GenerationMode.NEGATIVE, True, size(3, 65)),
    (GenerationMode.POSITIVE, False, size(2, 30)),
)


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """Behind a request the handler would close the connection that holds the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def world(owner: Any, store: Any) -> dict[str, Any]:
    """One row of each kind, by the names that addresses have for them."""
    search = a_search(owner, children=3)
    training = a_training(owner, search)
    a_worker()
    return {"search_id": str(search.pk), "training_id": str(training.pk), "step": 0, "slot": 0, "key": "nasnet-a",
            "filename": "architecture.json", "name": "core-0"}  # fmt: skip


class Fuzzed:
    """What was sent, by the status of the answer, and what was wrong with answers."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.sent: collections.Counter[int] = collections.Counter()
        self.wrong: dict[str, str] = {}  # The first of each sort, by operation and sort.
        self._headers = headers

    def send(self, case: schemathesis.Case) -> None:
        with transaction.atomic():
            answer = case.call(headers=self._headers)
            transaction.set_rollback(True)
        self.sent[answer.status_code] += 1
        try:
            case.validate_response(answer, checks=WANTED)
        except FailureGroup as failures:
            for each in failures.exceptions:
                self.wrong.setdefault(f"{case.operation.label}: {answer.status_code}, {type(each).__name__}", str(each))


@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous")
def test_no_request_to_the_api_is_an_error_of_the_server(
    owner: Any, world: dict[str, Any], kept_connection: None
) -> None:
    headers = {"Authorization": f"Bearer {make_token(owner, 'fuzz')}", "Host": "localhost",
               "Accept-Encoding": "identity"}  # fmt: skip
    described = schemathesis.openapi.from_wsgi("/api/openapi.json", get_wsgi_application(), headers=headers)
    fuzzed = Fuzzed(headers)
    for number, found in enumerate(described.get_all_operations()):
        for mode, is_known, count in PER_OPERATION:
            try_operation(found.ok(), mode, world if is_known else {}, count, number, fuzzed)
    assert fuzzed.wrong == {}
    assert sum(fuzzed.sent.values()) >= REQUESTS, fuzzed.sent
    assert min(fuzzed.sent[status] for status in (200, 201, 404, 422)) > 0, fuzzed.sent


def try_operation(
    operation: Any, mode: GenerationMode, world: dict[str, Any], count: int, number: int, fuzzed: Fuzzed
) -> None:
    """number: from which all that is random follows."""
    known = {parameter.name for parameter in operation.path_parameters} & set(world)
    cases = operation.as_strategy(generation_mode=mode, path_parameters={name: world[name] for name in known} or None)

    @seed(number)
    @settings(max_examples=count, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=cases)
    def send(case: schemathesis.Case) -> None:
        fuzzed.send(case)

    send()


def test_no_two_models_of_the_api_have_one_name() -> None:
    """In the description the one would stand for the other."""
    models: dict[str, set[type]] = collections.defaultdict(set)
    for _, router in api._routers:
        for view in router.path_operations.values():
            for operation in view.operations:
                for model in models_of(operation):
                    models[model.__name__].add(model)
    assert len(models) > 80
    assert {name: found for name, found in models.items() if len(found) > 1} == {}


ASKED = re.compile(r'GET(?:\.get|\.getlist)?[(\[]"(\w+)"')
ODD = [
    "", "x", "-1", "9" * 40, "\0", "\ud800".encode("utf-8", "surrogatepass"), "00000000-0000-0000-0000-000000000000",
    "[1,2]", '{"a": 1}', "../../etc/passwd", "<script>alert(1)</script>", "%00", "a" * 5000, "nasnet-a", "demo",
]  # fmt: skip


@pytest.mark.django_db
def test_no_request_for_a_page_is_an_error_of_the_server(owner: Any, world: dict[str, Any], signed_in: Client) -> None:
    folder = Path(__file__).resolve().parents[2] / "webapp"
    names = sorted({name for path in folder.rglob("*.py") for name in ASKED.findall(path.read_text())})
    assert len(names) > 5
    pages = [route for route, _ in routes() if not route.startswith(("api/", "sign-out"))]
    values = [*ODD, world["search_id"], world["training_id"]]

    @seed(1)
    @settings(max_examples=size(3, 100), deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(query=st.dictionaries(st.sampled_from(names), st.sampled_from(values) | st.text(max_size=20), max_size=3))
    def look(query: dict[str, Any]) -> None:
        for route in pages:
            for address in {example(route), at(route, world)}:
                assert signed_in.get(address, query).status_code < 500, (address, query)

    look()


def at(route: str, world: dict[str, Any]) -> str:
    """The address of a row that is there."""
    whole = re.sub(r"<\w+:(\w+)>", lambda found: str(world.get(found[1], found[0])), route)
    return example(whole)


def models_of(operation: Any) -> Iterator[type]:
    """What the operation takes and answers, with all that stands inside."""
    from pydantic import BaseModel

    waiting: list[Any] = [*operation.models, *(model for model in operation.response_models.values() if model)]
    seen: set[Any] = set()
    while waiting:
        found = waiting.pop()
        if found in seen:
            continue
        seen.add(found)
        waiting += getattr(found, "__args__", ())
        if isinstance(found, type) and issubclass(found, BaseModel):
            waiting += [field.annotation for field in found.model_fields.values()]
            if found.__module__.startswith(("webapp", "search_engine")):
                yield found
