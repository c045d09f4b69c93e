"""How fast a queue was drained, by what the database says: the same measure for every queue."""

from __future__ import annotations

from datetime import datetime

from notifications.models import AnalysisNotification

WARM_UP = 0.1


def completed() -> int:
    """The tasks that have been completed: each leaves one notification."""
    return AnalysisNotification.objects.filter(notification_type="completed").count()


def all_completed(tasks: int) -> bool:
    """Whether so many have been completed; cheap enough to be asked all the time."""
    newest = AnalysisNotification.objects.order_by("-pk").values_list("pk", flat=True).first()
    # Rows are counted only once there can be enough of them: ids begin at 1.
    return newest is not None and newest >= tasks and completed() >= tasks


def throughput(ended: datetime | None = None) -> float:
    """Tasks per second, from the time of each task's notification (``created_at``).

    The first 10 % of the tasks are dropped as warm-up (processes start, connect and import), so
    these are the tasks after them, over the time from the last of them to ``ended``: when nothing
    was left to be done or acknowledged (None: with the last task).
    """
    times = _times()
    warm_up = max(1, round(len(times) * WARM_UP))
    return (len(times) - warm_up) / ((ended or times[-1]) - times[warm_up - 1]).total_seconds()


def throughput_with_start_up(started: datetime, ended: datetime | None = None) -> float:
    """Tasks per second from the start of the workers (``started``, by the database's clock)."""
    times = _times()
    return len(times) / ((ended or times[-1]) - started).total_seconds()


def _times() -> list[datetime]:
    rows = AnalysisNotification.objects.filter(notification_type="completed")
    return list(rows.order_by("created_at").values_list("created_at", flat=True))
