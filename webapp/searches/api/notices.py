"""Where somebody wants to be told when something of theirs ends, fails or stands still, and what was told."""

import uuid
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status
from pydantic import BaseModel, Field

from search_engine.errors import ConfigError, UserError
from webapp.accounts.models import User
from webapp.notices import addresses, delivery, mail, outbox, webhook
from webapp.notices.models import TOPICS, Delivery, Notice, Target
from webapp.searches import clock
from webapp.searches.api.refusals import Refused, not_found
from webapp.searches.api.replies import Body, Refusal
from webapp.searches.stream_list import NO_NUL

LONGEST = 50  # Notices in the list.
Topics = Annotated[list[Literal["ended", "failed", "stalled"]], Field(min_length=1, max_length=len(TOPICS))]
Label = Annotated[str, Field(max_length=80, pattern=NO_NUL)]


class NewTarget(Body):
    """kind: "browser", "email" (to the address of your account) or "webhook". url: of a webhook, https. label: your
    name for it. topics: of what to tell: "ended" (finished or stopped), "failed", "stalled"."""

    kind: Literal["browser", "email", "webhook"]
    label: Label = ""
    url: Annotated[str, Field(max_length=addresses.LONGEST)] = ""
    topics: Topics = ["ended", "failed", "stalled"]


class TargetChange(Body):
    topics: Topics


class TargetReply(BaseModel):
    id: uuid.UUID
    kind: str
    label: str
    url: str
    topics: list[str]
    created: float


class NewTargetReply(TargetReply):
    """secret: of a webhook, to check its signatures with; shown this once. "" for other kinds."""

    secret: str


class DeliveryReply(BaseModel):
    """state: "due", "sending", "sent" or "failed". error: why the last try failed, "" where none did; next_try: of one
    that is due."""

    target: uuid.UUID
    state: str
    attempts: int
    error: str
    next_try: float | None
    sent_at: float | None


class NoticeReply(BaseModel):
    """kind: "finished", "stopped", "failed", "paused" (by itself), "stalled" or "test"; path: of the page."""

    id: uuid.UUID
    kind: str
    title: str
    text: str
    path: str
    at: float
    deliveries: list[DeliveryReply]


class NoticesReply(BaseModel):
    """notices: the latest, the newest first. sends_mail: whether this server does; email: where to."""

    targets: list[TargetReply]
    notices: list[NoticeReply]
    sends_mail: bool
    email: str


class ShownNotice(BaseModel):
    """id: of the delivery."""

    id: uuid.UUID
    title: str
    text: str
    path: str
    at: float


class TakenReply(BaseModel):
    notices: list[ShownNotice]


router = Router(tags=["Notices"])
FOUND = {404: Refusal}


@router.get("", response=NoticesReply, summary="Where you are told, and what you were told", url_name="notices")
def listed(request: HttpRequest) -> dict[str, Any]:
    notices = Notice.objects.filter(owner=request.user.pk).order_by("-at", "pk").prefetch_related("deliveries")
    return {
        "targets": [_told(each) for each in _own(request).order_by("created", "pk")],
        "notices": [_noticed(each) for each in notices[:LONGEST]],
        "sends_mail": mail.is_set_up(),
        "email": request.user.email,
    }


@router.post(
    "/targets", response={201: NewTargetReply, 409: Refusal, 422: Refusal}, summary="Be told somewhere",
    url_name="add-notice-target",
)  # fmt: skip
def add(request: HttpRequest, body: NewTarget) -> Status:
    """It takes no Idempotency-Key: a kept reply would keep the secret. Asking twice makes two targets."""
    _check(request, body)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=request.user.pk)  # Two who add at once see each other's.
        own = _own(request)
        if own.count() >= Target.MOST:
            raise Refused(409, [UserError("", f"There are {Target.MOST} already; remove one first.")])
        if body.kind == "email" and own.filter(kind="email").exists():
            raise Refused(409, [UserError("kind", "is there already: you are told by e-mail.")])
        target = Target.objects.create(
            owner_id=request.user.pk, kind=body.kind, label=body.label.strip(), url=body.url,
            topics=sorted(set(body.topics)), created=clock.now(),
        )  # fmt: skip
    secret = webhook.secret_of(target) if body.kind == "webhook" else ""
    return Status(201, NewTargetReply(**_told(target), secret=secret))


