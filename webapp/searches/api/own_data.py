"""Data: what there is, and one's own images and texts, sent in pieces, checked, used, renamed and deleted."""

import csv
import io
import uuid
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from ninja.responses import Status
from pydantic import BaseModel, Field

from search_engine.config.language import OWN
from search_engine.data.descriptions import DESCRIPTIONS
from search_engine.data.texts import TEXTS
from search_engine.data.upload_check import PREVIEW
from search_engine.errors import UserError
from webapp.searches import artifacts
from webapp.searches.api.architecture_files import attached, safe_name
from webapp.searches.api.once import HEADER, once
from webapp.searches.api.refusals import Refused, not_found
from webapp.searches.api.replies import LARGEST_SIZE, Body, Refusal, ShortText
from webapp.searches.datasets import checking, keeping, quarantine, uploads
from webapp.searches.models import OwnData

router = Router(tags=["Data"])

Offset = Annotated[int, Query(ge=0, le=LARGEST_SIZE)]
Size = Annotated[int, Field(ge=0, le=LARGEST_SIZE)]


class NewUpload(Body):
    """filename: of the zip; size: its bytes."""

    filename: ShortText
    size: Size


class NewFile(Body):
    """A file of a text. size: its bytes."""

    filename: ShortText
    size: Size


class NewText(Body):
    """files: one, or three whose names say which is train, valid and test."""

    files: list[NewFile] = Field(max_length=100)


class Title(Body):
    """title: 1 to 80 characters."""

    title: ShortText


class OwnDataReply(BaseModel):
    """Somebody's images or text. kind: images or text.

    name: by which a configuration names it, "" before it is ready; a text is named "own", and by its sha256. state:
    arriving, checking, checked, ready, refused. piece_bytes: the most that one request may bring. progress: of the
    check: how much was looked at (done), of how much (of). report: what the check found.
    """

    id: uuid.UUID
    kind: str
    name: str
    sha256: str
    title: str
    filename: str
    state: str
    size: int
    received: int
    piece_bytes: int
    progress: dict[str, int]
    report: dict[str, Any]


class KnownData(BaseModel):
    """A data set that this program knows. bytes: of its download, 0 for what comes along."""

    name: str
    title: str
    channels: int
    image_size: int
    classes: list[str]
    train_examples: int
    test_examples: int
    bytes: int
    licence: str
    sha256: str


class KnownText(BaseModel):
    """A text that comes along. level: words or characters; vocabulary: how many different ones."""

    name: str
    title: str
    level: str
    vocabulary: int
    train_tokens: int
    valid_tokens: int
    test_tokens: int
    split: str
    licence: str
    sha256: str
    note: str


class DataList(BaseModel):
    known: list[KnownData]
    texts: list[KnownText]
    own: list[OwnDataReply]


class Deleted(BaseModel):
    id: uuid.UUID


@router.get("", response=DataList, summary="Known data sets and texts, and your own", url_name="data")
def list_data(request: HttpRequest) -> dict[str, Any]:
    return {
        "known": [each.to_json() for each in DESCRIPTIONS],
        "texts": [each.to_json() for each in TEXTS],
        "own": [reply_of(row) for row in shown_rows(request)],
    }


@router.post(
    "/uploads", response={201: OwnDataReply, 409: Refusal, 422: Refusal}, summary="Announce a zip of images",
    openapi_extra=HEADER, url_name="start-upload",
)  # fmt: skip
@once
def begin(request: HttpRequest, body: NewUpload) -> Status:
    """One folder per class in it. Then PUT the pieces, in order; the last one starts the check."""
    return Status(201, reply_of(_unless_in_conflict(uploads.begin, request.user, body.filename, body.size)))


@router.post(
    "/texts", response={201: OwnDataReply, 409: Refusal, 422: Refusal}, summary="Announce a text",
    openapi_extra=HEADER, url_name="start-text",
)  # fmt: skip
@once
def begin_text(request: HttpRequest, body: NewText) -> Status:
    """UTF-8. Then PUT the files one after another, in this order and in pieces, as those of a zip of images."""
    files = [(file.filename, file.size) for file in body.files]
    return Status(201, reply_of(_unless_in_conflict(uploads.begin_text, request.user, files)))


@router.put(
    "/uploads/{uuid:data_id}", response={200: OwnDataReply, 404: Refusal, 409: Refusal, 413: Refusal},
    summary="Send the next piece of it, as plain bytes", url_name="upload-piece",
)  # fmt: skip
def send_piece(request: HttpRequest, data_id: uuid.UUID, offset: Offset) -> OwnDataReply:
    """offset: how many bytes are there already."""
    row = own_row(request, data_id)
    content = request.read(uploads.PIECE_BYTES + 1)
    if len(content) > uploads.PIECE_BYTES:
        raise Refused(413, [UserError("", f"A piece has at most {uploads.PIECE_BYTES:,} bytes.")])
    if _unless_in_conflict(uploads.add_piece, row, offset, content):
        checking.start(row.pk)
    return reply_of(own_row(request, data_id))


