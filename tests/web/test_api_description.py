"""The API's description: valid, complete, and its names do not change under those who generate code from it."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.web.example_search import a_search
from webapp.accounts.models import User
from webapp.searches.api.description import FILES, PARAMETERS
from webapp.searches.api.routes import api

NAMES = Path(__file__).parents[1] / "golden" / "api_operations.txt"
METHODS_WITHOUT_BODY = ("get", "delete")


@pytest.fixture(scope="module")
def described() -> Any:
    return api.get_openapi_schema()


@pytest.fixture(scope="module")
def operations(described: Any) -> dict[str, tuple[str, str, Any]]:
    """By name: method, path and what is told of it."""
    found = [(told["operationId"], method, path, told) for path, methods in described["paths"].items()
             for method, told in methods.items()]  # fmt: skip
    by_name = {name: (method, path, told) for name, method, path, told in found}
    assert len(by_name) == len(found), "two operations have one name"
    return by_name


@pytest.mark.django_db
def test_the_description_is_valid_openapi_3_1(signed_in: Client) -> None:
    told = signed_in.get("/api/openapi.json").json()
    assert told["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(told).iter_errors()] == []


def test_every_operation_has_a_name_that_addresses_have_a_summary_and_described_parameters(operations: Any) -> None:
    for name, (_, path, told) in operations.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name) and told["summary"] and told["tags"], (name, path)
        for parameter in told["parameters"]:
            assert parameter.get("description"), f"{name}: say in description.py what {parameter['name']} is"
        in_path = {parameter["name"] for parameter in told["parameters"] if parameter["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path)), name


def test_names_that_were_published_stay_with_their_method_and_path(operations: Any) -> None:
    now = {f"{name} {method.upper()} {path}" for name, (method, path, _) in operations.items()}
    assert set(NAMES.read_text().splitlines()) <= now, "an operation was renamed or moved"


def test_every_operation_tells_its_refusals_in_the_one_form(operations: Any) -> None:
    for name, (method, _, told) in operations.items():
        refusals = {int(status): reply for status, reply in told["responses"].items() if int(status) >= 400}
        assert {401} | ({403} if method != "get" else set()) <= set(refusals), name
        assert not told.get("requestBody") or {400, 413, 422} <= set(refusals), name
        for status, reply in refusals.items():
            schema = reply["content"]["application/json"]["schema"]
            assert status == 401 or schema == {"$ref": "#/components/schemas/Refusal"}, (name, status)


def test_what_answers_with_a_file_says_of_which_kind(operations: Any) -> None:
    for name, (_, _, told) in operations.items():
        success = next(reply for status, reply in told["responses"].items() if int(status) < 300)
        assert success.get("content"), f"{name}: say in description.py of which kind the file is"
    assert set(FILES) <= set(operations)


def test_no_words_are_kept_for_what_is_gone(operations: Any) -> None:
    used = {parameter["name"] for _, _, told in operations.values() for parameter in told["parameters"]}
    used |= {f"{name}.{parameter['name']}" for name, (_, _, told) in operations.items()
             for parameter in told["parameters"]}  # fmt: skip
    assert set(PARAMETERS) <= used


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("children-csv", {}), ("rewards-page", {}), ("rewards-figure", {}), ("search-changes", {}),
        ("child-file", {"step": 0, "slot": 0, "filename": "picture.svg"}),
        ("child-file", {"step": 0, "slot": 0, "filename": "architecture.json"}),
    ],
)  # fmt: skip
def test_a_file_is_of_the_kind_that_is_told(
    signed_in: Client, owner: User, operations: Any, name: str, more: dict[str, Any]
) -> None:
    search = a_search(owner, children=1)
    answer = signed_in.get(reverse(f"api:{name}", kwargs={"search_id": search.pk} | more))
    assert answer.status_code == 200
    _, _, told = operations[name.replace("-", "_")]
    assert answer.headers["Content-Type"].partition(";")[0] in told["responses"][200]["content"]


@pytest.mark.django_db
def test_a_stranger_is_answered_in_the_form_that_is_told(client: Client, described: Any) -> None:
    answer = client.get("/api/searches")
    told = described["paths"]["/api/searches"]["get"]["responses"][401]["content"]["application/json"]["schema"]
    assert answer.status_code == 401 and list(answer.json()) == told["required"]


@pytest.mark.django_db
def test_the_page_of_the_api_links_to_schemas_that_stand_on_it(signed_in: Client) -> None:
    html = signed_in.get("/api/docs").content.decode()
    links = set(re.findall(r'href="#(schema-[^"]+)"', html))
    assert len(links) > 50 and links <= set(re.findall(r'id="(schema-[^"]+)"', html))
    assert "<span>200 text/csv</span>" in html and "<span>401 application/json: detail</span>" in html
    assert (
        "<span>Send application/octet-stream</span>" in html
        and "<span>Send multipart/form-data: bundle, name</span>" in html
    )
