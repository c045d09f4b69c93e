"""A novel's chapters in their order: what an analysis is told is what the chapters before it say.

A chapter that was never analysed, and each of many that change at once, is ``in_order``: of those
of one novel and priority one is taken at a time, the first one first, whenever it was queued, and
while that waits for its next try the others wait with it. A single chapter that is analysed again
goes by itself: it holds up none and waits for none. A higher priority goes first all the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from analysis.djangoq import wakeups
from analysis.models import PendingAnalysis, Status
from analysis.queue import due
from analysis.queue.endpoints import Endpoint
from arboris.llm.errors import OverBudget


def first_of_novel(
    candidate: due.Task, endpoint: Endpoint, only: due.Tasks | None
) -> due.Task | None:
    """The task that is to be claimed where the candidate comes first: that of the novel's first
    chapter; None where this one is not due, and the others have been told to wait for it.

    The caller has the queue's lock. ``only`` narrows it.
    """
    if not candidate.in_order:
        return candidate
    line = _line(candidate.project_id).filter(
        user_id=candidate.user_id, priority=candidate.priority
    )
    if only is not None:
        line = line.filter(pk__in=only.order_by().values("pk"))
    # What is over the budget would wait for the next month, and all that comes after it alike.
    rows = line.exclude(error_type=OverBudget.code, due_at__gt=candidate.now)
    before = rows.filter(chapter__chapter_number__lt=candidate.chapter_number)
    found = before.order_by("chapter__chapter_number", "pk").values_list("pk", "due_at").first()
    if found is None:
        return candidate
    pk, due_at = found
    if due_at > candidate.now:
        line.filter(due_at__lte=candidate.now).update(due_at=due_at)
        return None
    task = due.first_task(endpoint, PendingAnalysis.objects.filter(pk=pk))
    if task is None:  # it was cancelled in that very moment
        return None
    # They change places in the writer's line, or the candidate would come first again and again.
    for one, turn in ((task, candidate.turn), (candidate, task.turn)):
        PendingAnalysis.objects.filter(pk=one.id).update(turn=turn)
    return task


def let_go(tasks: Iterable[PendingAnalysis], now: datetime) -> None:
    """The tasks, as they were, have been cancelled: nobody waits for them any more; in their
    transaction."""
    # One that is pending and due held up none: the next claim would have been its own.
    first = [
        task
        for task in tasks
        if task.in_order and not (task.status == Status.PENDING and task.due_at <= now)
    ]
    novels = {task.project_id for task in first if task.status == Status.PENDING}
    if novels:
        waiting = PendingAnalysis.objects.filter(
            project_id__in=novels, status=Status.PENDING, in_order=True
        )
        waiting.filter(due_at__gt=now, error_type="").update(due_at=now)
    if first:
        wakeups.issue()


def waits(task: PendingAnalysis, now: datetime) -> bool:
    """Whether a pending task waits for a chapter that comes before it in its novel."""
    if not task.in_order:
        return False
    earlier = _line(task.project_id).filter(
        priority=task.priority, chapter__chapter_number__lt=task.chapter.chapter_number
    )
    held = task.due_at > now and not task.error_type
    running = PendingAnalysis.objects.filter(
        project_id=task.project_id, status=Status.PROCESSING, in_order=True
    )
    return held or running.exists() or earlier.exists()


def _line(project_id: uuid.UUID) -> due.Tasks:
    return PendingAnalysis.objects.filter(
        project_id=project_id, status=Status.PENDING, in_order=True
    )