@router.get("/{uuid:data_id}", response={200: OwnDataReply, 404: Refusal}, summary="One of yours", url_name="own-data")
def show(request: HttpRequest, data_id: uuid.UUID) -> OwnDataReply:
    return reply_of(own_row(request, data_id))


@router.post(
    "/{uuid:data_id}/use", response={200: OwnDataReply, 404: Refusal, 409: Refusal, 422: Refusal},
    summary="Keep what was checked as a data set", openapi_extra=HEADER, url_name="use-data",
)  # fmt: skip
@once
def use(request: HttpRequest, data_id: uuid.UUID, body: Title) -> Status:
    """The same images or text are kept once: the answer may be what is there already."""
    return Status(200, reply_of(_unless_in_conflict(keeping.use, own_row(request, data_id), body.title)))


@router.patch(
    "/{uuid:data_id}", response={200: OwnDataReply, 404: Refusal, 422: Refusal}, summary="Rename one of yours",
    url_name="rename-data",
)  # fmt: skip
def rename(request: HttpRequest, data_id: uuid.UUID, body: Title) -> OwnDataReply:
    uploads.rename(own_row(request, data_id), body.title)
    return reply_of(own_row(request, data_id))


@router.delete(
    "/{uuid:data_id}", response={200: Deleted, 404: Refusal, 409: Refusal}, summary="Delete one of yours",
    url_name="delete-data",
)  # fmt: skip
def delete(request: HttpRequest, data_id: uuid.UUID) -> Deleted:
    """Refused while a search or training that uses it is open; what was found with it stays."""
    _unless_in_conflict(uploads.delete, own_row(request, data_id))
    return Deleted(id=data_id)


@router.get(
    "/{uuid:data_id}/preview.png", response={200: None, 404: Refusal, 410: Refusal},
    summary="Eight pictures of each class, a row for a class", url_name="data-preview",
)  # fmt: skip
def preview(request: HttpRequest, data_id: uuid.UUID) -> HttpResponse:
    """Drawn by us from decoded pixels: no byte of it is as it was sent."""
    row = own_row(request, data_id)
    try:
        kept = row.preview and artifacts.opened(row.preview)
        with kept or (quarantine.result_of(row.pk) / PREVIEW).open("rb") as file:
            content = file.read()
    except (artifacts.ArtifactMissing, FileNotFoundError) as error:
        raise not_found("preview") from error
    headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type="image/png", headers=headers)


@router.get(
    "/{uuid:data_id}/refused.csv", response={200: None, 404: Refusal}, summary="What was refused of it, and why",
    url_name="data-refused",
)  # fmt: skip
def refused(request: HttpRequest, data_id: uuid.UUID) -> HttpResponse:
    row = own_row(request, data_id)
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(("file", "reason"))
    for each in row.report.get("refused", ()):
        # A name that begins like a formula would be computed by a spreadsheet.
        name = f"'{each['name']}" if each["name"][:1] in ("=", "+", "-", "@") else each["name"]
        lines.writerow((name, each["reason"]))
    return attached(text.getvalue(), "text/csv; charset=utf-8", f"{safe_name(row.title, 'images')}-refused.csv")


def shown_rows(request: HttpRequest) -> list[OwnData]:
    """Newest first."""
    rows = OwnData.objects.visible_to(request.user).exclude(state=OwnData.State.DELETED)
    return list(rows.order_by("-created"))


def own_row(request: HttpRequest, data_id: uuid.UUID) -> OwnData:
    """The images or text, where this user may see them; refused as not found else."""
    rows = OwnData.objects.visible_to(request.user).exclude(state=OwnData.State.DELETED)
    row = rows.filter(pk=data_id).first()
    if row is None:
        raise not_found("data")
    return row


def reply_of(row: OwnData) -> OwnDataReply:
    names = ("kind", "sha256", "title", "filename", "state", "size", "received", "progress", "report")
    name = OWN if row.kind == OwnData.Kind.TEXT else f"own-{row.sha256}"
    return OwnDataReply(
        id=row.pk,
        name=name if row.sha256 else "",
        piece_bytes=uploads.PIECE_BYTES,
        **{name: getattr(row, name) for name in names},
    )


def _unless_in_conflict(act: Any, *arguments: Any) -> Any:
    try:
        return act(*arguments)
    except uploads.Conflict as error:
        raise Refused(409, [UserError("", str(error))]) from error
