"""The same work in several threads at once, each on a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from unittest import mock

from django.db import connections

from arboris import db
from tests.waiting import PATIENCE_SECONDS

T = TypeVar("T")


def side_by_side(*work: Callable[[], T]) -> list[T]:
    """Start all at the same moment; returns their results in order, raises the first error.

    Nobody gives a lock up before all that want it have had it, however slow the machine is.
    """
    start = threading.Barrier(len(work))

    def run(one: Callable[[], T]) -> T:
        try:
            start.wait(timeout=PATIENCE_SECONDS)
            return one()
        finally:
            connections.close_all()

    patience = mock.patch.object(db, "RETRY_SECONDS", PATIENCE_SECONDS)
    with patience, ThreadPoolExecutor(len(work)) as pool:
        return [future.result() for future in [pool.submit(run, one) for one in work]]
