"""HTTP and WebSocket in one ASGI application."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arboris.settings")

import django

from arboris.collector import collect_less_often, keep_what_is_loaded

collect_less_often()
django.setup()  # loads the apps, so it has to come before what follows

from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.core.management.base import BaseCommand  # noqa: E402

from arboris.admission import Admission  # noqa: E402
from arboris.body_limits import BodyLimit, guard_daphne  # noqa: E402
from arboris.handler import Handler  # noqa: E402
from arboris.heartbeat import beat_in_the_event_loop  # noqa: E402
from arboris.slow_clients import cut_slow_clients, raise_descriptors  # noqa: E402
from arboris.socket_limits import guard_daphne_sockets  # noqa: E402
from arboris.web_threads import keep_connections  # noqa: E402
from notifications.routing import websocket  # noqa: E402

# A server that is not started by manage.py would otherwise skip the system checks.
BaseCommand().check()

guard_daphne()
guard_daphne_sockets()
cut_slow_clients()
raise_descriptors()
keep_connections()
beat_in_the_event_loop()
application = BodyLimit(Admission(ProtocolTypeRouter({"http": Handler(), "websocket": websocket})))
keep_what_is_loaded()
