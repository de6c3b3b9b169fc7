"""An architecture as files for download."""

import json
import re

from django.http import HttpResponse
from django.urls import register_converter
from django.urls.converters import StringConverter

from search_engine.architectures.reading import Architecture
from search_engine.drawing.svg import architecture_svg
from search_engine.formats import darts_text

_WRITERS = {  # name in the address: (content, media type)
    "architecture.json": (lambda a: json.dumps(a.to_json(), indent=2) + "\n", "application/json"),
    "darts.txt": (darts_text, "text/plain; charset=utf-8"),
    "picture.svg": (architecture_svg, "image/svg+xml"),
}


class FileName(StringConverter):
    """In an address: the names of these files and no other."""

    regex = "|".join(map(re.escape, _WRITERS))


register_converter(FileName, "architecture_file")


def architecture_file(architecture: Architecture, filename: str, stem: str) -> HttpResponse:
    """The file of this name; stem: how the downloaded file's name begins."""
    write, media_type = _WRITERS[filename]
    return attached(write(architecture), media_type, f"{stem}-{filename}")


def attached(content: str | bytes, media_type: str, filename: str) -> HttpResponse:
    """A file that the browser saves and never shows as a page."""
    return HttpResponse(content, content_type=media_type, headers=attachment_headers(filename))


def attachment_headers(filename: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{filename}"', "X-Content-Type-Options": "nosniff"}


def safe_name(name: str, otherwise: str) -> str:
    """A name as a part of a file's name: letters, digits and hyphens of ASCII."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[:60] or otherwise
