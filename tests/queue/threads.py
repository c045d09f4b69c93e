"""The same work in several threads at once, each on a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

from tests.waiting import PATIENCE_SECONDS

T = TypeVar("T")


def side_by_side(*work: Callable[[], T]) -> list[T]:
    """Start all at the same moment; returns their results in order, raises the first error."""
    start = threading.Barrier(len(work))

    def run(one: Callable[[], T]) -> T:
        try:
            start.wait(timeout=PATIENCE_SECONDS)
            return one()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(work)) as pool:
        return [future.result() for future in [pool.submit(run, one) for one in work]]
