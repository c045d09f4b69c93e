"""Reordering what waits."""

from __future__ import annotations

from analysis.errors import QueueConflict
from analysis.models import PendingAnalysis, Status
from analysis.queue.fairness import last_in_line
from arboris.db import in_transaction


def set_priority(task_id: int, priority: int) -> None:
    """Reorder a pending task (1 to 10, higher first). Raises QueueConflict unless it is pending."""
    if not 1 <= priority <= 10:
        raise ValueError("priority: 1 to 10")

    def work() -> int:
        task = PendingAnalysis.objects.only("user_id", "priority", "turn").get(pk=task_id)
        same = task.priority == priority  # then it keeps its place
        return PendingAnalysis.objects.filter(pk=task_id, status=Status.PENDING).update(
            priority=priority, turn=task.turn if same else last_in_line(task.user_id, priority)
        )

    if not in_transaction(work):
        raise QueueConflict("not_pending")
