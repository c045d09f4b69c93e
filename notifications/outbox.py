"""Writing notifications: in the transaction that they report on, or not at all."""

from __future__ import annotations

import uuid
from typing import Any, Literal

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import translation

from arboris import wake
from arboris.db import db_now
from notifications.models import AnalysisNotification
from notifications.texts import render

Kind = Literal["started", "completed", "failed", "cancelled"]


def publish(
    kind: Kind,
    *,
    user_id: int,
    task_id: int,
    project_id: uuid.UUID,
    chapter_id: int,
    chapter_number: int,
    data: dict[str, Any],
) -> None:
    """Add one notification for a writer in the caller's transaction.

    The writer's row is locked first: notifications of one writer become visible in the order of
    their ids, so that a reader who resumes after an id misses none.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A notification belongs into the transaction that it reports on.")
    get_user_model().objects.select_for_update().only("pk").get(pk=user_id)
    with translation.override(settings.LANGUAGE_CODE):
        title, message = render(kind, chapter_number, data)
    AnalysisNotification.objects.create(
        user_id=user_id,
        pending_analysis_id=task_id,
        project_id=project_id,
        chapter_id=chapter_id,
        chapter_number=chapter_number,
        notification_type=kind,
        title=title,
        message=message,
        data=data,
        created_at=db_now(),
    )
    wake.tap_on_commit("notifications")
