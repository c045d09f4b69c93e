"""Wake-ups: rows in django-q2's ORM queue that say no more than "run what is due next"."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.tasks import async_task

from arboris import wake

ENTRY_POINT = "analysis.worker.run_due"
# More than these for each worker say nothing new: a slice uses up one and runs whatever is due.
# Far more than workers could take while a transaction that counts on them is being committed.
MOST_PER_WORKER = 10
# Whatever a clock says: it may be taken.
AT_ONCE = datetime(2000, 1, 1, tzinfo=UTC)


def issue(count: int = 1) -> None:
    """Add wake-ups in the caller's transaction, and notify the workers once it is committed.

    The broker's table lies in the same database, so a task and its wake-up commit together.
    A batch needs no more of them than there are workers: each goes on to what is due next, and
    leaves another wake-up behind when it stops before the queue is empty.
    """
    _check_transaction()
    most = settings.ARBORIS_MAX_CONCURRENT
    if waiting() < MOST_PER_WORKER * most:
        _add(AT_ONCE, min(count, most))
    wake.notify_on_commit("tasks")


def top_up(count: int) -> None:
    """Of a change in many steps: no more than there are workers in all, whatever the steps."""
    _check_transaction()
    missing = min(count, settings.ARBORIS_MAX_CONCURRENT - waiting())
    if missing > 0:
        _add(AT_ONCE, missing)
    wake.notify_on_commit("tasks")


def hand_on() -> None:
    """Leave one behind for the one that was used up, in a transaction of the caller's.

    Each worker for itself, even where another's waits: slices that begin together end together.
    """
    if waiting() < settings.ARBORIS_MAX_CONCURRENT:
        issue()


def issue_for(due_at: datetime) -> None:
    """Add a wake-up that no worker is handed before ``due_at``; only the poll finds it."""
    _check_transaction()
    _add(due_at, 1)


def _check_transaction() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("A wake-up belongs into the transaction of the task that it is for.")


def _add(due_at: datetime, count: int) -> None:
    broker = _At(due_at)
    for _ in range(count):
        async_task(ENTRY_POINT, task_name="analysis", broker=broker)


class _At(ORM):  # type: ignore[misc]  # django-q2 carries no types
    """Rows whose lock lies in the future are passed over until then, as if a cluster had them."""

    def __init__(self, due_at: datetime) -> None:
        super().__init__()
        self._due_at = due_at

    def enqueue(self, task: str) -> int:
        row = self.get_connection().create(key=self.list_key, payload=task, lock=self._due_at)
        return int(row.pk)


def untaken(rows: QuerySet[OrmQ]) -> QuerySet[OrmQ]:
    """Those that no worker has taken, by the database's clock: those of hosts may differ."""
    return rows.filter(lock__lte=Now())


def waiting() -> int:
    """Wake-ups that no worker has taken yet."""
    return untaken(OrmQ.objects.filter(key=Conf.CLUSTER_NAME)).count()
