"""/api/docs: the API described on a page of our own, made from its OpenAPI schema, without a script."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.searches.api.routes import api

_LIMITS = {
    "minimum": "at least {}", "exclusiveMinimum": "above {}", "maximum": "at most {}", "exclusiveMaximum": "below {}",
    "multipleOf": "a multiple of {}", "minLength": "at least {} characters", "maxLength": "at most {} characters",
    "minItems": "at least {} entries",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A parameter, or a field of a schema. types: names, each with the schema it links to or ""."""

    name: str
    types: list[tuple[str, str]]
    is_required: bool
    text: str
    default: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path. body: what is sent, if anything; answers: by status. Both by name or kind, with the name
    of the schema to link to, or ""."""

    method: str
    path: str
    summary: str
    text: str
    parameters: list[Value]
    body: tuple[str, str] | None
    answers: list[tuple[str, tuple[str, str]]]


@require_GET
def docs(request: HttpRequest) -> HttpResponse:
    schema = api.get_openapi_schema()
    groups: dict[str, list[Operation]] = {}
    for path, methods in schema["paths"].items():
        for method, told in methods.items():
            groups.setdefault(told["tags"][0], []).append(_operation(method, path, told))
    schemas = [
        (name, told.get("description", ""), _fields(told)) for name, told in schema["components"]["schemas"].items()
    ]
    context = {"title": api.title, "version": api.version, "text": api.description}
    return render(request, "api_docs.html", context | {"groups": groups.items(), "schemas": schemas})


def _operation(method: str, path: str, told: dict[str, Any]) -> Operation:
    return Operation(
        method=method.upper(),
        path=path,
        summary=told.get("summary", ""),
        text=told.get("description", ""),
        parameters=[_parameter(each) for each in told.get("parameters", [])],
        body=_content(told["requestBody"]) if "requestBody" in told else None,
        answers=[(str(status), _content(answer)) for status, answer in told.get("responses", {}).items()],
    )


def _parameter(told: dict[str, Any]) -> Value:
    schema = told["schema"]
    return Value(
        name=told["name"],
        types=_types(schema),
        is_required=told.get("required", False),
        text=" ".join(filter(None, [told.get("description", ""), _limits(schema)])),
        default=_default(schema),
        place=told["in"],
    )


def _fields(told: dict[str, Any]) -> list[Value]:
    required = told.get("required", [])
    return [
        Value(
            name=name,
            types=_types(schema),
            is_required=name in required,
            text=" ".join(filter(None, [schema.get("description", ""), _limits(schema), _source(schema)])),
            default=_default(schema),
        )
        for name, schema in told.get("properties", {}).items()
    ]


def _types(schema: dict[str, Any]) -> list[tuple[str, str]]:
    """The kinds of value that the schema allows, for people."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return [(name, name)]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return [each for option in schema[several] for each in _types(option)]
    if "enum" in schema or "const" in schema:
        return [(f'"{option}"', "") for option in schema.get("enum", [schema.get("const")])]
    if schema.get("type") == "array":
        inner = _types(schema.get("items", {}))
        return [(f"list of {name}", link) for name, link in inner] or [("list", "")]
    return [(schema.get("format") or schema.get("type", "anything"), "")]


def _content(told: dict[str, Any]) -> tuple[str, str]:
    """What is sent or answered: the name of its schema, to be linked to, or of which kind it is."""
    content = told.get("content", {})
    for media_type, details in content.items():
        if "$ref" in details.get("schema", {}):
            return _types(details["schema"])[0]
        if "schema" in details:
            fields = ", ".join(details["schema"].get("properties", ()))
            return (f"{media_type}: {fields}" if fields else media_type), ""
    return " or ".join(content) or "nothing", ""


def _limits(schema: dict[str, Any]) -> str:
    found = [words.format(schema[limit]) for limit, words in _LIMITS.items() if limit in schema]
    return f"{', '.join(found)}.".capitalize() if found else ""


def _source(schema: dict[str, Any]) -> str:
    return f"Source: {schema['source']}." if schema.get("source") else ""


def _default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    return "" if default is None or isinstance(default, (dict, list)) else str(default)
