"""Issuing, checking and ending the keys of API clients; the one place that compares them."""

from __future__ import annotations

import hashlib
import logging
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone

from arboris.db import in_transaction, locked
from arboris.storable import storable
from arboris.tokens.models import ApiToken

log = logging.getLogger(__name__)

PER_WRITER = 50
# A use is noted at most so often: what only reads shall not write each time.
NOTED_EVERY = timedelta(minutes=5)
BATCH = 500
KEY_BYTES = 20  # written as 40 hexadecimal digits


class PasswordChanged(Exception):
    """The password that was shown is not the account's any more."""


def digest_of(key: str) -> str:
    """SHA-256 in hex of whatever a caller sends as a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def issue(user: User, client: str = "") -> str:
    """A new key, told this once; of more than PER_WRITER the longest unused end.

    ``user``: as its password was checked; raises PasswordChanged if it is another one by now.
    ``client``: what the program calls itself, for its writer's list.
    """
    key = secrets.token_hex(KEY_BYTES)

    def work() -> None:
        # A change of the password waits here, or has ended all tokens before.
        if not locked(User.objects.filter(pk=user.pk, password=user.password)).exists():
            raise PasswordChanged
        now = timezone.now()
        named = storable(client)[:160]
        ApiToken.objects.create(
            user=user, digest=digest_of(key), client=named, created_at=now, used_at=now
        )
        kept = ApiToken.objects.filter(user=user).order_by("-used_at", "-pk")
        ApiToken.objects.filter(pk__in=[old.pk for old in kept[PER_WRITER:]]).delete()

    in_transaction(work)
    return key


def valid(now: datetime | None = None) -> QuerySet[ApiToken]:
    """The tokens that open something: used lately enough, of an active account."""
    since = (now or timezone.now()) - timedelta(days=settings.ARBORIS_TOKEN_DAYS)
    return ApiToken.objects.filter(used_at__gt=since, user__is_active=True)


def find(key: str) -> ApiToken | None:
    """The valid token of a key, with its user; its use is noted. One query, by index."""
    token = valid().select_related("user").filter(digest=digest_of(key)).first()
    if token is not None:
        _note_use(token)
    return token


def user_of(key: str) -> User | None:
    token = find(key)
    return token.user if token is not None else None


def is_valid(digest: str, user_id: int) -> bool:
    """Whether that token still stands, for what is open longer than a request."""
    return valid().filter(digest=digest, user_id=user_id).exists()


def end_all(user_id: int) -> int:
    """End every token of a writer; returns how many."""
    return in_transaction(lambda: ApiToken.objects.filter(user_id=user_id).delete()[0])


def end(user_id: int, token_id: int) -> int:
    """End one token, if it is that writer's; returns how many were ended."""
    mine = ApiToken.objects.filter(user_id=user_id, pk=token_id)
    return in_transaction(lambda: mine.delete()[0])


def prune(now: datetime) -> int:
    """Delete at most BATCH tokens that are over; returns how many."""
    since = now - timedelta(days=settings.ARBORIS_TOKEN_DAYS)
    over = ApiToken.objects.filter(used_at__lte=since).order_by("used_at")
    keys = list(over.values_list("pk", flat=True)[:BATCH])
    over = ApiToken.objects.filter(pk__in=keys, used_at__lte=since)
    return in_transaction(lambda: over.delete()[0]) if keys else 0


def _note_use(token: ApiToken) -> None:
    now = timezone.now()
    if now - token.used_at < NOTED_EVERY:
        return
    try:
        ApiToken.objects.filter(pk=token.pk, used_at=token.used_at).update(used_at=now)
    except DatabaseError as error:
        # A full disk or a lock: reading goes on, and the next use is noted.
        log.warning("tokens: a use could not be noted: %s", type(error).__name__)
