"""The web process: HTTP by Django, live sockets by Channels."""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

from django.core.asgi import get_asgi_application

http = get_asgi_application()  # Sets Django up, so it must come before whatever imports a model.

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from webapp.origins import OwnPagesOnly  # noqa: E402
from webapp.searches.live.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": http,
        # Outermost, so that a page of another site gets no further; a missing Origin is refused too.
        "websocket": OwnPagesOnly(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)

# What is loaded by now stays for ever. A full collection would look at all of it, some 200,000 objects, and hold up
# whoever waits for an answer or an event by a tenth of a second.
assert get_resolver().url_patterns  # Loads every view.
gc.collect()
gc.freeze()
