"""A task's turn, its place in its writer's own line, and how long such a line may be.

Each task of a writer comes one turn after the one before it, and the first of them comes at the
turn that is being served. Claims in the order of turns then go round the writers, whatever number
of chapters one of them has queued, and one index gives that order as it gives the order of age.
The turn is kept in both modes, so that the setting may change while tasks wait.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import OuterRef, QuerySet, Subquery

from analysis.models import PendingAnalysis, QueueControl, Status

BY_AGE = ("-priority", "created_at", "id")
BY_WRITER = ("-priority", "turn", "created_at", "id")


def order() -> tuple[str, ...]:
    """The order of claims as the settings have it, in the ORM's terms."""
    return BY_WRITER if settings.ARBORIS_FAIRNESS == "writer" else BY_AGE


def last_in_line(user_id: int, priority: int) -> int:
    """The turn of a task that joins the line of its writer now.

    What runs counts too: who queues one at a time would else come before all others each time.
    """
    line = PendingAnalysis.objects.filter(priority=priority)
    turns = [_served(line)]
    for status in (
        Status.PENDING,
        Status.PROCESSING,
    ):  # one at a time: each is a look into an index
        own = line.filter(user_id=user_id, status=status)
        # Not as Max: some engines read the whole line for that.
        newest = own.order_by("-turn").values_list("turn", flat=True).first()
        if newest is not None:
            turns.append(newest + 1)
    return max(turns)


def room(user_id: int) -> int | None:
    """How many analyses of a writer may still be queued by ARBORIS_MAX_PENDING; None: any number.

    Nothing is locked: writers who save side by side may exceed the limit by as many.
    """
    limit: int = settings.ARBORIS_MAX_PENDING
    if not limit:
        return None
    waiting = PendingAnalysis.objects.filter(status=Status.PENDING, user_id=user_id)
    return limit - waiting[:limit].count()


def last_in_lines(joining: Sequence[tuple[int, int]]) -> list[int]:
    """``last_in_line`` for each of (writer, priority) as they join one after the other, in two or
    three statements a priority."""
    ends: dict[tuple[int, int], int] = {}
    for priority in {priority for _, priority in joining}:
        line = PendingAnalysis.objects.filter(priority=priority)
        served = _served(line)
        own = line.filter(user_id=OuterRef("pk")).order_by("-turn").values("turn")
        newest = get_user_model()._default_manager.filter(
            pk__in={user for user, own_priority in joining if own_priority == priority}
        )
        rows = newest.values_list(
            "pk",
            Subquery(own.filter(status=Status.PENDING)[:1]),
            Subquery(own.filter(status=Status.PROCESSING)[:1]),
        )
        for user, *turns in rows:
            after = [turn + 1 for turn in turns if turn is not None]
            ends[user, priority] = max(served, *after) if after else served
    places = []
    for one in joining:
        places.append(ends[one])
        ends[one] += 1
    return places


def serve(turn: int) -> None:
    """A task of this turn was claimed, under the queue's lock."""
    if settings.ARBORIS_FAIRNESS == "writer":
        QueueControl.objects.filter(pk=1, turn__lt=turn).update(turn=turn)


def _served(line: QuerySet[PendingAnalysis]) -> int:
    """The turn that is being served among the tasks of one priority.

    The control row has the highest of all priorities, which may be far beyond: then those that
    run tell, and where none does, the first that waits.
    """
    highest = QueueControl.objects.values_list("turn", flat=True).get(pk=1)
    running = line.filter(status=Status.PROCESSING).order_by("-started_at", "-pk")
    latest = running.values_list("turn", flat=True).first()
    if latest is None:
        waiting = line.filter(status=Status.PENDING).order_by("turn", "created_at", "id")
        latest = waiting.values_list("turn", flat=True).first()
    return highest if latest is None else min(highest, latest)
