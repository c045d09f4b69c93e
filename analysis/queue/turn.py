"""A task's turn: its place in its writer's own line, for ARBORIS_FAIRNESS=writer.

Each task of a writer comes one turn after the one before it, and the first of them comes at the
turn that is being served. Claims in the order of turns then go round the writers, whatever number
of chapters one of them has queued, and one index gives that order as it gives the order of age.
The turn is kept in both modes, so that the setting may change while tasks wait.
"""

from __future__ import annotations

from django.conf import settings
from django.db.models import Max

from analysis.models import PendingAnalysis, QueueControl, Status

BY_AGE = ("-priority", "created_at", "id")
BY_WRITER = ("-priority", "turn", "created_at", "id")


def order() -> tuple[str, ...]:
    """The order of claims as the settings have it, in the ORM's terms."""
    return BY_WRITER if settings.ARBORIS_FAIRNESS == "writer" else BY_AGE


def last_in_line(user_id: int, priority: int) -> int:
    """The turn of a task that joins the line of its writer now."""
    waiting = PendingAnalysis.objects.filter(
        user_id=user_id, status=Status.PENDING, priority=priority
    )
    newest = waiting.aggregate(newest=Max("turn"))["newest"]
    served = QueueControl.objects.values_list("turn", flat=True).get(pk=1)
    return served if newest is None else max(served, newest + 1)
