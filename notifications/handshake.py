"""Who opens a socket, from where, and in which language."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from django.conf import settings
from django.http import HttpRequest
from django.http.request import validate_host
from django.utils import translation
from rest_framework.authtoken.models import Token

Scope = Any  # the ASGI connection scope: a mapping whose keys differ by server and middleware


def header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def origin_allowed(scope: Scope) -> bool:
    """Whether a page of this origin may open a socket with its reader's cookie.

    Compared whole (scheme, host, port): another port of the same host is another site. Clients
    other than browsers send no Origin, and no cookie that they were not given.
    """
    origin = header(scope, b"origin")
    if not origin:
        return True
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    parts = urlsplit(origin)
    host = header(scope, b"host")
    secure = scope.get("scheme") in {"wss", "https"} or settings.HTTPS
    return (
        parts.scheme == ("https" if secure else "http")
        and parts.netloc.lower() == host.lower()
        and validate_host(parts.hostname or "", settings.ALLOWED_HOSTS or ["localhost"])
    )


def language_of(scope: Scope) -> str:
    """The language that the same reader's HTTP requests get."""
    request = HttpRequest()
    request.COOKIES = scope.get("cookies", {})
    request.META["HTTP_ACCEPT_LANGUAGE"] = header(scope, b"accept-language")
    return translation.get_language_from_request(request)


class TokenAuthMiddleware:
    """``Authorization: Token <key>`` for sockets of API clients; a session comes first."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> Any:
        kind, _, key = header(scope, b"authorization").partition(" ")
        if kind.lower() == "token" and not scope["user"].is_authenticated:
            user = await _user_of(key.strip())
            if user is not None:
                scope = {**scope, "user": user}
        return await self.app(scope, receive, send)


@database_sync_to_async
def _user_of(key: str) -> Any:
    token = Token.objects.select_related("user").filter(key=key, user__is_active=True).first()
    return token.user if token else None
