"""One run of pytest on one database, with servers of its own:
``python -m tests.suite SQLite|MariaDB|PostgreSQL [pytest arguments]``.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

from tests import servers

# None: the embedded one. Their durability is no matter of these tests; test_outage.py, whose
# server is killed, starts its own.
DATABASES: dict[str, Callable[[], AbstractContextManager[str]] | None] = {
    "SQLite": None,
    "MariaDB": functools.partial(servers.mariadb, durable=False),
    "PostgreSQL": functools.partial(servers.postgresql, durable=False),
}
# What a server has to be reached and to answer, in seconds: a large table takes its time to be
# filled on a machine with other work.
TIME = {
    "MariaDB": "&connect_timeout=60&read_timeout=600&write_timeout=600",
    "PostgreSQL": "&connect_timeout=60",
}


def main(database: str, arguments: list[str]) -> int:
    """pytest's exit code; SIGINT reaches pytest as one, and the servers end after it."""
    with contextlib.ExitStack() as running:
        env = dict(os.environ)
        if start := DATABASES[database]:
            env["DATABASE_URL"] = running.enter_context(start()) + TIME[database]
        with contextlib.suppress(servers.Missing):  # the caller has left its tests out
            env["ARBORIS_TEST_REDIS_URL"] = running.enter_context(servers.redis_server())
        process = subprocess.Popen([sys.executable, "-m", "pytest", *arguments], env=env)
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
