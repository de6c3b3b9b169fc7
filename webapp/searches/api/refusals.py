"""How the API says no: always {"errors": [{"field", "message"}]}, in sentences for people."""

from collections.abc import Sequence
from json import JSONDecodeError
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationErrorContext
from ninja.operation import Operation

from search_engine.config.reading import config_errors
from search_engine.errors import UserError
from webapp.searches.api.description import Description, operation_name
from webapp.searches.artifacts import ArtifactMissing, StoreAway
from webapp.searches.lifecycle import CommandRefused
from webapp.searches.models import Stream


class Refused(Exception):
    """The answer is no. errors: what is wrong, each with the field it is about."""

    def __init__(self, status: int, errors: Sequence[UserError]) -> None:
        super().__init__(status, [str(error) for error in errors])
        self.status = status
        self.errors = errors


def not_found(what: str) -> Refused:
    """The same for what does not exist and for what belongs to somebody else."""
    return Refused(404, [UserError("", f"There is no such {what}, or it is not yours.")])


class SentencesApi(NinjaAPI):
    """Speaks of a wrong value in the sentences of the configuration models, at its path inside the configuration."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation_name(operation)

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> Description:
        return Description(self, self.get_root_path(path_params or {}) if path_prefix is None else path_prefix)

    def validation_error_from_error_contexts(self, error_contexts: list[ValidationErrorContext]) -> Any:
        found = [error for context in error_contexts for error in config_errors(context.pydantic_validation_error)]
        return Refused(422, [UserError(inside(error.field), error.message) for error in found])


def inside(field: str) -> str:
    """The path without what only wraps it: ninja's names for body and query, and the body's "config"."""
    for wrapper in ("body.", "query.", "config."):
        field = field.removeprefix(wrapper)
    return field


def add_handlers(api: NinjaAPI) -> None:
    """Let every kind of no take the one form."""

    def refuse(request: HttpRequest, status: int, errors: Sequence[UserError]) -> HttpResponse:
        told = [{"field": error.field, "message": error.message} for error in errors]
        return api.create_response(request, {"errors": told}, status=status)

    @api.exception_handler(Refused)
    def on_refused(request: HttpRequest, error: Refused) -> HttpResponse:
        return refuse(request, error.status, error.errors)

    @api.exception_handler(UserError)
    def on_user_error(request: HttpRequest, error: UserError) -> HttpResponse:
        return refuse(request, 422, [error])

    @api.exception_handler(CommandRefused)
    def on_command_refused(request: HttpRequest, error: CommandRefused) -> HttpResponse:
        return refuse(request, 409, [UserError("", str(error))])

    @api.exception_handler(Stream.DoesNotExist)
    def on_deleted_meanwhile(request: HttpRequest, error: Stream.DoesNotExist) -> HttpResponse:
        refused = not_found("search or training")
        return refuse(request, refused.status, refused.errors)

    @api.exception_handler(ArtifactMissing)
    def on_artifact_missing(request: HttpRequest, error: ArtifactMissing) -> HttpResponse:
        return refuse(request, 410, [UserError("", "This file is no longer in the store.")])

    @api.exception_handler(StoreAway)
    def on_store_away(request: HttpRequest, error: StoreAway) -> HttpResponse:
        return refuse(request, 503, [UserError("", f"{error} Try again later.")])

    @api.exception_handler(RequestDataTooBig)
    def on_too_long(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
        most = f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes"
        return refuse(request, 413, [UserError("", f"The request is too long; it must have at most {most}.")])

    @api.exception_handler(HttpError)
    def on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
        sentence = _no_json(error.__cause__) or error.message
        return refuse(request, error.status_code, [UserError("", sentence)])


def _no_json(cause: BaseException | None) -> str:
    """A sentence on why json.loads did not read a body; "" where the cause is another."""
    if isinstance(cause, JSONDecodeError):
        if cause.pos >= len(cause.doc.rstrip()) or cause.msg.startswith("Unterminated string"):
            return f"The request ends inside its JSON, on line {cause.lineno}."
        return f"Line {cause.lineno}, column {cause.colno} of the request is not JSON: {cause.msg}."
    if isinstance(cause, UnicodeDecodeError):
        return f"The request is not JSON: byte {cause.start + 1} is no UTF-8."
    if isinstance(cause, RecursionError):
        return "The request is not JSON that can be read: it is nested too deeply."
    if isinstance(cause, ValueError):  # Python reads no whole number of more than some thousand digits.
        return "The request is not JSON that can be read: it has a number of too many digits."
    return ""
