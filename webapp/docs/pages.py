"""/docs: what stands under docs/, as pages."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.docs.catalogue import CHAPTERS, IMAGES, TITLES
from webapp.docs.rendering import page_html


@require_GET
def contents(request: HttpRequest) -> HttpResponse:
    return render(request, "docs/contents.html", {"chapters": CHAPTERS})


@require_GET
def page(request: HttpRequest, name: str) -> HttpResponse:
    """One page with all others beside it."""
    if name not in TITLES:
        raise Http404
    names = list(TITLES)
    following = names[names.index(name) + 1 :][:1]
    context = {
        "name": name,
        "title": TITLES[name],
        "chapters": CHAPTERS,
        "html": page_html(name),
        "next": [(each, TITLES[each]) for each in following],
    }
    return render(request, "docs/page.html", context)


@require_GET
def image(request: HttpRequest, name: str) -> HttpResponse:
    """A picture of a page. Names are what the address allows: letters, figures and hyphens."""
    file = IMAGES / f"{name}.png"
    if not file.is_file():
        raise Http404
    answer = HttpResponse(file.read_bytes(), content_type="image/png")
    answer["Cache-Control"] = "private, max-age=3600"
    return answer
