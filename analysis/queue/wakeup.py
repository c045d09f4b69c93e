"""Wake-ups: rows in django-q2's ORM queue that say no more than "run what is due next"."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.tasks import async_task

from arboris import wake

ENTRY_POINT = "analysis.worker.run_due"


def issue(count: int = 1) -> None:
    """Add wake-ups in the caller's transaction, and tap the workers once it is committed.

    The broker's table lies in the same database, so a task and its wake-up commit together.
    A batch needs no more of them than there are workers: each goes on to what is due next, and
    leaves another wake-up behind when it stops before the queue is empty.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A wake-up belongs into the transaction of the task that it is for.")
    broker = get_broker()
    for _ in range(min(count, settings.ARBORIS_MAX_CONCURRENT)):
        async_task(ENTRY_POINT, task_name="analysis", broker=broker)
    wake.tap_on_commit("tasks")


def waiting() -> int:
    """Wake-ups that no worker has taken yet."""
    number: int = OrmQ.objects.filter(key=Conf.CLUSTER_NAME, lock__lte=timezone.now()).count()
    return number
