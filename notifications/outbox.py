"""Writing notifications: in the transaction that they report on, or not at all."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import translation

from arboris import sql, wake
from arboris.db import db_now
from notifications.kinds import render
from notifications.models import AnalysisNotification


def publish(
    kind: str,
    *,
    user_id: int,
    task_id: int | None,
    project_id: uuid.UUID,
    chapter_id: int,
    chapter_number: int,
    data: dict[str, Any],
) -> None:
    """Add one notification of a kind in ``kinds.KINDS``, in the caller's transaction."""
    sql.run(
        publishing(
            kind,
            user_id=user_id,
            task_id=task_id,
            project_id=project_id,
            chapter_id=chapter_id,
            chapter_number=chapter_number,
            data=data,
            now=db_now(),
        )
    )


def publishing(
    kind: str,
    *,
    user_id: int,
    task_id: int | None,
    project_id: uuid.UUID,
    chapter_id: int,
    chapter_number: int,
    data: dict[str, Any],
    now: datetime,
) -> list[sql.Statement]:
    """The statements of ``publish``, for a caller who sends more in the same round trip.

    They lock the writer's row first: so notifications of one writer become visible in the order
    of their ids, and a reader who resumes after an id misses none. The relays are woken when the
    caller's transaction commits.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A notification belongs into the transaction that it reports on.")
    with translation.override(settings.LANGUAGE_CODE):
        title, message = render(kind, chapter_number, data)
    wake.tap_on_commit("notifications")
    return [
        *_locking(user_id),
        sql.insert(
            AnalysisNotification,
            user_id=user_id,
            pending_analysis_id=task_id,
            project_id=project_id,
            chapter_id=chapter_id,
            chapter_number=chapter_number,
            notification_type=kind,
            title=title,
            message=message,
            data=data,
            is_read=0,
            created_at=now,
        ),
    ]


def _locking(user_id: int) -> list[sql.Statement]:
    if not sql.for_update():
        return []
    users = sql.table(get_user_model())
    return [sql.Statement(f"SELECT 1 FROM {users} WHERE id = %s{sql.for_update()}", (user_id,))]
