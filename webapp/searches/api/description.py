"""The API's description (OpenAPI 3.1): what the routes cannot say of themselves is added here.

Names of operations are those of their addresses, so that moving a function changes nothing for those who generate code.
"""

from typing import Any

from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from search_engine.formats.dialects import DIALECTS

SECURITY = {
    "token": {
        "type": "http", "scheme": "bearer",
        "description": "Made on the page of your account, or by `manage.py token NAME`; shown once.",
    },
    "session": {
        "type": "apiKey", "in": "cookie", "name": "sessionid",
        "description": "Of a browser that is signed in. All but GET must send the header X-CSRFToken as well.",
    },
}  # fmt: skip

# By name, or by operation and name where one name means several things.
PARAMETERS = {
    "search_id": "Of the search.",
    "training_id": "Of the training.",
    "artifact_id": "Of the file, as the lists of files have it.",
    "data_id": "Of the images or the text.",
    "target_id": "Of the target, as the list of notices has it.",
    "user": "The name of the person.",
    "link_id": "Of the link, as the list of links has it.",
    "user_id": "Of the person, as the list of people has it.",
    "token_id": "Of the token, as the list of tokens has it.",
    "invitation_id": "Of the invitation, as the list of invitations has it.",
    "score_id": "Of the score, as asking for it answered.",
    "key": "The name of a published architecture, or the id of one of yours.",
    "filename": "architecture.json, picture.svg, or the file of another program's dialect.",
    "name": "Of the worker, the host or the data set, as their lists have it.",
    "step": "The step in which the child was drawn, from 0.",
    "slot": "Its place in the step, from 0.",
    "after": "The number of the last event that is known; those that follow are given. 0 for all.",
    "at": "The number of an event.",
    "limit": "At most so many are given.",
    "offset": "So many are left out at the beginning.",
    "upload_piece.offset": "How many bytes are there already.",
    "trainings.search": "Of children of this search alone.",
    "sort": "The column that gives the order.",
    "order": "Rising (asc) or falling (desc).",
    "page": "Which page, from 1.",
    "size": "Rows of a page.",
    "decision": "The place of a decision in the space, from 0; asked for together with option.",
    "option": "The place of an option among those of the decision, from 0.",
    "networks": "How many networks are to be trained from scratch, in all.",
    "epochs": "Each for so many epochs.",
    "streams": "Ids of searches, trainings and groups, with commas between them.",
    "points": "At most so many steps are given.",
    "axes": "At most so many decisions are given.",
    "lines": "At most so many children are given.",
}

_ARCHITECTURE = (*dict.fromkeys(dialect.media_type for dialect in DIALECTS), "image/svg+xml")
FILES: dict[str, tuple[str, ...]] = {
    "artifact": ("application/octet-stream", "application/zip", "application/json"),
    "architecture_bundle": ("application/zip",),
    "architecture_file": _ARCHITECTURE,
    "child_file": _ARCHITECTURE,
    "training_file": _ARCHITECTURE,
    "children_csv": ("text/csv",),
    "data_preview": ("image/png",),
    "data_refused": ("text/csv",),
    "rewards_figure": ("application/json",),
    "rewards_page": ("text/html",),
    "samples_of_data": ("image/png",),
    "search_changes": ("application/json",),
}
PLAIN_BYTES = {"upload_piece": "application/octet-stream"}

NOT_SIGNED_IN = {
    "description": "Nobody is signed in, and there is no valid token.",
    "content": {
        "application/json": {
            "schema": {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]}
        }
    },
}
_REFUSAL = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
_REFUSALS = {
    400: "The request cannot be read.",
    403: "The token lacks a scope, or a session the header X-CSRFToken, or only others may do this.",
    413: "The request is too long.",
    422: "A value is wrong: what is sent does not fit.",
    429: "Too many wrong tokens came from this address; the header Retry-After says when to come again.",
}


def operation_name(operation: Operation) -> str:
    """How an operation is called: by the name of its address, which every route gives."""
    return operation.url_name.replace("-", "_")


class Description(OpenAPISchema):
    """What /api/openapi.json holds."""

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        told: dict[str, Any] = super().operation_details(operation)
        name = operation_name(operation)
        told["operationId"] = name
        told["security"] = [{each: []} for each in SECURITY]
        for parameter in told["parameters"]:
            _describe(name, parameter)
        if name in FILES:
            told["responses"][200]["content"] = {media_type: {} for media_type in FILES[name]}
        if name in PLAIN_BYTES:
            told["requestBody"] = {"required": True, "content": {PLAIN_BYTES[name]: {}}}
        _add_replies(told, operation)
        return told

    def get_components(self) -> dict[str, Any]:
        components: dict[str, Any] = super().get_components()
        return components | {"securitySchemes": SECURITY}


def _describe(operation: str, parameter: dict[str, Any]) -> None:
    """In the words of the route, where it has any."""
    words = PARAMETERS.get(f"{operation}.{parameter['name']}") or PARAMETERS.get(parameter["name"], "")
    if words and not parameter.get("description"):
        parameter["description"] = words


def _add_replies(told: dict[str, Any], operation: Operation) -> None:
    """The refusals that every route of this kind may answer with, beside those that it names."""
    replies = told["responses"]
    has_body = "requestBody" in told
    takes_more = any(
        each["in"] != "path" or each["schema"].get("type") == "integer" for each in told["parameters"]
    )  # fmt: skip
    possible = {
        400: has_body,
        403: True,
        413: has_body,
        422: has_body or takes_more,
        429: True,
    }
    for status, words in _REFUSALS.items():
        if possible[status]:
            replies.setdefault(status, {"description": words, "content": _REFUSAL})
    replies.setdefault(401, NOT_SIGNED_IN)
    told["responses"] = dict(sorted(replies.items()))
