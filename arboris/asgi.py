"""HTTP and WebSocket in one ASGI application."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arboris.settings")

from django.core.asgi import get_asgi_application

http = get_asgi_application()  # loads the apps, so it has to come before what follows

from channels.routing import ProtocolTypeRouter  # noqa: E402

from notifications.routing import websocket  # noqa: E402

application = ProtocolTypeRouter({"http": http, "websocket": websocket})
