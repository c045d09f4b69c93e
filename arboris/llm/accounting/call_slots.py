"""Call slots of an endpoint, shared by all processes of all clusters.

Each slot is a row, and the database's unique key limits their number. Taking, renewing and freeing
a slot are single statements that compare and set, so no transaction and no lock outlives them. The
slot of a holder that dies becomes free when its lease ends.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction

from arboris.db import db_now
from arboris.llm.models import CallSlot

LEASE_SECONDS = 30.0
LONG_PAST = datetime(2000, 1, 1, tzinfo=UTC)  # the expiry of a free slot


def take(endpoint: str, holder: str, most: int) -> int | None:
    """Take a free one of the first ``most`` slots for LEASE_SECONDS; return its id, or None."""
    now = db_now()
    slots = CallSlot.objects.filter(endpoint=endpoint, number__lte=most)
    numbers = set(slots.values_list("number", flat=True))
    free = list(slots.filter(expires_at__lt=now).values_list("pk", flat=True))
    random.shuffle(free)  # processes that look at the same time try different ones
    expires = now + timedelta(seconds=LEASE_SECONDS)
    for pk in free:
        still_free = CallSlot.objects.filter(pk=pk, expires_at__lt=now)
        if still_free.update(holder=holder, expires_at=expires):
            return pk
    for number in range(1, most + 1):
        if number not in numbers and (made := _make(endpoint, number, holder, expires)):
            return made
    return None


def _make(endpoint: str, number: int, holder: str, expires: datetime) -> int | None:
    try:
        with transaction.atomic():
            slot = CallSlot.objects.create(
                endpoint=endpoint, number=number, holder=holder, expires_at=expires
            )
    except IntegrityError:
        return None  # another process made it first
    return slot.pk


def renew(slot: int, holder: str) -> bool:
    """Extend the lease to LEASE_SECONDS from now; False where the slot is another holder's."""
    expires = db_now() + timedelta(seconds=LEASE_SECONDS)
    return bool(CallSlot.objects.filter(pk=slot, holder=holder).update(expires_at=expires))


def free(endpoint: str, holder: str) -> None:
    """Free the holder's slot, if it has one."""
    held = CallSlot.objects.filter(endpoint=endpoint, holder=holder)
    for pk in list(held.values_list("pk", flat=True)):
        CallSlot.objects.filter(pk=pk, holder=holder).update(holder="", expires_at=LONG_PAST)
