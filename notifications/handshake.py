"""Who opens a socket, from where, and in which language."""

from __future__ import annotations

from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.http import HttpRequest
from django.http.request import validate_host
from django.utils import translation
from django.utils.crypto import constant_time_compare

from arboris.tokens import service as tokens

Scope = Any  # the ASGI connection scope: a mapping whose keys differ by server and middleware

DEFAULT_PORTS = {"http": ":80", "https": ":443"}


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
    try:
        parts = urlsplit(origin)
    except ValueError:  # half an IPv6 address
        return False
    origin = _full(parts.scheme, parts.netloc)
    trusted = [one.partition("://") for one in settings.CSRF_TRUSTED_ORIGINS]
    if origin in [_full(scheme, netloc) for scheme, _, netloc in trusted]:
        return True
    secure = scope.get("scheme") in {"wss", "https"} or settings.HTTPS
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host  # as ALLOWED_HOSTS has IPv6 addresses
    same = origin == _full("https" if secure else "http", header(scope, b"host"))
    return same and validate_host(host, settings.ALLOWED_HOSTS or ["localhost"])


def _full(scheme: str, netloc: str) -> str:
    """An origin as it is compared: a port that the scheme implies is left out."""
    scheme = scheme.lower()
    return f"{scheme}://{netloc.lower().removesuffix(DEFAULT_PORTS.get(scheme, ''))}"


def of_this_page(scope: Scope) -> bool:
    """Whether the socket's page is its user's: ``?page_user=`` says whose page opens it.

    Once another account has signed in on the browser, an older page is told that it is signed out,
    and not what the other is told. Without the parameter it is whom the session or token names.
    """
    owner = parse_qs(scope["query_string"].decode("latin-1")).get("page_user", [""])[0]
    return owner in {"", str(scope["user"].pk)}


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
                scope = {**scope, "user": user, "token": tokens.digest_of(key.strip())}
        return await self.app(scope, receive, send)


_user_of = database_sync_to_async(tokens.user_of)


@database_sync_to_async
def still_signed_in(scope: Scope) -> bool:
    """Whether the user is active and the session or token that opened the socket still stands."""
    user = get_user_model().objects.filter(pk=scope["user"].pk, is_active=True).first()
    if user is None:
        return False
    if "token" in scope:
        return tokens.is_valid(scope["token"], user.pk)
    if "session" in scope:
        # Read afresh and only read: the store in the scope remembers how it was at the handshake.
        store = import_module(settings.SESSION_ENGINE).SessionStore
        session = store(scope["session"].session_key).load()
        # The hash changes with the password, which ends the sessions that knew the old one.
        return session.get(SESSION_KEY) == str(user.pk) and constant_time_compare(
            session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()
        )
    return True
