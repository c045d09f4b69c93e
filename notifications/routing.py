from typing import Any, cast

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.urls import re_path

from notifications.consumers import NotificationConsumer
from notifications.handshake import TokenAuthMiddleware

# Django's re_path takes an ASGI application here, which its types do not foresee.
_consumer = cast(Any, NotificationConsumer.as_asgi())
_routes = cast(Any, [re_path(r"^ws/notifications$", _consumer)])
websocket: Any = AuthMiddlewareStack(TokenAuthMiddleware(URLRouter(_routes)))
