"""django-q2 on its ORM broker, in the same database as the work; tuned in ``settings``."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.tasks import async_task

from arboris.db import db_now
from tests.bench import work

COMMAND = ["manage.py", "qcluster"]


def enqueue(chapter_ids: Iterable[int]) -> None:
    broker = get_broker()
    with transaction.atomic():
        for chapter_id in chapter_ids:
            async_task("tests.bench.work.apply", chapter_id, broker=broker)


def acknowledged() -> datetime:
    """Waits until the monitor has crossed off every task, which it does one by one; when that
    was."""
    while OrmQ.objects.exists():
        time.sleep(0.005)
    return db_now()


def clear() -> None:
    work.clear(OrmQ)
