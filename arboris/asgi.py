"""HTTP and WebSocket in one ASGI application."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arboris.settings")

from django.core.asgi import get_asgi_application

http = get_asgi_application()  # loads the apps, so it has to come before what follows

from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.core.management.base import BaseCommand  # noqa: E402

from arboris.body_limits import BodyLimit, guard_daphne  # noqa: E402
from notifications.routing import websocket  # noqa: E402

# A server that is not started by manage.py would otherwise skip the system checks.
BaseCommand().check()

guard_daphne()
application = ProtocolTypeRouter({"http": BodyLimit(http), "websocket": websocket})
