"""Addresses of the docs."""

from django.urls import path

from webapp.docs import pages

urlpatterns = [
    path("docs", pages.contents, name="docs"),
    path("docs/<slug:name>", pages.page, name="docs-page"),
    path("docs/images/<slug:name>.png", pages.image, name="docs-image"),
]
