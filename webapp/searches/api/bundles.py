"""Bundles of trained networks: what one says, keeping it as an architecture with weights, and its file again."""

import os
from dataclasses import asdict

from django.http import HttpRequest, StreamingHttpResponse
from ninja import File, Form, Router
from ninja.files import UploadedFile
from ninja.responses import Status

from search_engine.drawing.svg import architecture_svg
from search_engine.errors import UserError
from webapp.searches import artifacts
from webapp.searches.api.architecture_files import attachment_headers, safe_name
from webapp.searches.api.architectures import own_entry_or_published
from webapp.searches.api.files import FileChunks
from webapp.searches.api.gallery_replies import BundleReply, Kept, RecordedReply
from webapp.searches.api.refusals import not_found
from webapp.searches.api.replies import Problem, Refusal, ShortText
from webapp.searches.architectures import bundles
from webapp.searches.architectures.gallery import KIND_TITLES

router = Router(tags=["Architectures"])


@router.post("/bundles/read", response=BundleReply, summary="What a bundle says", url_name="read-bundle")
def read(request: HttpRequest, bundle: File[UploadedFile]) -> BundleReply:
    """Sent as multipart/form-data. Keeps nothing. What is wrong with the file is part of the answer."""
    try:
        with bundles.reading(bundle.size or 0, bundle.chunks()) as sent:
            return BundleReply(
                kind=sent.architecture.kind,
                kind_title=KIND_TITLES[sent.architecture.kind],
                hash=sent.architecture.hash,
                architecture=sent.architecture.to_json(),
                recorded=RecordedReply(**asdict(sent.recorded)),
                sentences=list(sent.recorded.sentences()),
                svg=architecture_svg(sent.architecture),
            )
    except UserError as error:
        return BundleReply(errors=[Problem(field=error.field, message=error.message)])


@router.post(
    "/bundles", response={200: Kept, 201: Kept, 422: Refusal}, summary="Keep a bundle: an architecture with weights",
    url_name="keep-bundle",
)  # fmt: skip
def keep(request: HttpRequest, bundle: File[UploadedFile], name: Form[ShortText]) -> Status:
    """Sent as multipart/form-data, with the name it has among yours. The same bundle is kept once: then 200."""
    with bundles.reading(bundle.size or 0, bundle.chunks()) as sent:
        row, is_new = bundles.keep_bundle(request.user, name, sent)
    return Status(201 if is_new else 200, Kept(id=row.pk, url=f"/architectures/{row.pk}", is_new=is_new))


@router.get(
    "/{slug:key}/bundle", response={200: None, 404: Refusal, 410: Refusal},
    summary="The bundle that one of yours came in", url_name="architecture-bundle",
)  # fmt: skip
def download(request: HttpRequest, key: str) -> StreamingHttpResponse:
    """The same bytes that were sent."""
    entry = own_entry_or_published(request, key)
    if entry.imported is None or not entry.imported.bundle:
        raise not_found("bundle")
    file = artifacts.opened(entry.imported.bundle)
    headers = attachment_headers(f"{safe_name(entry.title, 'architecture')}-bundle.zip")
    headers["Content-Length"] = str(os.fstat(file.fileno()).st_size)
    return StreamingHttpResponse(FileChunks(file), content_type=artifacts.ZIP, headers=headers)
