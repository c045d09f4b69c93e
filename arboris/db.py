"""What every room needs of the database: its clock, and transactions that survive a deadlock."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from django.db import OperationalError, connection, transaction

T = TypeVar("T")

# MySQL/MariaDB: deadlock, lock wait time-out, record changed since last read.
_MYSQL_TRANSIENT = {1213, 1205, 1020}
_POSTGRES_TRANSIENT = {"40001", "40P01"}


def db_now() -> datetime:
    """The database's clock: processes on several hosts must agree on what has expired."""
    if connection.vendor == "sqlite":  # one file, one host: the same clock without a query
        return datetime.now(UTC)
    sql = "SELECT UTC_TIMESTAMP(6)" if connection.vendor == "mysql" else "SELECT clock_timestamp()"
    with connection.cursor() as cursor:
        cursor.execute(sql)
        value: datetime = cursor.fetchone()[0]
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def is_transient(error: OperationalError) -> bool:
    """Whether the same transaction, run again from its start, can be expected to go through."""
    if connection.vendor == "mysql":
        return bool(error.args) and error.args[0] in _MYSQL_TRANSIENT
    if connection.vendor == "postgresql":
        return getattr(error.__cause__, "sqlstate", None) in _POSTGRES_TRANSIENT
    return "is locked" in str(error)


def in_transaction(work: Callable[[], T], *, attempts: int = 8) -> T:
    """Run ``work`` in a transaction, again from its start (bounded) after a deadlock.

    ``work`` must have no effect outside the database. Inside an open transaction it simply
    joins: only the outermost caller can start again.
    """
    if connection.in_atomic_block:
        return work()
    for attempt in range(1, attempts + 1):
        try:
            with transaction.atomic():
                return work()
        except OperationalError as error:
            if attempt == attempts or not is_transient(error):
                raise
            time.sleep(random.uniform(0.001, 0.01 * 2**attempt))
    raise AssertionError("unreachable")
