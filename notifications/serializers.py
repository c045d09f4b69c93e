"""A notification as every channel shows it: HTTP, socket, and the writer's language."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from notifications.kinds import KINDS, render
from notifications.models import AnalysisNotification


def as_dict(row: AnalysisNotification) -> dict[str, Any]:
    """The documented notification object, its texts in the active language."""
    title, message = row.title, row.message
    if row.notification_type in KINDS:  # not where a newer version of the program wrote it
        title, message = render(row.notification_type, row.chapter_number, row.data)
    data = dict(row.data)
    if "error" in data:  # stored in English; ``message`` is its translation
        data["error"] = message
    return {
        "id": row.pk,
        "pending_analysis_id": row.pending_analysis_id,
        "project_id": str(row.project_id),
        "chapter_id": row.chapter_id,
        "chapter_number": row.chapter_number,
        "notification_type": row.notification_type,
        "title": title,
        "message": message,
        "data": data,
        "is_read": row.is_read,
        "created_at": row.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
