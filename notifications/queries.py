"""Queries on one writer's notifications: read them, mark them as read."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count, F, Max, Q, QuerySet

from arboris.db import in_transaction
from arboris.novels import trash
from notifications.models import AnalysisNotification, ReadCount

SHOWN = 100  # so many unread ones an open page is told of, the newest


def told() -> QuerySet[AnalysisNotification]:
    """Notifications with what ``as_dict`` says of their novel and chapter."""
    rows = AnalysisNotification.objects.select_related("project", "chapter")
    return rows.defer("project__synopsis", "chapter__summary", "chapter__notes")


def of(user_id: int, *, unread_only: bool = False) -> QuerySet[AnalysisNotification]:
    """Those that the writer is shown: not of what is in the trash."""
    mine = trash.outside(told().filter(user_id=user_id), user_id)
    return mine.filter(is_read=0) if unread_only else mine


def newest(
    user_id: int, limit: int, *, unread_only: bool = False, before: int | None = None
) -> list[AnalysisNotification]:
    """The last ``limit`` notifications, newest first; ``before``: of those with a lower id."""
    mine = of(user_id, unread_only=unread_only)
    if before is not None:
        mine = mine.filter(pk__lt=before)
    return list(mine.order_by("-pk")[:limit])


def after(
    user_id: int, since: int, limit: int, *, unread_only: bool = False
) -> list[AnalysisNotification]:
    """The first ``limit`` notifications with a higher id than ``since``, oldest first."""
    mine = of(user_id, unread_only=unread_only)
    return list(mine.filter(pk__gt=since).order_by("pk")[:limit])


def mark_read(user_id: int, notification_id: int) -> bool:
    """True if the notification is the writer's (also if it was read before)."""
    mine = of(user_id).filter(pk=notification_id)
    return _read(user_id, mine) > 0 or mine.exists()


def mark_all_read(user_id: int) -> int:
    """How many notifications were unread and are read now."""
    return _read(user_id, of(user_id))


def _read(user_id: int, rows: QuerySet[AnalysisNotification]) -> int:
    def work() -> int:
        number = rows.filter(is_read=0).update(is_read=1)
        if number:
            ReadCount.objects.get_or_create(user_id=user_id)
            ReadCount.objects.filter(user_id=user_id).update(reads=F("reads") + 1)
        return number

    return in_transaction(work)


def reads(user_ids: Collection[int]) -> dict[int, int]:
    """Each writer's ReadCount; 0 before the first."""
    found = ReadCount.objects.filter(user_id__in=user_ids).values_list("user_id", "reads")
    return dict.fromkeys(user_ids, 0) | dict(found)


def unread_ids(user_id: int) -> list[int]:
    """The newest SHOWN unread ones, newest first."""
    unread = of(user_id, unread_only=True).order_by("-pk")
    return list(unread.values_list("pk", flat=True)[:SHOWN])


def state(user_id: int) -> dict[str, int]:
    """``{unread, muted, max_id}``: a browser compares them with its own and fetches what it lacks.

    ``muted``: so many of the unread ones are of muted novels.
    """
    unread = of(user_id, unread_only=True)
    counts = unread.aggregate(unread=Count("pk"), muted=Count("pk", filter=Q(project__muted=True)))
    return {**counts, "max_id": newest_id(user_id)}


def newest_id(user_id: int) -> int:
    """The highest id of theirs, 0 without any."""
    rows = AnalysisNotification.objects.filter(user_id=user_id).aggregate(newest=Max("pk"))
    return rows["newest"] or 0


def news(
    user_id: int, since: int, limit: int
) -> tuple[list[AnalysisNotification], dict[str, int] | None]:
    """``after``, and the state where that is all there is."""
    rows = after(user_id, since, limit)
    return rows, state(user_id) if len(rows) < limit else None
