"""The searches app as Django knows it."""

from django.apps import AppConfig


class SearchesConfig(AppConfig):
    name = "webapp.searches"
    verbose_name = "Searches and trainings"
