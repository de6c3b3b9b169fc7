"""Addresses of the pages and of the API."""

from django.urls import path

from webapp.searches.api.docs import docs
from webapp.searches.api.routes import api
from webapp.searches.pages import (
    compare_page,
    data_pages,
    editor_page,
    gallery_pages,
    machines_page,
    notices_page,
    replay_pages,
    search_forms,
    shared_links,
    shared_page,
    training_forms,
    views,
)

urlpatterns = [
    path("", views.home, name="home"),
    path("compare", compare_page.compare_page, name="compare-page"),
    path("searches/new", search_forms.new_search, name="new-search"),
    path("searches/<uuid:search_id>", views.search_page, name="search-page"),
    path("searches/<uuid:search_id>/replay", replay_pages.search_replay, name="search-replay"),
    path("searches/<uuid:search_id>/children/<int:step>/<int:slot>", views.child_page, name="child-page"),
    path("searches/<uuid:search_id>/children/<int:step>/<int:slot>/<slug:which>.svg", views.picture, name="picture"),
    path("searches/<uuid:search_id>/example.svg", shared_page.example_picture, name="example-picture"),
    path(
        "searches/<uuid:search_id>/epochs/<int:step>/<slug:which>.svg", shared_page.epoch_picture, name="epoch-picture"
    ),
    path("searches/<uuid:search_id>/scores/<uuid:score_id>.svg", shared_page.asked_picture, name="asked-picture"),
    path("architectures", gallery_pages.gallery, name="gallery"),
    path("architectures/import", gallery_pages.import_page, name="import-architecture"),
    path("architectures/edit", editor_page.editor, name="edit-architecture"),
    path("architectures/<slug:key>", gallery_pages.architecture_page, name="architecture-page"),
    path("architectures/<slug:key>/<slug:which>.svg", gallery_pages.architecture_picture, name="architecture-picture"),
    path("data", data_pages.data_page, name="data-page"),
    path("data/samples/<slug:name>.png", data_pages.samples, name="data-samples"),
    path("data/<uuid:data_id>", data_pages.own_data_page, name="own-data-page"),
    path("trainings/new", training_forms.new_training, name="new-training"),
    path("trainings/<uuid:training_id>", views.training_page, name="training-page"),
    path("trainings/<uuid:training_id>/replay", replay_pages.training_replay, name="training-replay"),
    path("machines", machines_page.machines, name="machines-page"),
    path("notices", notices_page.notices, name="notices-page"),
    path("shared", shared_links.shared, name="shared"),
    path("shared/open", shared_links.open_shared, name="open-shared"),
    path("api/docs", docs, name="api-docs"),
    path("api/", api.urls),
]
