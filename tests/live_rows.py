"""What the live site's database says that its API does not tell: which worker holds what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.utils import ConnectionHandler

from arboris.settings import database_from_url
from tests.live import Site


@contextmanager
def cursor(site: Site) -> Iterator[Any]:
    database = ConnectionHandler({"default": database_from_url(site.database_url)})["default"]
    try:
        with database.cursor() as opened:
            yield opened
    finally:
        database.close()


def worker_of(site: Site, task_id: int) -> str:
    """``host:pid`` of the worker that holds the task."""
    with cursor(site) as opened:
        opened.execute("SELECT worker FROM pending_analysis WHERE id = %s", [task_id])
        (worker,) = opened.fetchone()
    return str(worker)


def end_leases(site: Site, worker: str) -> int:
    """As if a dead worker had been silent for as long as its lease; how many tasks it has still."""
    with cursor(site) as opened:
        opened.execute(
            "UPDATE pending_analysis SET lease_expires_at = '2000-01-01 00:00:00'"
            " WHERE worker = %s AND status = 'processing'",
            [worker],
        )
        return int(opened.rowcount)


def workers(site: Site) -> list[str]:
    """Every worker that has beaten, dead ones too: ``host:pid``."""
    with cursor(site) as opened:
        opened.execute("SELECT worker FROM analysis_workerheartbeat")
        return [str(name) for (name,) in opened.fetchall()]
