from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.urls import re_path

from notifications.consumers import NotificationConsumer
from notifications.handshake import TokenAuthMiddleware

websocket: Any = AuthMiddlewareStack(
    TokenAuthMiddleware(
        URLRouter([re_path(r"^ws/notifications$", NotificationConsumer.as_asgi())])
    )
)
