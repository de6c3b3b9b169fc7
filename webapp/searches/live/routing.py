"""Addresses of live sockets."""

from django.urls import path

from webapp.searches.live.consumers import StreamConsumer

websocket_urlpatterns = [
    path("ws/streams/<uuid:stream_id>", StreamConsumer.as_asgi()),
]
