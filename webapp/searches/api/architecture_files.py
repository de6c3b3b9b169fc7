"""An architecture as files for download: in the dialect of each name, and as a picture."""

import re

from django.http import HttpResponse
from django.urls import register_converter
from django.urls.converters import StringConverter

from search_engine.architectures.reading import Architecture
from search_engine.drawing.svg import architecture_svg
from search_engine.errors import UserError
from search_engine.formats.dialects import DIALECTS, CannotHold, write
from webapp.searches.api.refusals import Refused

PICTURE = "picture.svg"
_DIALECT_OF = {dialect.filename: dialect for dialect in DIALECTS}


class FileName(StringConverter):
    """In an address: the names of these files and no other."""

    regex = "|".join(map(re.escape, (*_DIALECT_OF, PICTURE)))


register_converter(FileName, "architecture_file")


def architecture_file(architecture: Architecture, filename: str, stem: str) -> HttpResponse:
    """The file of this name; stem: how the downloaded file's name begins. Refused where the dialect cannot hold it."""
    if filename == PICTURE:
        return attached(architecture_svg(architecture), "image/svg+xml", f"{stem}-{filename}")
    dialect = _DIALECT_OF[filename]
    text = write(architecture, dialect.name)
    if isinstance(text, CannotHold):
        raise Refused(422, [UserError("", text.sentence)])
    return attached(text, dialect.media_type, f"{stem}-{filename}")


def attached(content: str | bytes, media_type: str, filename: str) -> HttpResponse:
    """A file that the browser saves and never shows as a page."""
    return HttpResponse(content, content_type=media_type, headers=attachment_headers(filename))


def attachment_headers(filename: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{filename}"', "X-Content-Type-Options": "nosniff"}


def safe_name(name: str, otherwise: str) -> str:
    """A name as a part of a file's name: letters, digits and hyphens of ASCII."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[:60] or otherwise
