"""Pictures that pages draw, for programs: the curve of rewards as a figure, and samples of a data set."""

import uuid

from django.http import HttpRequest, HttpResponse
from ninja import Router

from search_engine.errors import ConfigError, DataError
from webapp.searches.api.refusals import not_found
from webapp.searches.api.replies import Refusal
from webapp.searches.api.searches import seen_search
from webapp.searches.datasets.samples import sheet_of
from webapp.searches.reward_curve import rewards_of

of_searches = Router(tags=["Children"])
of_data = Router(tags=["Data"])


@of_searches.get(
    "/{uuid:search_id}/rewards.json", response={200: None, 404: Refusal},
    summary="The curve of rewards as a figure for Plotly", url_name="rewards-figure",
)  # fmt: skip
def rewards_figure(request: HttpRequest, search_id: uuid.UUID) -> HttpResponse:
    """What plotly.io.from_json reads, as the page shows it now."""
    return HttpResponse(rewards_of(seen_search(request, search_id)).to_json(), content_type="application/json")


@of_data.get(
    "/samples/{slug:name}.png", response={200: None, 404: Refusal},
    summary="Some pictures of a data set, a row for a class", url_name="samples-of-data",
)  # fmt: skip
def samples(request: HttpRequest, name: str) -> HttpResponse:
    """Of a set whose files are here, by its name; of your own as well."""
    try:
        png = sheet_of(request.user, name)
    except (ConfigError, DataError):
        png = None
    if png is None:
        raise not_found("data set with pictures here")
    headers = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(png, content_type="image/png", headers=headers)
