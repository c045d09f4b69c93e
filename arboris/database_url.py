"""Django's settings for the database of an address, with what this project relies on per engine."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.signals import connection_created

from arboris.env import make_directory

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

# Nobody may hang where a server is cut off, or a connection is dropped on its way in silence.
CONNECT_SECONDS = 5
COMMAND_SECONDS = 3600  # what an operator runs may read and change whole tables
# A transaction whose client is silent for so many answers is over: it may be cut off, with a lock.
IDLE_ANSWERS = 2
# A lock is given up before the answer is: whoever waits for it then knows why.
LOCK_SHARE = 2 / 3
SERVING_COMMANDS = {"qcluster", "process_analysis", "runserver"}
_SQLITE: dict[str, Any] = {
    # A transaction that will write waits for its turn at the start, instead of failing half way
    # with "database is locked".
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # 16 MB of log between two checkpoints, each of which waits for the disk.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
    "PRAGMA wal_autocheckpoint=4000;",
}


def seconds_to_answer(argv: Sequence[str], serving: int) -> int | None:
    """How long a process of this command line waits for one answer of its database; None: for any
    time. ``serving``: what holds for web and workers."""
    if Path(argv[0]).name not in {"manage.py", "arboris", "django-admin"} or len(argv) < 2:
        return serving
    if argv[1] == "migrate":  # a large table takes its time to change
        return None
    return serving if argv[1] in SERVING_COMMANDS else max(serving, COMMAND_SECONDS)


def read_database_url(
    url: str, data_dir: Path, *, kept: bool, answer: int | None = None
) -> dict[str, Any]:
    """Django's settings for one database. Raises ImproperlyConfigured.

    ``kept``: whether a connection outlives a request or a task. ``answer``: the seconds within
    which a server has to answer; None: any. SQLite's file is expected in ``data_dir``, which is
    made for it.
    """
    try:
        parsed = dj_database_url.parse(
            url, conn_max_age=600 if kept else 0, conn_health_checks=kept
        )
    except ValueError:  # without its text: that one may hold the password
        raise ImproperlyConfigured("DATABASE_URL: this is no valid address.") from None
    config: dict[str, Any] = dict(parsed)
    engine = config["ENGINE"].rsplit(".", 1)[-1]
    given = config.get("OPTIONS", {})
    if engine == "sqlite3":
        config["OPTIONS"] = given | _SQLITE
        _check_file(config, data_dir)
        config["TEST"] = {"NAME": str(data_dir / "test.db")}
        return config
    # What the address says (as in "?read_timeout=120") goes before what we think.
    options = config["OPTIONS"] = {"connect_timeout": CONNECT_SECONDS} | given
    _check_server(config)
    if engine == "mysql":
        _for_mysql(config, options, answer)
    else:
        _for_postgresql(config, options, answer)
    return config


def _for_mysql(config: dict[str, Any], options: dict[str, Any], answer: int | None) -> None:
    start = "SET time_zone='+00:00', sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'"
    if answer is not None:
        config["OPTIONS"] = options = {"read_timeout": answer, "write_timeout": answer} | options
        wait = int(options["read_timeout"])
        start += f", innodb_lock_wait_timeout={max(1, int(wait * LOCK_SHARE))}"
        # Of these two MySQL knows neither; MariaDB alone reads such a comment.
        start += f" /*M!100300 , idle_transaction_timeout={wait * IDLE_ANSWERS} */"
    options |= {"charset": "utf8mb4", "isolation_level": "read committed", "init_command": start}
    config["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_bin"}


def _for_postgresql(config: dict[str, Any], options: dict[str, Any], answer: int | None) -> None:
    from psycopg import IsolationLevel  # 50 ms that the other engines need not wait for

    # Whatever the server's default is: who waited for a lock has to see what was committed.
    options["isolation_level"] = IsolationLevel.READ_COMMITTED
    # Django closes them without making the driver's errors its own, so that a line which is
    # cut then would be no outage; and nothing that is read here is too long for memory.
    config["DISABLE_SERVER_SIDE_CURSORS"] = True
    config["TEST"] = {"CHARSET": "UTF8", "TEMPLATE": "template0"}
    if answer is None:
        return
    # libpq knows no such limit: arboris.database_url.limit_answers, once the connection is there.
    wait = config["ANSWER_SECONDS"] = int(options.pop("read_timeout", answer))
    # The kernel asks whether the server is there still, also while a statement takes its time.
    probes = 3
    every = max(1, wait // (probes + 1))
    alive = {"keepalives_idle": every, "keepalives_interval": every, "keepalives_count": probes}
    lock, idle = int(wait * LOCK_SHARE * 1000), wait * IDLE_ANSWERS * 1000
    session = f"-c lock_timeout={lock} -c idle_in_transaction_session_timeout={idle}"
    # Of the server as well, which would keep what a client that is cut off has locked.
    session += f" -c tcp_keepalives_idle={every} -c tcp_keepalives_interval={every}"
    limits = alive | {"tcp_user_timeout": wait * 1000, "options": session}
    config["OPTIONS"] = limits | options


def limit_answers(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Receiver of connection_created: PostgreSQL's driver waits for an answer so long, not longer.

    What lies between may confirm for the kernel what it does not pass on.
    """
    seconds = connection.settings_dict.get("ANSWER_SECONDS")
    if connection.vendor == "postgresql" and seconds is not None:
        driver: Any = connection.connection
        driver.wait = partial(_wait, weakref.proxy(driver), type(driver).wait, seconds)


def _wait(driver: Any, wait: Any, seconds: float, answer: Any, **options: Any) -> Any:
    from psycopg import OperationalError

    try:
        return wait(driver, answer, **{"timeout": seconds} | options)
    except OperationalError as error:
        if type(error).__name__ != "_WaitTimeout":
            raise
        driver.close()  # nothing else can be asked while an answer is due
        raise OperationalError(f"the server has not answered within {seconds:g} s") from error


connection_created.connect(limit_answers, dispatch_uid="arboris-limit-answers")


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
