"""The docs as a Django app, so that templates find its tags."""

from django.apps import AppConfig


class DocsConfig(AppConfig):
    name = "webapp.docs"
