"""Putting right what died: expired leases, wake-ups that are missing, heartbeats of the dead."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from analysis.djangoq import wakeups
from analysis.errors import WorkerLost
from analysis.models import PendingAnalysis, QueueControl, Status, WorkerHeartbeat
from analysis.overview import samples
from analysis.queue import attempts, budget, clock, counters, due, steps
from analysis.queue.attempts import Outcome
from analysis.queue.endpoints import configured
from analysis.queue.finish import changes_after, follow
from analysis.queue.prune import prune_step
from analysis.queue.read_again import to_look_at
from analysis.queue.retry import decide
from arboris.bible import behind
from arboris.db import db_now, in_transaction, locked
from arboris.novels import import_jobs

log = logging.getLogger(__name__)

HEARTBEAT_KEPT = timedelta(minutes=10)


def sweep(*, rescuing: bool = True, watch: clock.Watch | None = None) -> bool:
    """Do one round of repairs if none was done within ARBORIS_POLL_INTERVAL; True if it was
    ours. ``rescuing``: take tasks away whose lease has expired, too. ``watch``: the caller's, who
    does not take any before it has seen the database's clock go on.
    """
    rescuing &= watch is None or watch.has_looked
    now = clock.check(watch or clock.Watch())
    # Each worker for itself: the only one that repairs may belong to a cluster with another
    # endpoint, which cannot claim what is due for ours.
    steps.take("wake-ups", _issue_missing_wakeups)
    if not in_transaction(lambda: _is_ours(now)):
        return False
    if rescuing:
        steps.take("rescue", lambda: rescue(now))
    steps.take("budgets", budget.release)
    steps.take("heartbeats", lambda: in_transaction(lambda: _forget_the_dead(now)))
    prune_step(now)
    steps.take("samples", lambda: samples.take(now))
    return True


def _is_ours(now: datetime) -> bool:
    before = now - timedelta(seconds=settings.ARBORIS_POLL_INTERVAL)
    control = QueueControl.objects.filter(pk=1)
    due_again = control.filter(Q(swept_at__isnull=True) | Q(swept_at__lte=before))
    return bool(due_again.update(swept_at=now))


def _forget_the_dead(now: datetime) -> None:
    """Locked in the order of their keys, as all who lock several rows of a table."""
    dead = WorkerHeartbeat.objects.filter(seen_at__lt=now - HEARTBEAT_KEPT)
    names = list(locked(dead).order_by("pk").values_list("pk", flat=True))
    WorkerHeartbeat.objects.filter(pk__in=names).delete()


def rescue(now: datetime | None = None) -> int:
    """Take tasks whose lease has expired away from their dead workers; returns how many. ``now``:
    a time of the database that no step of its clock has falsified."""
    at = now or db_now()
    expired = list(
        PendingAnalysis.objects.filter(status=Status.PROCESSING, lease_expires_at__lt=at)
        .order_by("pk")
        .values_list("pk", flat=True)[:500]
    )
    return sum(in_transaction(lambda pk=pk: _rescue_one(pk, at)) for pk in expired)  # type: ignore[misc]


def _rescue_one(task_id: int, at: datetime) -> int:
    expired = PendingAnalysis.objects.filter(
        pk=task_id, status=Status.PROCESSING, lease_expires_at__lt=at
    )
    task = locked(expired).first()
    if task is None:  # renewed or ended in between
        return 0
    now = db_now()
    if now < at - clock.TOLERANCE:  # it was set back meanwhile: all leases begin anew
        return 0
    error = WorkerLost(f"{task.worker} let the lease expire")
    decision = decide(error, task.retry_count, task.max_retries, now)
    if decision.at is not None:  # the task did nothing wrong that waiting would mend
        decision = replace(decision, at=now)
    attempt = attempts.running(task)
    changes = changes_after(decision, error, attempt.started_at, now, task.endpoint)
    PendingAnalysis.objects.filter(pk=task_id).update(**changes)
    attempts.close(attempt, now, Outcome.LOST, error)
    counters.count(rescued=1)
    follow(decision, error, task_id, now)
    return 1


def _issue_missing_wakeups() -> None:
    """What is due, or to be folded, would wait for ever: issue as many as workers could use."""
    wanted = len(due.first(configured(), settings.ARBORIS_MAX_CONCURRENT))
    more = behind.to_fold().exists() or to_look_at().exists() or import_jobs.waiting().exists()
    wanted = wanted or int(more)
    missing = wanted and wanted - wakeups.waiting()
    if missing > 0:
        in_transaction(lambda: wakeups.issue(missing))
