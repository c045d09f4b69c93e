"""Places for calls at an endpoint, shared by every process of every cluster.

A row is a place, and the database's unique key keeps them to as many as there may be. Taking one,
keeping it and giving it back are single statements with a compare-and-set, so no transaction and
no lock outlives them. A holder that dies gives its place back by letting the lease run out.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction

from arboris.db import db_now
from arboris.llm.models import CallPlace

LEASE_SECONDS = 30.0
FREE = datetime(2000, 1, 1, tzinfo=UTC)  # long past


def take(endpoint: str, holder: str, most: int) -> int | None:
    """The id of a free place, now ``holder``'s for LEASE_SECONDS; None while all are taken."""
    now = db_now()
    rows = CallPlace.objects.filter(endpoint=endpoint, number__lte=most)
    found = dict(rows.values_list("number", "pk"))
    free = list(rows.filter(expires_at__lt=now).values_list("pk", flat=True))
    random.shuffle(free)  # those who look at the same time look at different ones
    expires = now + timedelta(seconds=LEASE_SECONDS)
    for pk in free:
        mine = CallPlace.objects.filter(pk=pk, expires_at__lt=now)
        if mine.update(holder=holder, expires_at=expires):
            return pk
    for number in range(1, most + 1):
        if number not in found and (made := _make(endpoint, number, holder, expires)):
            return made
    return None


def _make(endpoint: str, number: int, holder: str, expires: datetime) -> int | None:
    try:
        with transaction.atomic():
            place = CallPlace.objects.create(
                endpoint=endpoint, number=number, holder=holder, expires_at=expires
            )
    except IntegrityError:
        return None  # another made it first
    return place.pk


def renew(place: int, holder: str) -> bool:
    """Keep it for another LEASE_SECONDS; False where it is not ``holder``'s any more."""
    expires = db_now() + timedelta(seconds=LEASE_SECONDS)
    return bool(CallPlace.objects.filter(pk=place, holder=holder).update(expires_at=expires))


def free(endpoint: str, holder: str) -> None:
    """Give back what ``holder`` has, if it has anything."""
    held = CallPlace.objects.filter(endpoint=endpoint, holder=holder)
    for pk in list(held.values_list("pk", flat=True)):
        CallPlace.objects.filter(pk=pk, holder=holder).update(holder="", expires_at=FREE)
