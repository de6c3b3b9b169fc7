"""The gallery: published architectures and one's own; reading what is pasted, keeping it, counting, downloads."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.responses import Status

from search_engine.architectures.reading import Architecture, architecture_from_json
from search_engine.drawing.svg import architecture_svg
from search_engine.errors import ArchitectureError, ConfigError, UserError
from search_engine.formats.dialects import dialect
from webapp.searches.api.architecture_files import architecture_file, safe_name
from webapp.searches.api.gallery_replies import (
    ArchitectureDetail,
    ArchitectureReply,
    ArchitectureToKeep,
    BudgetToFit,
    CountsReply,
    FitReply,
    Gallery,
    Gone,
    Kept,
    NetworkToCount,
    NewName,
    PastedText,
    PublishedMarkReply,
    ReadReply,
    SizeReply,
    TrainedReply,
    TransferReply,
)
from webapp.searches.api.once import HEADER, once
from webapp.searches.api.origins import origin_of
from webapp.searches.api.refusals import not_found
from webapp.searches.api.replies import NamedArchitecture, Problem, Refusal
from webapp.searches.architectures import keeping
from webapp.searches.architectures.counting import ImageNetwork, TextNetwork, count_network, network_in_question
from webapp.searches.architectures.exporting import exports_of
from webapp.searches.architectures.gallery import (
    KIND_TITLES,
    GalleryEntry,
    entry_like,
    find_entry,
    own_entries,
    published_entries,
)
from webapp.searches.architectures.transfer import cost_curve, fitting, published_marks, trained_points
from webapp.searches.models import ImportedArchitecture

router = Router(tags=["Architectures"])


@router.get("", response=Gallery, summary="Published architectures, and yours, newest first", url_name="architectures")
def list_architectures(request: HttpRequest) -> dict[str, Any]:
    published = [entry_json(entry) for entry in published_entries()]
    return {"published": published, "own": [entry_json(entry) for entry in own_entries(request.user)]}


@router.post("/read", response=ReadReply, summary="What a pasted text says", url_name="read-architecture")
def read(request: HttpRequest, body: PastedText) -> ReadReply:
    """Keeps nothing. What is wrong with the text is part of the answer."""
    try:
        reading = keeping.read_pasted(body.text, body.dialect)
    except ArchitectureError as error:
        return ReadReply(errors=[_at_the_text(error)])
    architecture = reading.architecture
    there = entry_like(request.user, architecture)
    return ReadReply(
        dialect=reading.dialect,
        dialect_title=dialect(reading.dialect).title,
        kind=architecture.kind,
        kind_title=KIND_TITLES[architecture.kind],
        hash=architecture.hash,
        architecture=architecture.to_json(),
        remarks=list(reading.remarks),
        svg=architecture_svg(architecture),
        there=there and ArchitectureReply(**entry_json(there)),
    )


@router.post(
    "", response={200: Kept, 201: Kept, 409: Refusal, 422: Refusal}, summary="Keep a pasted architecture",
    openapi_extra=HEADER, url_name="keep-architecture",
)  # fmt: skip
@once
def keep(request: HttpRequest, body: ArchitectureToKeep) -> Status:
    """The same architecture is kept once: keeping it again answers 200 and leads to the one there."""
    name = keeping.checked_name(body.name)
    try:
        reading = keeping.read_pasted(body.text, body.dialect)
    except ArchitectureError as error:
        problem = _at_the_text(error)
        raise ArchitectureError(problem.field, problem.message) from error
    row, is_new = keeping.keep(request.user, name, reading, body.text)
    return Status(201 if is_new else 200, Kept(id=row.pk, url=f"/architectures/{row.pk}", is_new=is_new))


@router.post(
    "/describe", response={200: CountsReply, 404: Refusal}, summary="Exact counts in a network of any size",
    url_name="describe-architecture",
)  # fmt: skip
def describe(request: HttpRequest, body: NetworkToCount) -> CountsReply:
    """Of a published architecture, one of yours, a child, or one that is sent. Wrong values are part of the answer."""
    try:
        counts = count_network(*_network_of(request, body))
    except UserError as error:
        return CountsReply(errors=[_problem(error)])
    return CountsReply(**asdict(counts))


@router.post(
    "/transfer", response={200: TransferReply, 404: Refusal}, summary="Cost over filters, and what trainings reached",
    url_name="transfer-architecture",
)  # fmt: skip
def transfer(request: HttpRequest, body: NetworkToCount) -> TransferReply:
    """Accuracies are on the data set that each point names; they are not comparable between data sets."""
    try:
        architecture, network = _network_of(request, body)
        curve = cost_curve(architecture, network)
    except UserError as error:
        return TransferReply(errors=[_problem(error)])
    trained = trained_points(request.user, architecture)
    return TransferReply(
        curve=[SizeReply(**asdict(size)) for size in curve],
        trained=[TrainedReply(**asdict(point)) for point in trained],
        published=[PublishedMarkReply(**asdict(mark)) for mark in published_marks(architecture)],
    )


@router.post(
    "/fit", response={200: FitReply, 404: Refusal}, summary="Sizes that come closest under a budget",
    url_name="fit-architecture",
)  # fmt: skip
def fit(request: HttpRequest, body: BudgetToFit) -> FitReply:
    """Cells and filters that are sent are not read. Wrong values are part of the answer."""
    try:
        architecture, network = _network_of(request, body)
        found = fitting(architecture, network, body.of, body.budget)
    except UserError as error:
        return FitReply(errors=[_problem(error)])
    return FitReply(fits=[SizeReply(**asdict(size)) for size in found])


@router.get(
    "/{slug:key}", response={200: ArchitectureDetail, 404: Refusal}, summary="One architecture, by name or id",
    url_name="architecture",
)  # fmt: skip
def show(request: HttpRequest, key: str) -> dict[str, Any]:
    entry = own_entry_or_published(request, key)
    told = entry_json(entry) | {"architecture": entry.architecture.to_json(), "files": _files(entry)}
    if entry.published:
        results = [asdict(result) for result in entry.published.results]
        return told | {"source": entry.published.source, "note": entry.published.note, "results": results}
    names = ("dialect", "text", "created", "code_version", "recorded")
    return told | {name: getattr(entry.imported, name) for name in names} | {"bundle": entry.bundle_url}


@router.patch(
    "/{slug:key}", response={200: ArchitectureReply, 404: Refusal, 422: Refusal}, summary="Rename one of yours",
    url_name="rename-architecture",
)  # fmt: skip
def rename(request: HttpRequest, key: str, body: NewName) -> dict[str, Any]:
    row = _own_row(request, key)
    keeping.rename(row, body.name)
    return entry_json(own_entry_or_published(request, key))


@router.delete(
    "/{slug:key}", response={200: Gone, 404: Refusal}, summary="Delete one of yours",
    url_name="delete-architecture",
)  # fmt: skip
def delete(request: HttpRequest, key: str) -> dict[str, Any]:
    """Trainings of it stay, with their architecture."""
    row = _own_row(request, key)
    gone = {"id": row.pk}
    keeping.delete(row)
    return gone


@router.get(
    "/{slug:key}/{architecture_file:filename}", response={200: None, 404: Refusal, 422: Refusal},
    summary="As a file in one of the dialects, or as picture.svg", url_name="architecture-file",
)  # fmt: skip
def download(request: HttpRequest, key: str, filename: str) -> HttpResponse:
    """Refused with a sentence where the dialect cannot hold it."""
    entry = own_entry_or_published(request, key)
    return architecture_file(entry.architecture, filename, safe_name(entry.title, "architecture"))


def _network_of(request: HttpRequest, body: NetworkToCount) -> tuple[Architecture, ImageNetwork | TextNetwork]:
    """Refused as not found where the user may not see it; UserError for what is wrong."""
    value = origin_of(request, body).architecture
    if value is None:
        raise ConfigError("architecture", "is missing: give name, id or architecture, or a child of a search.")
    architecture = architecture_from_json(value)
    named = {*NamedArchitecture.model_fields, "of", "budget"}
    return architecture, network_in_question(architecture, body.model_dump(exclude=named, exclude_unset=True))


def _problem(error: UserError) -> Problem:
    return Problem(field=error.field, message=error.message)


def own_entry_or_published(request: HttpRequest, key: str) -> GalleryEntry:
    """The architecture, where this user may see it; refused as not found else."""
    entry = find_entry(request.user, key)
    if entry is None:
        raise not_found("architecture")
    return entry


def entry_json(entry: GalleryEntry) -> dict[str, Any]:
    return {
        "id": entry.imported and entry.imported.pk,
        "name": entry.published.name if entry.published else "",
        "title": entry.title,
        "kind": entry.architecture.kind,
        "hash": entry.architecture.hash,
        "url": entry.url,
        "picture": f"{entry.url}/whole.svg",
    }


def _files(entry: GalleryEntry) -> list[dict[str, str]]:
    return [
        {
            "dialect": export.dialect.name,
            "title": export.dialect.title,
            "url": "" if export.sentence else f"/api{entry.url}/{export.dialect.filename}",
            "sentence": export.sentence,
        }
        for export in exports_of(entry.architecture)
    ]


def _own_row(request: HttpRequest, key: str) -> ImportedArchitecture:
    entry = own_entry_or_published(request, key)
    if entry.imported is None:
        raise not_found("architecture")
    return entry.imported


def _at_the_text(error: ArchitectureError) -> Problem:
    """A mistake inside a text is one of the text; the sentence says where."""
    if error.field in ("text", "dialect"):
        return Problem(field=error.field, message=error.message)
    return Problem(field="text", message=f"{error.field}: {error.message}" if error.field else error.message)
