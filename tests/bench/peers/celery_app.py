"""Celery with Redis as its broker: prefork workers, no results, connections kept, else its
defaults."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from celery import Celery

from tests.bench.peers.names import BROKER_URL
from tests.bench.peers.settings import WORKERS

COMMAND = [
    "-m", "celery", "-A", "tests.bench.peers.celery_app:app", "worker", "--pool", "prefork",
    "--concurrency", str(WORKERS), "--without-gossip", "--without-mingle", "--without-heartbeat",
    "--loglevel", "WARNING",
]  # fmt: skip

app = Celery("bench", broker=os.environ[BROKER_URL])
app.conf.update(
    task_default_queue="bench",
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    # Without it Celery closes the database's connection before and after every task, whatever
    # CONN_MAX_AGE says.
    CELERY_DB_REUSE_MAX=sys.maxsize,
)


def run(chapter_id: int) -> None:
    # Not before: Celery imports this module first and sets Django up after it.
    from tests.bench import work

    work.apply(chapter_id)


task = app.task(run, name="bench.run")


def enqueue(chapter_ids: Iterable[int]) -> None:
    with app.producer_or_acquire() as producer:
        for chapter_id in chapter_ids:
            task.apply_async((chapter_id,), producer=producer)


def acknowledged() -> None:
    """Celery acknowledges a task before it runs it: with the last one all is done."""


def clear() -> None:
    from tests.bench import work

    work.clear()
    app.control.purge()
