"""What every room needs of the database: its clock, and transactions that survive a deadlock."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db import (
    DatabaseError,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
    transaction,
)
from django.db.models import Model, QuerySet

T = TypeVar("T")
M = TypeVar("M", bound=Model)

# MySQL/MariaDB: deadlock, lock wait time-out, record changed since last read.
_MYSQL_TRANSIENT = {1213, 1205, 1020}
# PostgreSQL: serialization failure, deadlock, lock time-out (where an operator has set one).
_POSTGRES_TRANSIENT = {"40001", "40P01", "55P03"}
# A request is not held up for longer than this by tries that do not go through.
RETRY_SECONDS = 20.0


def as_time(value: Any) -> datetime:
    """A time as a query without a model gives it, with its zone (always UTC)."""
    read = datetime.fromisoformat(value) if isinstance(value, str) else value
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def db_now() -> datetime:
    """The database's clock: processes on several hosts must agree on what has expired."""
    if connection.vendor == "sqlite":  # one file, one host: the same clock without a query
        return datetime.now(UTC)
    sql = "SELECT UTC_TIMESTAMP(6)" if connection.vendor == "mysql" else "SELECT clock_timestamp()"
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return as_time(cursor.fetchone()[0])


def locked(rows: QuerySet[M]) -> QuerySet[M]:
    """The rows under a lock until the transaction ends: one at a time may change or delete them.

    PostgreSQL's plain FOR UPDATE would also hold off every new row that merely points to them, at
    the commit of its transaction: a deadlock where that one has locked what the holder wants next.
    """
    no_key = connection.features.has_select_for_no_key_update
    return rows.select_for_update(no_key=no_key)


def is_transient(error: Exception) -> bool:
    """Whether the same transaction, run again from its start, can be expected to go through."""
    if not isinstance(error, OperationalError):
        return False
    if connection.vendor == "mysql":
        return bool(error.args) and error.args[0] in _MYSQL_TRANSIENT
    if connection.vendor == "postgresql":
        return getattr(error.__cause__, "sqlstate", None) in _POSTGRES_TRANSIENT
    return "is locked" in str(error)


def in_transaction(work: Callable[[], T], *, attempts: int = 8) -> T:
    """Run ``work`` in a transaction, again from its start (bounded) after a deadlock.

    ``work`` must have no effect outside the database. Inside an open transaction it simply
    joins: only the outermost caller can start again. Where a lock was not to be had for long, each
    try of which may wait for its whole time-out, RETRY_SECONDS are enough too.
    """
    if connection.in_atomic_block:
        return work()
    ends = time.monotonic() + RETRY_SECONDS
    for attempt in range(1, attempts + 1):
        try:
            with transaction.atomic():
                return work()
        except OperationalError as error:
            if attempt == attempts or time.monotonic() > ends or not is_transient(error):
                raise
            time.sleep(random.uniform(0.001, 0.01 * 2**attempt))
    raise AssertionError("unreachable")


def release_connection() -> None:
    """Give the connection up before a long wait for something else; not in a transaction."""
    if not connection.in_atomic_block:
        drop_connection()


def drop_connection() -> None:
    """Close this thread's connection; a broken one may fail at closing, and is dropped too."""
    with contextlib.suppress(Exception):
        connection.close()


# --- outages ------------------------------------------------------------------------------
# MySQL/MariaDB: cannot connect, gone, lost, handshake, network, too many connections, shutting
# down, killed, interrupted, read-only; a lock that nobody lets go of.
_MYSQL_AWAY = {2002, 2003, 2006, 2013, 2026, 2055, 1042, 1043, 1158, 1159, 1160, 1161}
_MYSQL_AWAY |= {1040, 1041, 1203, 1053, 1152, 1317, 1927, 4031, 1290, 1792, 1836, 1205}
_MYSQL_FULL = {1021, 1114}  # no space on the disk, a table that can grow no more
# PostgreSQL by class or code: connection, resources, shutdown and start, read-only; a lock that
# nobody lets go of.
_POSTGRES_AWAY = ("08", "53", "57P", "25006", "55P03")
_SQLITE_AWAY = ("unable to open", "disk i/o error", "is locked", "readonly")


def is_away(error: Exception) -> bool:
    """Whether the database cannot be reached or written to at the moment, whatever was asked."""
    if isinstance(error, InterfaceError):
        return True  # the driver's word for a connection that is closed
    if not isinstance(error, DatabaseError):
        return False
    if is_full(error):
        return True
    if connection.vendor == "mysql":
        return bool(error.args) and error.args[0] in _MYSQL_AWAY
    if connection.vendor == "postgresql":
        state = getattr(error.__cause__, "sqlstate", None)
        if state is None:  # it was not the server that spoke
            return isinstance(error, OperationalError) or _is_half_an_answer(error)
        return bool(state.startswith(_POSTGRES_AWAY))
    return any(text in str(error).lower() for text in _SQLITE_AWAY)


def _is_half_an_answer(error: DatabaseError) -> bool:
    """What PostgreSQL's driver says when the line is cut between two parts of an answer."""
    return error.__cause__ is not None and type(error) in {DatabaseError, InternalError}


def is_full(error: Exception) -> bool:
    """Whether there is no room for what was to be written."""
    if not isinstance(error, DatabaseError):
        return False
    if connection.vendor == "mysql":
        return bool(error.args) and error.args[0] in _MYSQL_FULL
    if connection.vendor == "postgresql":
        return getattr(error.__cause__, "sqlstate", None) == "53100"
    return "disk is full" in str(error)
