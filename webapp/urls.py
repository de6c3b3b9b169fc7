"""All addresses over HTTP. What is public says `login_not_required`; test_routes_deny_by_default.py lists it."""

from django.urls import include, path

from webapp.health import health

urlpatterns = [
    path("health", health, name="health"),
    path("", include("webapp.accounts.urls")),
    path("", include("webapp.searches.urls")),
    path("", include("webapp.docs.urls")),
]
