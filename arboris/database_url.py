"""Django's settings for the database of an address, with what this project relies on per engine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from arboris.env import make_directory

# Nobody may hang where a server is cut off, or a connection is dropped on its way in silence.
CONNECT_SECONDS = 5
ANSWER_SECONDS = 60  # longer than MySQL and MariaDB let a statement wait for a lock
_SQLITE: dict[str, Any] = {
    # A transaction that will write waits for its turn at the start, instead of failing half way
    # with "database is locked".
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # 16 MB of log between two checkpoints, each of which waits for the disk.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
    "PRAGMA wal_autocheckpoint=4000;",
}


def read_database_url(url: str, data_dir: Path, *, kept: bool) -> dict[str, Any]:
    """Django's settings for one database. Raises ImproperlyConfigured.

    ``kept``: whether a connection outlives a request or a task. SQLite's file is expected in
    ``data_dir``, which is made for it.
    """
    try:
        parsed = dj_database_url.parse(
            url, conn_max_age=600 if kept else 0, conn_health_checks=kept
        )
    except ValueError:  # without its text: that one may hold the password
        raise ImproperlyConfigured("DATABASE_URL: this is no valid address.") from None
    config: dict[str, Any] = dict(parsed)
    engine = config["ENGINE"].rsplit(".", 1)[-1]
    # What the address says (as in "?read_timeout=120") goes before what we think.
    options = config["OPTIONS"] = _time_limits(engine) | config.get("OPTIONS", {})
    if engine == "sqlite3":
        options |= _SQLITE
        _check_file(config, data_dir)
        config["TEST"] = {"NAME": str(data_dir / "test.db")}
    else:
        _check_server(config)
    if engine == "mysql":
        options |= {
            "charset": "utf8mb4",
            "isolation_level": "read committed",
            "init_command": "SET time_zone='+00:00', "
            "sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'",
        }
        config["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_bin"}
    elif engine == "postgresql":
        from psycopg import IsolationLevel  # 50 ms that the other engines need not wait for

        # Whatever the server's default is: who waited for a lock has to see what was committed.
        options["isolation_level"] = IsolationLevel.READ_COMMITTED
        # Django closes them without making the driver's errors its own, so that a line which is
        # cut then would be no outage; and nothing that is read here is too long for memory.
        config["DISABLE_SERVER_SIDE_CURSORS"] = True
        config["TEST"] = {"CHARSET": "UTF8", "TEMPLATE": "template0"}
    return config


def _time_limits(engine: str) -> dict[str, int]:
    """A driver's options: within how many seconds a server has to be reached, and to answer."""
    limits = {"connect_timeout": CONNECT_SECONDS}
    if engine == "postgresql":
        # The kernel asks whether the server is there still: a statement may take any time.
        probes = 3
        every = ANSWER_SECONDS // (probes + 1)
        limits |= {"keepalives_idle": every, "keepalives_interval": every}
        return limits | {"keepalives_count": probes, "tcp_user_timeout": ANSWER_SECONDS * 1000}
    if engine == "mysql" and sys.argv[1:2] != ["migrate"]:  # a large table takes longer to change
        return limits | {"read_timeout": ANSWER_SECONDS, "write_timeout": ANSWER_SECONDS}
    return limits if engine == "mysql" else {}


def _check_file(config: dict[str, Any], data_dir: Path) -> None:
    """Refuse what is no database file that several processes can share and keep."""
    path = Path(config["NAME"])
    if config.get("HOST") or config["NAME"] == ":memory:":
        raise ImproperlyConfigured("DATABASE_URL: sqlite:/// has to be followed by a file's path.")
    if path.parent == data_dir:
        make_directory("ARBORIS_DATA_DIR", data_dir)
    elif not path.parent.is_dir():
        raise ImproperlyConfigured(f"DATABASE_URL: there is no directory {path.parent}.")
    if path.is_dir():
        raise ImproperlyConfigured(f"DATABASE_URL: {path} is a directory, not a database file.")


def _check_server(config: dict[str, Any]) -> None:
    options = config["OPTIONS"]
    # A socket stands for the host: unix_socket for MySQL, host for PostgreSQL.
    if not (config.get("HOST") or options.get("unix_socket") or options.get("host")):
        raise ImproperlyConfigured("DATABASE_URL: the address names no host.")
    if not config.get("NAME"):
        raise ImproperlyConfigured("DATABASE_URL: the address names no database.")
