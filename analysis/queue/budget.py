"""Tasks whose budget is used up: parked until the next month, or until there is a budget again.

A parked task is pending and not due, so claims know nothing of budgets. ``BudgetStop`` has a row
for each novel or writer with parked tasks: its being written is when the writer is told, and the
sweep asks for each whether it still holds.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.conf import settings

from analysis.djangoq import wakeups
from analysis.models import PendingAnalysis, Status
from analysis.queue import endpoints
from analysis.queue.claim import Claim
from arboris.db import db_now, in_transaction, locked
from arboris.llm.accounting import budget as budgets
from arboris.llm.accounting.budget import Subject
from arboris.llm.errors import OverBudget
from arboris.llm.models import BudgetStop
from notifications import outbox

log = logging.getLogger(__name__)


def lock_stop(claim: Claim, error: OverBudget, now: datetime) -> bool:
    """Before its task is locked, in the same transaction: see to the row of what is used up.

    Its lock is held from now on: who lets tasks go waits until this one is parked. True where the
    row is new.
    """
    subject = Subject(claim.user_id, claim.project_id if error.scope == "project" else None)
    month = budgets.month_of(now).date()
    row = BudgetStop.objects.filter(month=month, subject=subject.name)
    made = False
    while locked(row).first() is None:  # let go in the very moment in which it was found
        _, made = BudgetStop.objects.get_or_create(
            month=month,
            subject=subject.name,
            defaults={
                "project_id": subject.project_id,
                "user_id": subject.user_id,
                "budget": subject.budget,
                "stopped_at": now,
            },
        )
    return made


def park(claim: Claim, error: OverBudget, now: datetime, *, tell: bool, answered: bool) -> None:
    """After the task was put back, in its transaction; ``tell`` the writer of a new stop.

    ``answered``: the endpoint had answered some of its calls before.
    """
    if tell:
        until = budgets.next_month(budgets.month_of(now))
        data: dict[str, Any] = {
            "error_type": error.code,
            "scope": error.scope,
            "until": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        outbox.publish(
            "parked",
            user_id=claim.user_id,
            task_id=claim.task_id,
            project_id=claim.project_id,
            chapter_id=claim.chapter_id,
            chapter_number=claim.chapter_number,
            data=data,
        )
    if claim.probe and answered:
        endpoints.resume(claim.endpoint.name)
    elif claim.probe:  # it told nothing about the endpoint: the next claim is the probe
        endpoints.let_probe(claim.endpoint.name)


def count() -> int:
    """How many tasks are parked."""
    stopped = list(BudgetStop.objects.values_list("user_id", flat=True).distinct())
    if not stopped:
        return 0
    tasks = PendingAnalysis.objects.filter(status=Status.PENDING, user_id__in=stopped)
    return tasks.filter(error_type=OverBudget.code, due_at__gt=db_now()).count()


def release() -> int:
    """Let go what has a budget again; returns how many tasks. A part of each sweep."""
    stops = list(BudgetStop.objects.order_by("-subject"))  # writers before their novels
    if not stops:
        return 0
    month = budgets.month_of(db_now())
    # What an older one held is due by now.
    old = BudgetStop.objects.filter(pk__in=[s.pk for s in stops if s.month < month.date()])
    in_transaction(old.delete)
    free = [s.pk for s in stops if s.month == month.date() and not _holds(s, month)]
    return sum(in_transaction(lambda pk=pk: _release(pk, month)) for pk in free)  # type: ignore[misc]


def _holds(stop: BudgetStop, month: datetime) -> bool:
    """Whether its tasks have to wait on: also a novel's, for its writer's budget."""
    subjects = {Subject(stop.user_id, stop.project_id), Subject(stop.user_id)}
    return any(budgets.used_up(subject, month) for subject in subjects)


def _release(pk: int, month: datetime) -> int:
    stop = locked(BudgetStop.objects.filter(pk=pk)).first()
    if stop is None or _holds(stop, month):
        return 0
    if stop.lifted_at is None:  # used up again, the writer is told again
        stop.delete()
    return _let_go(stop)


def lift(pk: int) -> bool:
    """Let a stop's tasks go on for the rest of its month, in the caller's transaction.

    False where it was lifted before, or is gone.
    """
    stop = locked(BudgetStop.objects.filter(pk=pk, lifted_at__isnull=True)).first()
    if stop is None:
        return False
    BudgetStop.objects.filter(pk=pk).update(lifted_at=db_now())
    _let_go(stop)
    return True


def _let_go(stop: BudgetStop) -> int:
    now = db_now()
    tasks = PendingAnalysis.objects.filter(
        status=Status.PENDING, user_id=stop.user_id, error_type=OverBudget.code, due_at__gt=now
    )
    if stop.project_id is not None:
        tasks = tasks.filter(project_id=stop.project_id)
    else:  # novels that have a stop of their own wait for that one
        own = BudgetStop.objects.filter(
            user_id=stop.user_id, project_id__isnull=False, lifted_at__isnull=True
        )
        tasks = tasks.exclude(project_id__in=list(own.values_list("project_id", flat=True)))
    ids = list(tasks.order_by("pk").values_list("pk", flat=True))
    released = tasks.filter(pk__in=ids).update(due_at=now) if ids else 0
    if released:
        log.info("%s has a budget again: %d analyses go on", stop.subject, released)
        wakeups.issue(min(released, settings.ARBORIS_MAX_CONCURRENT))
    return released
