from typing import Any, cast

from channels.routing import URLRouter
from channels.sessions import CookieMiddleware
from django.urls import re_path

from notifications.backpressure import BackpressureMiddleware
from notifications.consumers import NoSuchSocket, NotificationConsumer

_notifications = CookieMiddleware(NotificationConsumer.as_asgi())
# Django's re_path takes an ASGI application here, which its types do not foresee.
_routes = cast(
    Any,
    [
        re_path(r"^ws/notifications$", cast(Any, _notifications)),
        re_path(r"", cast(Any, NoSuchSocket.as_asgi())),
    ],
)
websocket: Any = BackpressureMiddleware(URLRouter(_routes))
