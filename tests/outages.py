"""A database server of one's own that goes away in every way a real one does, and comes back."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.db import Error
from django.db.utils import ConnectionHandler

from arboris.settings import database_from_url
from tests import servers
from tests.bench.chaos_servers import Server, killable
from tests.waiting import wait_for

STARTERS = {"mysql": servers.mariadb, "postgres": servers.postgresql}
SITE_ACCOUNT = "site"
UNKNOWN_THREAD = 1094


@dataclass
class Database:
    """``url`` is what the site uses: on MariaDB an account that a read-only server binds."""

    server: Server
    url: str
    vendor: str

    @contextlib.contextmanager
    def cursor(self) -> Iterator[Any]:
        """The administrator's."""
        connection = ConnectionHandler({"default": database_from_url(self.server.url)})["default"]
        try:
            with connection.cursor() as opened:
                yield opened
        finally:
            connection.close()

    def run(self, *statements: str) -> None:
        with self.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def answers(self) -> bool:
        self.server.keep_up()
        try:
            self.run("SELECT 1")
        except Error:
            return False
        return True

    def start(self) -> None:
        """Start the killed server again; returns as soon as it answers."""
        self.server.start()
        wait_for(self.answers, "the database server is back")

    def cut_all(self) -> int:
        """End every connection of the site, whatever it is doing; how many there were."""
        if self.vendor == "postgresql":
            with self.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                return len(cursor.fetchall())
        with self.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM information_schema.processlist WHERE user = %s", [SITE_ACCOUNT]
            )
            found = [number for (number,) in cursor.fetchall()]
            for number in found:
                try:
                    cursor.execute(f"KILL CONNECTION {number}")
                except Error as error:
                    if error.args[0] != UNKNOWN_THREAD:  # it ended by itself
                        raise
        return len(found)

    def set_read_only(self, on: bool) -> None:
        """As a server that was made a replica, or one that protects its last bytes of disk."""
        if self.vendor == "postgresql":
            self.run(
                f"ALTER SYSTEM SET default_transaction_read_only = {'on' if on else 'off'}",
                "SELECT pg_reload_conf()",
            )
        else:
            self.run(f"SET GLOBAL read_only = {int(on)}")


def kind() -> str:
    """What DATABASE_URL names: mysql, postgres, or nothing where that is SQLite."""
    scheme = urlsplit(os.environ.get("DATABASE_URL", "")).scheme
    return {"postgresql": "postgres"}.get(scheme, scheme) if scheme != "sqlite" else ""


@contextlib.contextmanager
def database(scheme: str) -> Iterator[Database]:
    """A killable server with an empty database; raises servers.Missing."""
    with killable(STARTERS[scheme]) as server:
        if scheme == "postgres":
            yield Database(server, server.url, "postgresql")
            return
        found = Database(server, urlunsplit(_as_site(server.url)), "mysql")
        found.run(
            f"CREATE USER {SITE_ACCOUNT}@localhost",
            f"GRANT ALL ON arboris.* TO {SITE_ACCOUNT}@localhost",
        )
        yield found


def _as_site(url: str) -> Any:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.replace("root@", f"{SITE_ACCOUNT}@"))