@router.patch(
    "/targets/{uuid:target_id}", response={200: TargetReply, 422: Refusal, **FOUND},
    summary="Change what you are told of there", url_name="change-notice-target",
)  # fmt: skip
def change(request: HttpRequest, target_id: uuid.UUID, body: TargetChange) -> dict[str, Any]:
    target = _one(request, target_id)
    target.topics = sorted(set(body.topics))
    target.save(update_fields=["topics"])
    return _told(target)


@router.delete(
    "/targets/{uuid:target_id}", response={200: NoticesReply, **FOUND}, summary="Be told there no more",
    url_name="remove-notice-target",
)  # fmt: skip
def remove(request: HttpRequest, target_id: uuid.UUID) -> dict[str, Any]:
    """What is on its way there is dropped. Removing it twice is removing it once."""
    _own(request).filter(pk=target_id).delete()
    return listed(request)


@router.post(
    "/targets/{uuid:target_id}/test", response={202: TargetReply, 409: Refusal, **FOUND}, summary="Send a test there",
    url_name="test-notice-target",
)  # fmt: skip
def test(request: HttpRequest, target_id: uuid.UUID) -> Status:
    """It goes the way of every notice, within some seconds; the list of notices says what became of it."""
    target = _one(request, target_id)
    with transaction.atomic():
        Target.objects.select_for_update().get(pk=target.pk)
        waiting = Delivery.objects.filter(target=target, notice__kind=Notice.TEST, notice__at__gt=clock.now() - 10)
        if waiting.exists():
            raise Refused(409, [UserError("", "A test was sent a moment ago; wait ten seconds.")])
        outbox.test(target, clock.now())
    return Status(202, TargetReply(**_told(target)))


@router.post(
    "/targets/{uuid:target_id}/secret", response={200: NewTargetReply, 422: Refusal, **FOUND},
    summary="Give a webhook a new secret", url_name="renew-notice-secret",
)  # fmt: skip
def renew(request: HttpRequest, target_id: uuid.UUID) -> NewTargetReply:
    """The old one signs nothing from now on."""
    target = _one(request, target_id)
    if target.kind != Target.Kind.WEBHOOK:
        raise ConfigError("", "Only a webhook has a secret.")
    target.secrets_made += 1
    target.save(update_fields=["secrets_made"])
    return NewTargetReply(**_told(target), secret=webhook.secret_of(target))


@router.post(
    "/targets/{uuid:target_id}/take", response={200: TakenReply, **FOUND},
    summary="Take what a browser shall show now", url_name="take-notices",
)  # fmt: skip
def take(request: HttpRequest, target_id: uuid.UUID) -> dict[str, Any]:
    """What is given is counted as shown, and given to nobody else. Each is given once."""
    taken = delivery.take(_one(request, target_id), clock.now())
    said = [(each, each.notice) for each in taken]
    return {
        "notices": [
            {"id": each.pk, "title": told.title, "text": told.text, "path": told.path, "at": told.at}
            for each, told in said
        ]
    }


def _check(request: HttpRequest, body: NewTarget) -> None:
    """Raises ConfigError at the field that is wrong."""
    if body.kind == "email":
        if not mail.is_set_up():
            raise ConfigError("kind", "is email; this server sends none, since CELLWRIGHT_MAIL_FROM is not set.")
        if not request.user.email:
            raise ConfigError("kind", "is email; write your address on your account page first.")
    if body.kind == "webhook":
        try:
            addresses.checked_url(body.url)
        except addresses.Refused as refused:
            raise ConfigError("url", str(refused)) from refused
    elif body.url:
        raise ConfigError("url", "belongs to a webhook.")


def _own(request: HttpRequest) -> Any:
    return Target.objects.filter(owner=request.user.pk)


def _one(request: HttpRequest, target_id: uuid.UUID) -> Target:
    target = _own(request).filter(pk=target_id).first()
    if target is None:
        raise not_found("target")
    return target


def _told(target: Target) -> dict[str, Any]:
    return {name: getattr(target, name) for name in ("id", "kind", "label", "url", "topics", "created")}


def _noticed(notice: Notice) -> dict[str, Any]:
    names = ("id", "kind", "title", "text", "path", "at")
    return {name: getattr(notice, name) for name in names} | {
        "deliveries": [
            {
                "target": each.target_id, "state": each.state, "attempts": each.attempts, "error": each.error,
                "next_try": each.next_at if each.state == Delivery.State.DUE else None, "sent_at": each.sent_at,
            }
            for each in notice.deliveries.all()
        ]
    }  # fmt: skip
