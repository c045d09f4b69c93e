"""A writer's notifications: reading them and marking them as read."""

from __future__ import annotations

from django.db.models import Max, QuerySet

from notifications.models import AnalysisNotification


def of(user_id: int, *, unread_only: bool = False) -> QuerySet[AnalysisNotification]:
    mine = AnalysisNotification.objects.filter(user_id=user_id)
    return mine.filter(is_read=0) if unread_only else mine


def newest(user_id: int, limit: int, *, unread_only: bool = False) -> list[AnalysisNotification]:
    """The last ones, newest first."""
    return list(of(user_id, unread_only=unread_only).order_by("-pk")[:limit])


def after(
    user_id: int, since: int, limit: int, *, unread_only: bool = False
) -> list[AnalysisNotification]:
    """What came next after an id, oldest first."""
    mine = of(user_id, unread_only=unread_only)
    return list(mine.filter(pk__gt=since).order_by("pk")[:limit])


def mark_read(user_id: int, notification_id: int) -> bool:
    """True if the notification is the writer's (also if it was read before)."""
    mine = of(user_id).filter(pk=notification_id)
    mine.filter(is_read=0).update(is_read=1)
    return mine.exists()


def mark_all_read(user_id: int) -> int:
    return of(user_id).filter(is_read=0).update(is_read=1)


def state(user_id: int) -> dict[str, int]:
    """``{unread, max_id}``: enough for a browser to see that it lacks something."""
    mine = of(user_id)
    newest = mine.aggregate(newest=Max("pk"))["newest"]
    return {"unread": mine.filter(is_read=0).count(), "max_id": newest or 0}
