"""All addresses over HTTP. What is public says `login_not_required`; test_routes_deny_by_default.py lists it."""

from django.urls import include, path

from webapp.health import health
from webapp.metrics import metrics
from webapp.ready import ready

handler400 = "webapp.failures.bad_request"
handler404 = "webapp.failures.not_found"
handler500 = "webapp.failures.server_error"
urlpatterns = [
    path("health", health, name="health"),
    path("ready", ready, name="ready"),
    path("metrics", metrics, name="metrics"),
    path("", include("webapp.accounts.urls")),
    path("", include("webapp.searches.urls")),
    path("", include("webapp.docs.urls")),
]
