"""Writing notifications: in the transaction that they report on, or not at all."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import translation

from arboris import wake
from arboris.db import db_now, in_transaction, locked
from arboris.sql import Change, Insert, Lock, write
from notifications.kinds import render
from notifications.models import AnalysisNotification

BATCH = 500


class Subject(TypedDict):
    """What a notification is about, and for whom."""

    user_id: int
    task_id: int | None
    project_id: uuid.UUID
    chapter_id: int
    chapter_number: int


def publish(kind: str, *, data: dict[str, Any], **subject: Unpack[Subject]) -> None:
    """Add one notification for a writer in the caller's transaction."""
    write(*changes(kind, data=data, now=db_now(), **subject))


def changes(
    kind: str,
    *,
    data: dict[str, Any],
    now: datetime,
    read: bool = False,
    **subject: Unpack[Subject],
) -> list[Change]:
    """What ``publish`` writes, for a caller who writes more along with it.

    ``read``: from the start; nobody has asked for what it tells.

    The writer is locked first: notifications of one writer become visible in the order of their
    ids, so that a reader who resumes after an id misses none. Readers are notified once the
    caller's transaction is committed.
    """
    _check_transaction()
    wake.notify_on_commit("notifications")
    row = _row(kind, subject, data, now, read)
    return [Lock(get_user_model(), subject["user_id"]), Insert(AnalysisNotification, row)]


def publish_all(kind: str, told: Sequence[tuple[Subject, dict[str, Any]]]) -> None:
    """``publish`` for many, each with its data, in few statements."""
    _check_transaction()
    writers = get_user_model()._default_manager.filter(pk__in={one["user_id"] for one, _ in told})
    list(locked(writers).order_by("pk").values_list("pk"))
    now = db_now()
    rows = [_row(kind, subject, data, now, False) for subject, data in told]
    AnalysisNotification.objects.bulk_create(
        [AnalysisNotification(**row) for row in rows], batch_size=BATCH
    )
    wake.notify_on_commit("notifications")


def _row(
    kind: str, subject: Subject, data: dict[str, Any], now: datetime, read: bool
) -> dict[str, Any]:
    with translation.override(settings.LANGUAGE_CODE):
        title, message = render(kind, subject["chapter_number"], data)
    return {
        "user_id": subject["user_id"],
        "pending_analysis_id": subject["task_id"],
        "project_id": subject["project_id"],
        "chapter_id": subject["chapter_id"],
        "chapter_number": subject["chapter_number"],
        "notification_type": kind,
        "title": title,
        "message": message,
        "data": data,
        "is_read": int(read),
        "created_at": now,
    }


def _check_transaction() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("A notification belongs into the transaction that it reports on.")


def prune(before: datetime, limit: int) -> int:
    """Delete the oldest notifications, at most ``limit``, that were made before; returns how many.

    They are looked at in the order of their ids, so that nothing is read past the first that stays.
    """
    oldest = AnalysisNotification.objects.order_by("pk").values_list("pk", "created_at")[:limit]
    doomed = list(itertools.takewhile(lambda row: row[1] < before, oldest))
    rows = AnalysisNotification.objects.filter(pk__in=[pk for pk, _made in doomed])
    return in_transaction(lambda: rows.delete()[0]) if doomed else 0
