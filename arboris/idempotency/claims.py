"""Who may answer a key: one request at a time, and none once there is an answer.

A request takes the key first, in a transaction of its own, as a model may be asked before anything
is made. The answer is written in the transaction that makes the thing, by the token under which the
key was taken: whoever lost the key makes nothing, and a process that dies leaves both or neither.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from arboris.db import db_now, in_transaction
from arboris.idempotency.models import IdempotencyKey

KEPT = timedelta(hours=24)
BATCH = 500
LARGEST_BODY = 4 * 1024 * 1024  # bytes, deflated: what any database takes in one statement


class KeyReused(Exception):
    """The key was given to another request before."""


class KeyInUse(Exception):
    """The first request with this key is under way still; ``wait``: seconds until it cannot be."""

    def __init__(self, wait: float) -> None:
        super().__init__(wait)
        self.wait = max(1, math.ceil(wait))


class AnswerTooLarge(Exception):
    """What the key's request has made is there, but its answer was too large to be kept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A first answer: status, and JSON as it was sent."""

    status: int
    body: bytes


class Claim:
    """The right of one request to answer its key."""

    def __init__(self, key: IdempotencyKey) -> None:
        self._row = IdempotencyKey.objects.filter(pk=key.pk, token=key.token)
        self.settled = False
        self.taken_over = False  # by a stream, which outlives the call of the view

    def answer(self, status: int, body: bytes, *, final: bool = True) -> bool:
        """Keep the answer, in the transaction of what it tells of; False: the key was lost.

        Not ``final``: more is to come, and the key stays in use.
        """
        packed = zlib.compress(body)
        kept = packed if len(packed) <= LARGEST_BODY else b""
        lease = {"lease_expires_at": None} if final else {}
        return bool(self._row.update(status=status, body=kept, **lease))

    def renew(self, lease: timedelta) -> None:
        """The request is under way still, and will be for at most so long."""
        self._row.update(lease_expires_at=db_now() + lease)

    def settle(self) -> None:
        """The request has ended: the key is free again where nothing was made."""
        if self.settled:
            return

        def work() -> None:
            if not self._row.filter(status=None).delete()[0]:
                self._row.update(lease_expires_at=None)

        in_transaction(work)
        self.settled = True

    def release(self) -> None:
        """What was made is gone again, and so is its answer."""
        in_transaction(self._row.delete)
        self.settled = True


def take(user_id: int, key: str, request_digest: str, lease: timedelta) -> Claim | Answer:
    """Take the key, or return the first answer to it.

    ``lease``: longer than the request can take. Raises KeyReused, KeyInUse, AnswerTooLarge.
    """
    key_digest = hashlib.sha256(key.encode()).hexdigest()
    return in_transaction(lambda: _take(user_id, key_digest, request_digest, lease))


def _take(user_id: int, key_digest: str, request_digest: str, lease: timedelta) -> Claim | Answer:
    now = db_now()
    new = IdempotencyKey(
        user_id=user_id,
        key_digest=key_digest,
        request_digest=request_digest,
        token=secrets.token_hex(16),
        lease_expires_at=now + lease,
        expires_at=now + KEPT,
    )
    # What has expired, and what a process that died had taken and made nothing of.
    IdempotencyKey.objects.filter(user_id=user_id, key_digest=key_digest).filter(
        Q(expires_at__lt=now) | Q(status=None, lease_expires_at__lt=now)
    ).delete()
    try:
        with transaction.atomic():
            new.save(force_insert=True)
    except IntegrityError:
        return _answer_of(user_id, key_digest, request_digest, now)
    return Claim(new)


def _answer_of(user_id: int, key_digest: str, request_digest: str, now: datetime) -> Answer:
    found = IdempotencyKey.objects.filter(user_id=user_id, key_digest=key_digest).first()
    if found is None:  # given up between the two statements
        raise KeyInUse(0)
    if found.request_digest != request_digest:
        raise KeyReused
    if found.lease_expires_at is not None and found.lease_expires_at >= now:
        raise KeyInUse((found.lease_expires_at - now).total_seconds())
    if found.status is None or found.body is None:
        raise KeyInUse(0)
    if not found.body:
        raise AnswerTooLarge
    return Answer(found.status, zlib.decompress(found.body))


def prune(now: datetime, limit: int = BATCH) -> int:
    """Delete at most ``limit`` keys whose 24 hours are over; return how many."""
    old = IdempotencyKey.objects.filter(expires_at__lt=now).order_by("expires_at")
    ids = list(old.values_list("pk", flat=True)[:limit])
    old = IdempotencyKey.objects.filter(pk__in=ids)
    return in_transaction(lambda: old.delete()[0]) if ids else 0
