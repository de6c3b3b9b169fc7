"""What every page of an architecture shows, whether it is published, one's own or the child of a search."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse

from search_engine.architectures.reading import Architecture
from search_engine.catalogue.sizes import PublishedSize, published_sizes
from search_engine.drawing.svg import architecture_svg, pictures
from search_engine.errors import UserError
from webapp.searches.architectures.counting import (
    ImageNetwork,
    NetworkCounts,
    TextNetwork,
    count_network,
    network_in_question,
)
from webapp.searches.architectures.exporting import exports_of
from webapp.searches.pages.forms import FormField, describe_form


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One line of the exports. url: "" where the dialect cannot hold it, and `sentence` says why."""

    filename: str
    title: str
    url: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsPanel:
    """Counts in a network that can be changed on the page.

    source: how the API is told which architecture; counts: of the network that the fields describe now;
    error: why there are none; has_cells: whether a number of normal cells is chosen;
    network: what the fields describe, as the API reads it;
    sizes: networks to choose from, (title, data, what the fields then hold).
    """

    source: dict[str, Any]
    is_text: bool
    has_cells: bool
    fields: tuple[FormField, ...]
    counts: NetworkCounts | None
    error: str
    network: dict[str, Any]
    sizes: list[tuple[str, str, dict[str, Any]]]


def parts_of(
    architecture: Architecture, *, base: str, name: str, source: dict[str, Any], network: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The context of the shared templates.

    base: the address below which the API has its files; name: how a downloaded picture is called;
    network: what is counted first, as the API reads it; without it the first published size, or the defaults.
    """
    return {
        "pieces": list(pictures(architecture).values()),
        "downloads": downloads_of(architecture, base),
        "picture_url": f"{base}/picture.svg",
        "picture_name": name,
        "panel": counts_panel(architecture, source, network),
    }


def downloads_of(architecture: Architecture, base: str) -> list[Download]:
    """All dialects, each with its address below `base` or the reason why there is none."""
    return [
        Download(
            filename=export.dialect.filename,
            title=export.dialect.title,
            url="" if export.sentence else f"{base}/{export.dialect.filename}",
            sentence=export.sentence,
        )
        for export in exports_of(architecture)
    ]


def svg_of(architecture: Architecture, which: str, *, whole: str) -> HttpResponse:
    """The drawing of a piece, such as "normal", or of all of it, which this address calls `whole`."""
    pieces = pictures(architecture)
    if which != whole and which not in pieces:
        raise Http404
    drawing = architecture_svg(architecture) if which == whole else pieces[which].svg
    # An architecture never changes; another drawing comes with another version of the program, after an hour.
    headers = {"Cache-Control": "private, max-age=3600"}
    return HttpResponse(drawing, content_type="image/svg+xml", headers=headers)


def counts_panel(architecture: Architecture, source: dict[str, Any], network: dict[str, Any] | None) -> CountsPanel:
    """network: what is counted first, as the API reads it; None for the first published size, or the defaults."""
    sizes = published_sizes(architecture.kind)
    question = network_in_question(architecture, network or (_values(sizes[0]) if sizes else {}))
    counts, error = None, ""
    try:
        counts = count_network(architecture, question)
    except UserError as found:
        error = str(found)
    return CountsPanel(
        source=source,
        is_text=isinstance(question, TextNetwork),
        has_cells=architecture.kind == "cells",
        fields=_fields(question),
        counts=counts,
        error=error,
        network=question.model_dump(mode="json"),
        sizes=[(size.title, size.data, _values(size)) for size in sizes],
    )


def _fields(network: ImageNetwork | TextNetwork) -> tuple[FormField, ...]:
    """The layout's first, then those of the images, or of the text."""
    loose, *layout = describe_form(type(network), network.model_dump(mode="json"))
    return (*(field for fieldset in layout for field in fieldset.fields), *loose.fields)


def _values(size: PublishedSize) -> dict[str, Any]:
    images = {"image_size": size.image_size, "image_channels": size.image_channels, "classes": size.classes}
    return {"layout": size.layout.model_dump(mode="json"), **images}
