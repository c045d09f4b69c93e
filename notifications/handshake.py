"""Who opens a socket, from where, and in which language."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
)
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.request import validate_host
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare

from arboris.tokens import service as tokens
from notifications import ports, queries
from notifications.ports import Bible

Scope = Any  # the ASGI connection scope: a mapping whose keys differ by server and middleware

BATCH = 500
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


def of_this_page(scope: Scope, user: AbstractBaseUser) -> bool:
    """Whether the socket's page is its user's: ``?page_user=`` says whose page opens it.

    Once another account has signed in on the browser, an older page is told that it is signed out,
    and not what the other is told. Without the parameter it is whom the session or token names.
    """
    owner = parse_qs(scope["query_string"].decode("latin-1")).get("page_user", [""])[0]
    return owner in {"", str(user.pk)}


def language_of(scope: Scope) -> str:
    """The language that the same reader's HTTP requests get."""
    request = HttpRequest()
    request.COOKIES = scope.get("cookies", {})
    request.META["HTTP_ACCEPT_LANGUAGE"] = header(scope, b"accept-language")
    return translation.get_language_from_request(request)


@dataclass(frozen=True, slots=True)
class Credential:
    """By what a socket was opened: a ``session`` with its key, a ``token`` with its digest."""

    user_id: int
    kind: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a socket needs of the database before it opens: whatever commits later is news."""

    user: AbstractBaseUser
    credential: Credential
    reads: int
    bibles: Mapping[str, Bible]
    last_id: int


def opening(scope: Scope) -> Opening | None:
    """One piece of work for a thread, of few queries; None: nobody is signed in.

    A session comes before ``Authorization: Token <key>``.
    """
    found = _signed_in(scope)
    if found is None:
        return None
    user, credential = found
    pk = user.pk
    return Opening(
        user,
        credential,
        reads=queries.reads([pk])[pk],
        bibles=ports.bibles([pk]).get(pk, {}),
        last_id=queries.newest_id(pk),
    )


def _signed_in(scope: Scope) -> tuple[AbstractBaseUser, Credential] | None:
    given = scope.get("user")
    if given is not None:
        return (given, Credential(given.pk)) if given.is_authenticated else None
    key = scope.get("cookies", {}).get(settings.SESSION_COOKIE_NAME, "")
    for session in Session.objects.filter(session_key=key) if key else []:
        user_id = _session_of(session).get(SESSION_KEY)
        user = _active(user_id).first() if user_id else None
        if user is not None and _stands(session, user):
            return user, Credential(user.pk, "session", key)
    kind, _, token = header(scope, b"authorization").partition(" ")
    user = tokens.user_of(token.strip()) if kind.lower() == "token" else None
    if user is not None:
        return user, Credential(user.pk, "token", tokens.digest_of(token.strip()))
    return None


def standing(credentials: Collection[Credential]) -> set[Credential]:
    """Those that still open something: three queries for all sockets of the process."""
    stand: set[Credential] = set()
    todo = list(credentials)
    for start in range(0, len(todo), BATCH):
        some = todo[start : start + BATCH]
        users = {user.pk: user for user in _active(*{one.user_id for one in some})}
        keys = [one.key for one in some if one.kind == "session"]
        digests = [one.key for one in some if one.kind == "token"]
        sessions = {one.pk: one for one in Session.objects.filter(pk__in=keys)} if keys else {}
        valid = tokens.valid().filter(digest__in=digests).values_list("digest", "user_id")
        kept = set(valid) if digests else set()
        for one in some:
            user, session = users.get(one.user_id), sessions.get(one.key)
            if user is None:
                continue
            by_session = one.kind == "session" and session is not None and _stands(session, user)
            by_token = one.kind == "token" and (one.key, one.user_id) in kept
            if by_session or by_token or not one.kind:
                stand.add(one)
    return stand


def _active(*user_ids: Any) -> QuerySet[Any]:
    return get_user_model()._default_manager.filter(pk__in=user_ids, is_active=True)


def _stands(session: Session, user: AbstractBaseUser) -> bool:
    """Whether the session is the user's, and as old as their password at most."""
    said = _session_of(session)
    return (
        session.expire_date > timezone.now()
        and said.get(SESSION_KEY) == str(user.pk)
        and said.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
        # The hash changes with the password, which ends the sessions that knew the old one.
        and constant_time_compare(said.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
    )


def _session_of(session: Session) -> Mapping[str, Any]:
    return _decoded(session.session_data)


@lru_cache(maxsize=4_096)
def _decoded(data: str) -> Mapping[str, Any]:
    """Its signature is checked; of what was changed nothing is left."""
    return SessionStore().decode(data)
