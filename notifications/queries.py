"""Queries on one writer's notifications: read them, mark them as read."""

from __future__ import annotations

from django.db.models import Max, QuerySet

from arboris.novels import trash
from notifications.models import AnalysisNotification


def of(user_id: int, *, unread_only: bool = False) -> QuerySet[AnalysisNotification]:
    """Those that the writer is shown: not of what is in the trash."""
    mine = trash.outside(_all_of(user_id), user_id)
    return mine.filter(is_read=0) if unread_only else mine


def _all_of(user_id: int) -> QuerySet[AnalysisNotification]:
    return AnalysisNotification.objects.filter(user_id=user_id)


def newest(user_id: int, limit: int, *, unread_only: bool = False) -> list[AnalysisNotification]:
    """The last ``limit`` notifications, newest first."""
    return list(of(user_id, unread_only=unread_only).order_by("-pk")[:limit])


def after(
    user_id: int, since: int, limit: int, *, unread_only: bool = False
) -> list[AnalysisNotification]:
    """The first ``limit`` notifications with a higher id than ``since``, oldest first."""
    mine = of(user_id, unread_only=unread_only)
    return list(mine.filter(pk__gt=since).order_by("pk")[:limit])


def mark_read(user_id: int, notification_id: int) -> bool:
    """True if the notification is the writer's (also if it was read before)."""
    mine = of(user_id).filter(pk=notification_id)
    mine.filter(is_read=0).update(is_read=1)
    return mine.exists()


def mark_all_read(user_id: int) -> int:
    """How many notifications were unread and are read now."""
    return of(user_id).filter(is_read=0).update(is_read=1)


def state(user_id: int) -> dict[str, int]:
    """``{unread, max_id}``: a browser compares them with its own and fetches what it lacks."""
    newest = _all_of(user_id).aggregate(newest=Max("pk"))["newest"]
    return {"unread": of(user_id, unread_only=True).count(), "max_id": newest or 0}
