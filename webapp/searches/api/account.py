"""One's own account: name, e-mail, password, sessions, and the tokens of one's programs."""

from datetime import datetime
from typing import Annotated, Literal

from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from ninja import Path, Router
from ninja.responses import Status
from pydantic import BaseModel, Field

from search_engine.errors import UserError
from webapp.accounts import throttle
from webapp.accounts.access import too_many
from webapp.accounts.digests import digest
from webapp.accounts.models import ApiToken
from webapp.accounts.names import LONGEST_NAME, TAKEN, checked_name
from webapp.accounts.passwords import LONGEST_PASSWORD, change_password
from webapp.accounts.people import end_sessions
from webapp.accounts.tokens import LONGEST_NAME as LONGEST_TOKEN_NAME
from webapp.accounts.tokens import MOST_DAYS, make_token
from webapp.searches.api.people_replies import AccountReply
from webapp.searches.api.refusals import not_found
from webapp.searches.api.replies import Body, Refusal

router = Router(tags=["Account"])


class AccountChange(Body):
    """What is left out stays as it is. email: "" for none."""

    name: Annotated[str, Field(max_length=LONGEST_NAME)] | None = None
    email: Annotated[str, Field(max_length=254)] | None = None


class NewPassword(Body):
    """current: the one until now, where there is one."""

    password: Annotated[str, Field(max_length=LONGEST_PASSWORD)]
    current: Annotated[str, Field(max_length=LONGEST_PASSWORD)] = ""


class NewToken(Body):
    """name: what it is for. days: until it expires; null for one that stays until it is revoked.

    scopes: read, to see what you see; download, for files; write, for all that changes something.
    """

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_TOKEN_NAME)]
    scopes: Annotated[list[Literal["read", "download", "write"]], Field(min_length=1, max_length=3)]
    days: Annotated[int, Field(ge=1, le=MOST_DAYS, strict=True)] | None = None


class TokenReply(BaseModel):
    """A token without its text, which is not kept. Times in seconds since 1970; null for never."""

    id: int
    name: str
    scopes: list[str]
    created: float
    expires: float | None
    last_used: float | None


class NewTokenReply(TokenReply):
    """token: the text that a program sends; it is shown this once."""

    token: str


class TokenList(BaseModel):
    """Newest first."""

    tokens: list[TokenReply]


@router.get("", response=AccountReply, summary="You: what you are called, may use, and use", url_name="account")
def show(request: HttpRequest) -> AccountReply:
    return AccountReply.of(request.user)


@router.patch("", response={200: AccountReply, 422: Refusal}, summary="Change your name or e-mail",
              url_name="change-account")  # fmt: skip
def change(request: HttpRequest, body: AccountChange) -> AccountReply:
    """Takes no token: sign in with a browser."""
    user = request.user
    if body.name is not None:
        user.name = checked_name(body.name, besides=user.pk)
    if body.email is not None:
        user.email = _checked_email(body.email)
    try:
        with transaction.atomic():
            user.save(update_fields=["name", "email"])
    except IntegrityError as error:
        raise TAKEN from error
    return AccountReply.of(user)


@router.post("/password", response={200: AccountReply, 422: Refusal, 429: Refusal}, url_name="change-password",
             summary="Set or change your password")  # fmt: skip
def set_password(request: HttpRequest, body: NewPassword) -> AccountReply | HttpResponse:
    """Your other browsers are signed out; tokens stay. Takes no token: sign in with a browser."""
    try:
        change_password(request, request.user, body.password, body.current)
    except throttle.TooMany as error:
        return too_many(error)
    update_session_auth_hash(request, request.user)
    return AccountReply.of(request.user)


@router.delete("/sessions", response=AccountReply, summary="Sign out all your other browsers", url_name="end-sessions")
def end_other_sessions(request: HttpRequest) -> AccountReply:
    """Tokens stay. Takes no token: sign in with a browser."""
    end_sessions(request.user)
    update_session_auth_hash(request, request.user)
    return AccountReply.of(request.user)


@router.get("/tokens", response=TokenList, summary="Your tokens, newest first", url_name="tokens")
def list_tokens(request: HttpRequest) -> TokenList:
    return TokenList(tokens=[_told(row) for row in request.user.tokens.order_by("-created", "-pk")])


@router.post("/tokens", response={201: NewTokenReply, 422: Refusal}, summary="Make a token", url_name="make-token")
def new_token(request: HttpRequest, body: NewToken) -> Status:
    """It takes no Idempotency-Key: a kept reply would keep the token. Takes no token: sign in with a browser."""
    text = make_token(request.user, body.name, body.scopes, body.days)
    row = request.user.tokens.get(sha256=digest(text))
    return Status(201, NewTokenReply(**_told(row).model_dump(), token=text))


@router.delete("/tokens/{int:token_id}", response={200: TokenList, 404: Refusal}, summary="Revoke a token",
               url_name="revoke-token")  # fmt: skip
def revoke_token(request: HttpRequest, token_id: Annotated[int, Path(ge=1, le=2**53)]) -> TokenList:
    """It opens nothing from the next request on. Answers with what is left. Takes no token."""
    if not request.user.tokens.filter(pk=token_id).delete()[0]:
        raise not_found("token")
    return list_tokens(request)


def _checked_email(given: str) -> str:
    email = given.strip()
    try:
        if email:
            validate_email(email)
    except ValidationError as error:
        raise UserError("email", "is no e-mail address, such as ann@example.org.") from error
    return email


def _told(row: ApiToken) -> TokenReply:
    return TokenReply(
        id=row.pk, name=row.name, scopes=row.scopes, created=row.created.timestamp(), expires=_seconds(row.expires),
        last_used=_seconds(row.last_used),
    )  # fmt: skip


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
