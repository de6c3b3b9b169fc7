"""All of the API. A session cookie (with the CSRF header on every POST) or a bearer token opens it."""

from django.conf import settings

from webapp.searches.api import (
    account,
    architecture_edits,
    architectures,
    bundles,
    children,
    comparisons,
    comparisons_of_many,
    decision_lines,
    edit_searches,
    files,
    honesty_meters,
    notices,
    offers,
    own_data,
    people,
    pictures,
    policies,
    replays,
    scores,
    searches,
    shared_comparisons,
    shares,
    sharing,
    streams,
    time_left,
    trainings,
    workers,
)
from webapp.searches.api.refusals import SentencesApi, add_handlers
from webapp.searches.link_door import Admitted

api = SentencesApi(
    title="Cellwright",
    version=settings.CODE_VERSION,
    description="Everything the pages do. Send a session cookie, or a bearer token made with manage.py token NAME.",
    auth=Admitted(),  # Bearer tokens are read by webapp.accounts.access, before a view is called.
    docs_url=None,  # /api/docs is our own page, see docs.py.
    openapi_url="/openapi.json",
    urls_namespace="api",
)
add_handlers(api)
api.add_router("", streams.router)
api.add_router("/searches", searches.router)
api.add_router("", offers.of_searches)
api.add_router("/searches", children.router)
api.add_router("/searches", pictures.of_searches)
api.add_router("/searches", comparisons.router)
api.add_router("/searches", shared_comparisons.router)
api.add_router("/searches", honesty_meters.router)
api.add_router("/searches", policies.router)
api.add_router("/searches", decision_lines.router)
api.add_router("/compare", comparisons_of_many.compared)
api.add_router("/groups", comparisons_of_many.grouped)
api.add_router("/searches", scores.router)
api.add_router("/searches", replays.of_searches)
api.add_router("/searches", sharing.of_searches)
api.add_router("/searches", shares.of_searches)
api.add_router("/trainings", shares.of_trainings)
api.add_router("/trainings", replays.of_trainings)
api.add_router("/trainings", sharing.of_trainings)
api.add_router("/trainings", trainings.router)
api.add_router("/searches", time_left.of_searches)
api.add_router("/trainings", time_left.of_trainings)
api.add_router("/trainings", offers.of_trainings)
api.add_router("/architectures", bundles.router)  # First: the last one takes any word for an architecture's name.
api.add_router("/architectures", architecture_edits.router)
api.add_router("/architectures", edit_searches.router)
api.add_router("/architectures", architectures.router)
api.add_router("/data", own_data.router)
api.add_router("/data", pictures.of_data)
api.add_router("", files.router)
api.add_router("/workers", workers.router)
api.add_router("/notices", notices.router)
api.add_router("/account", account.router)
api.add_router("/people", people.router)
