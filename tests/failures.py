"""What a database says when it cannot do what is asked, in the words of the one that is tested."""

from __future__ import annotations

import psycopg
from django.db import InternalError, OperationalError, connection


def read_only() -> Exception:
    """What a server says that takes no writes: PostgreSQL's is no OperationalError."""
    if connection.vendor == "sqlite":
        return OperationalError("attempt to write a readonly database")
    if connection.vendor == "mysql":
        return OperationalError(1290, "running with the --read-only option")
    error = InternalError("cannot execute INSERT in a read-only transaction")
    error.__cause__ = psycopg.errors.ReadOnlySqlTransaction()
    return error


def disk_full() -> Exception:
    error = {
        "sqlite": OperationalError("database or disk is full"),
        "mysql": OperationalError(1021, "Disk full (/tmp/x)"),
        "postgresql": OperationalError("could not extend file: No space left on device"),
    }[connection.vendor]
    error.__cause__ = psycopg.errors.DiskFull()
    return error
