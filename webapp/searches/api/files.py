"""Files that searches and trainings have made."""

import uuid
import weakref
from collections.abc import AsyncIterator
from typing import Any, BinaryIO

from asgiref.sync import sync_to_async
from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router
from ninja.responses import Status

from webapp.searches import artifacts, late_bundles
from webapp.searches.api.allowed import changeable
from webapp.searches.api.architecture_files import attachment_headers
from webapp.searches.api.once import HEADER, once
from webapp.searches.api.refusals import not_found
from webapp.searches.api.replies import ArtifactList, BundleAsked, Refusal, TrainingFiles
from webapp.searches.api.searches import seen_search
from webapp.searches.api.trainings import seen_training
from webapp.searches.models import Artifact, Stream

CHUNK_BYTES = 256 * 1024

router = Router(tags=["Files"])


@router.get(
    "/searches/{uuid:search_id}/artifacts", response={200: ArtifactList, 404: Refusal}, summary="Files of a search",
    url_name="search-artifacts",
)  # fmt: skip
def of_search(request: HttpRequest, search_id: uuid.UUID) -> dict[str, Any]:
    return _listed(seen_search(request, search_id))


@router.get(
    "/trainings/{uuid:training_id}/artifacts", response={200: TrainingFiles, 404: Refusal},
    summary="Files of a training", url_name="training-artifacts",
)  # fmt: skip
def of_training(request: HttpRequest, training_id: uuid.UUID) -> dict[str, Any]:
    """The weights are a safetensors file with the architecture inside."""
    training = seen_training(request, training_id)
    return _listed(training) | {"bundle": late_bundles.bundle_state(training)}


@router.post(
    "/trainings/{uuid:training_id}/bundle", response={202: BundleAsked, 403: Refusal, 404: Refusal, 409: Refusal},
    summary="Have the bundle of a finished training made", openapi_extra=HEADER, url_name="make-bundle",
)  # fmt: skip
@once
def make_bundle(request: HttpRequest, training_id: uuid.UUID) -> Status:
    """For a training that ended without one. A worker makes it; the list of files tells when it is there."""
    training = changeable(request, seen_training(request, training_id))
    late_bundles.ask(training.pk)
    return Status(202, BundleAsked(id=training.pk, bundle=late_bundles.bundle_state(training)))


@router.get(
    "/artifacts/{uuid:artifact_id}", response={200: None, 404: Refusal, 410: Refusal}, summary="Download a file",
    url_name="artifact",
)  # fmt: skip
def download(request: HttpRequest, artifact_id: uuid.UUID) -> StreamingHttpResponse:
    artifact = Artifact.objects.visible_to(request.user).filter(pk=artifact_id).first()
    if artifact is None:
        raise not_found("file")
    headers = attachment_headers(artifact.filename) | {"Content-Length": str(artifact.size)}
    chunks = FileChunks(artifacts.opened(artifact.sha256))
    return StreamingHttpResponse(chunks, content_type=artifact.media_type, headers=headers)


def _listed(stream: Stream) -> dict[str, Any]:
    names = ("label", "filename", "media_type", "size", "sha256", "created")
    rows = Artifact.objects.filter(stream_id=stream.pk).order_by("created", "label")
    return {
        "artifacts": [
            {name: getattr(row, name) for name in names} | {"id": row.pk, "url": f"/api/artifacts/{row.pk}"}
            for row in rows
        ]
    }


class FileChunks:
    """A file in pieces; asynchronous, because an ASGI server would read a plain iterator to its end first.

    Django closes it with the answer, whether anybody read it or not; else it is closed when nobody has the answer more.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.close = weakref.finalize(self, file.close)  # Django calls it.

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while chunk := await sync_to_async(self._file.read)(CHUNK_BYTES):
            yield chunk
