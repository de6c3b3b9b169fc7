"""Every number that anybody can send has a smallest and a largest value, every text and list a length."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pydantic import BaseModel, TypeAdapter, ValidationError

from search_engine.catalogue.published import read_published
from search_engine.config.language import LanguageTrainingConfig
from search_engine.config.searches import AnySearchConfig
from search_engine.config.training import TrainingConfig
from search_engine.presets import DEMO
from search_engine.shared_presets import MACRO_DEMO, MICRO_DEMO, RECURRENT_DEMO
from search_engine.training_start import small_training
from webapp.searches.api.routes import api

# What the API takes as it comes, because it is checked when its kind is known: by the models of the second test, or
# by what the tests below send.
CHECKED_BEHIND = {
    "architecture", "config", "layout", "image_size", "image_channels", "classes", "hidden", "vocabulary", "of",
    "budget", "bans",
}  # fmt: skip
# A file (settings.MOST_BUNDLE_BYTES), a pasted text (dialects.LONGEST_TEXT), and names that must be in a list.
SIZED_ELSEWHERE = {"bundle", "text", "operations[]", "combinations[]", "activations[]"}
Schema = dict[str, Any]


def unbounded(schema: Schema, parts: Schema, where: str, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """The paths of all values in the schema that may be as large or as long as one likes."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        if name not in seen:
            yield from unbounded(parts[name], parts, where, seen | {name})
        return
    for way in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from unbounded(way, parts, where, seen)
    for name, inner in schema.get("properties", {}).items():
        yield from unbounded(inner, parts, f"{where}.{name}", seen)
    for inner in (schema.get("items"), *schema.get("prefixItems", ())):
        if inner:
            yield from unbounded(inner, parts, f"{where}[]", seen)
    if not _is_bounded(schema):
        yield where


def _is_bounded(schema: Schema) -> bool:
    if {"enum", "const", "anyOf", "oneOf", "allOf"} & set(schema) or schema.get("format") == "uuid":
        return True
    match schema.get("type"):
        case "integer" | "number":
            return bool({"minimum", "exclusiveMinimum"} & set(schema) and {"maximum", "exclusiveMaximum"} & set(schema))
        case "string":
            return "maxLength" in schema
        case "array":
            return "maxItems" in schema or "prefixItems" in schema
        case "object":
            return "properties" in schema and not schema.get("additionalProperties")
        case kind:
            return kind in ("boolean", "null")


def test_the_walk_finds_what_has_no_bound() -> None:
    class Inner(BaseModel):
        whole: int
        text: str | None = None

    class Outer(BaseModel):
        inner: list[Inner]
        anything: Any = None

    schema = Outer.model_json_schema()
    found = set(unbounded(schema, schema["$defs"], ""))
    assert found == {".inner", ".inner[].whole", ".inner[].text", ".anything"}


def test_everything_that_the_api_takes_is_bounded() -> None:
    schema = api.get_openapi_schema()
    parts = schema["components"]["schemas"]
    found, looked_at = set(), 0
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                looked_at += 1
                # A text in the path is as long as the server lets a line be.
                if parameter["in"] != "path" or parameter["schema"].get("type") != "string":
                    found |= set(unbounded(parameter["schema"], parts, f"{method} {path}.{parameter['name']}"))
            for body in operation.get("requestBody", {}).get("content", {}).values():
                looked_at += 1
                if "schema" in body:  # Else plain bytes, of which one request may bring uploads.PIECE_BYTES.
                    found |= set(unbounded(body["schema"], parts, f"{method} {path}"))
    assert looked_at > 150
    assert {each for each in found if each.rsplit(".", 1)[-1] not in CHECKED_BEHIND | SIZED_ELSEWHERE} == set()


@pytest.mark.parametrize("model", [AnySearchConfig, TrainingConfig, LanguageTrainingConfig])
def test_everything_in_a_configuration_is_bounded(model: Any) -> None:
    schema = TypeAdapter(model).json_schema()
    found = set(unbounded(schema, schema.get("$defs", {}), ""))
    assert {each for each in found if each.rsplit(".", 1)[-1] not in {"architecture"} | SIZED_ELSEWHERE} == set()


ABSURD = [
    10**9, -1, 0, 2**31, 2**63, 2**64, 10**400, 1e308, -1e308, 1.5, True, None, "", "x", "x" * 100_000, "\0", "\ud800",
    "=1+1", [], [[]] * 1000, {}, {"kind": "no such"}, {"a": {"b": {"c": []}}}, json.loads("[" * 200 + "]" * 200),
    float("inf"), float("-inf"), float("nan"),
]  # fmt: skip


WHOLE: list[BaseModel] = [
    DEMO.config,
    *(preset.config for preset in (MICRO_DEMO, MACRO_DEMO, RECURRENT_DEMO)),
    small_training(read_published("nasnet-a").architecture, ""),
    small_training(read_published("enas-recurrent-paper").architecture, ""),
]


def positions(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The places of all values inside a JSON value that are no objects or lists themselves."""
    pairs: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not isinstance(value, dict | list):
        yield path
    for key, inner in pairs:
        yield from positions(inner, (*path, key))


def replaced(value: Any, path: tuple[str | int, ...], by: Any) -> Any:
    if not path:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], by)
    return copy


@pytest.mark.parametrize("whole", WHOLE, ids=lambda config: type(config).__name__)
def test_an_absurd_value_at_any_place_is_refused_or_harmless(whole: BaseModel) -> None:
    """What is taken all the same is within the bounds of its field, and so can be written as JSON again."""
    value = whole.model_dump(mode="json")
    places = [place for place in positions(value) if "architecture" not in place]
    assert len(places) > 20
    for place in places:
        for absurd in ABSURD:
            try:
                taken = type(whole).model_validate(replaced(value, place, absurd))
            except ValidationError:
                continue
            assert len(json.dumps(taken.model_dump(mode="json"), allow_nan=False)) < 20_000, (place, absurd)


COUNTED = {"image_size": 32, "image_channels": 3, "classes": 10, "layout": {"normal_cells": 2, "filters": 16},
           "hidden": 850, "vocabulary": 10_000, "budget": 1_000_000, "of": "parameters"}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["nasnet-a", "enas-recurrent-paper"])
def test_an_absurd_network_to_count_is_an_answer(signed_in: Client, name: str) -> None:
    for address, fields in (("describe", COUNTED), ("fit", {"of": "parameters", "budget": 1})):
        for place in positions(fields):
            for absurd in (10**9, -1, 2**64, 10**400, 1.5, True, "x" * 10_000, "\0", [], {}, {"kind": "no such"}):
                body = {"name": name, str(place[0]): replaced(fields, place, absurd)[str(place[0])]}
                answer = signed_in.post(f"/api/architectures/{address}", body, content_type="application/json")
                assert answer.status_code in (200, 422), (address, place, absurd)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e400", "1" * 5000, "[" * 100_000, '"\\ud800"'])
@pytest.mark.parametrize("address", ["/api/searches", "/api/trainings", "/api/searches/estimate", "/api/groups"])
def test_what_json_cannot_mean_is_refused(signed_in: Client, address: str, text: str) -> None:
    for body in (text, f'{{"config": {text}}}', f'{{"config": {{"budget": {{"children": {text}}}}}}}'):
        answer = signed_in.post(address, body, content_type="application/json")
        assert answer.status_code in (400, 422) or answer.json().get("errors"), (address, text[:20], answer.content)
