"""The client's values are held to the API: each field is told there, of the same kind."""

from typing import Any

import pytest

from webapp.client import replies
from webapp.client.replies import Reply
from webapp.searches.api.routes import api

MODELS = sorted(Reply.__subclasses__(), key=lambda model: model.__name__)


@pytest.fixture(scope="module")
def schemas() -> Any:
    return api.get_openapi_schema()["components"]["schemas"]


def kinds(schema: Any) -> set[str]:
    """Types that are allowed, by name; those of a model by the model's in the API."""
    if "$ref" in schema:
        model = getattr(replies, schema["$ref"].rpartition("/")[2], None)
        return {_in_the_api(model) if model else schema["$ref"].rpartition("/")[2]}
    if "anyOf" in schema:
        return {kind for option in schema["anyOf"] for kind in kinds(option)}
    return {schema.get("format") or schema.get("type")}


def _in_the_api(model: type[Reply]) -> str:
    return str(model.__doc__).split(".")[0].split(":")[0]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_of_the_client_is_one_of_the_api(model: type[Reply], schemas: Any) -> None:
    told = schemas[_in_the_api(model)]["properties"]
    ours = model.model_json_schema(ref_template="#/$defs/{model}")["properties"]
    assert set(ours) <= set(told)
    for name, schema in ours.items():
        assert kinds(schema) >= kinds(told[name]), name
