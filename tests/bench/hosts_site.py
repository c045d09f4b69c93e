"""A whole site on hosts of its own: MariaDB, Redis, two web hosts and worker hosts."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import DatabaseError, InterfaceError, connection

from tests import servers
from tests.bench.hosts_net import Host

WEB_PORT, ENDPOINT_PORT = 8000, 8000
WORKERS = 2  # on a worker host
WEB = ("web1", "web2")
INIT = """CREATE USER site@'%';
GRANT ALL ON arboris.* TO site@'%';
"""
UP_WITHIN_SECONDS = 180.0


@dataclass
class Cluster:
    """The site's hosts by name, and the settings of its processes."""

    hosts: dict[str, Host]
    env: dict[str, str]

    @property
    def workers(self) -> list[Host]:
        return [host for name, host in self.hosts.items() if name.startswith("worker")]

    def start_servers(self, latency: float) -> None:
        start_mariadb(self.hosts["database"])
        redis = self.hosts["redis"]
        start = [servers.redis_program(), "--bind", redis.address, "--save", ""]
        start += ["--protected-mode", "no", "--dir", str(redis.directory)]
        # libfaketime and its allocator call each other.
        redis.start("redis", start, os.environ, clock=False)
        endpoint = ["-m", "tests.bench.hosts_analyzer", str(latency)]
        self.hosts["endpoint"].python("endpoint", endpoint, os.environ)
        wait_until(answers, "MariaDB answers")

    def start_web(self, host: Host) -> None:
        daphne = ["-m", "daphne", "-b", host.address, "-p", str(WEB_PORT)]
        host.python("web", [*daphne, "arboris.asgi:application"], self.env)

    def start_worker(self, host: Host) -> None:
        host.python("cluster", ["manage.py", "qcluster"], self.env)

    def start_again(self, host: Host) -> None:
        (self.start_web if host.name in WEB else self.start_worker)(host)


def settings(directory: Path, hosts: dict[str, Host], analyzer: str) -> dict[str, str]:
    """As an installation has them, but for what this run is about."""
    database, redis = hosts["database"].address, hosts["redis"].address
    return {
        "DJANGO_SETTINGS_MODULE": "tests.bench.hosts_settings",
        "DJANGO_SECRET_KEY": "hosts" * 12,
        "DJANGO_ALLOWED_HOSTS": "*",
        "DATABASE_URL": f"mysql://site@{database}:3306/arboris",
        "REDIS_URL": f"redis://{redis}:6379/0",
        "ARBORIS_DATA_DIR": str(directory),
        "ARBORIS_MAX_CONCURRENT": str(WORKERS),
        "ARBORIS_LOG_LEVEL": "WARNING",
        "HOSTS_ANALYZER": analyzer,
        "HOSTS_ENDPOINT": f"http://{hosts['endpoint'].address}:{ENDPOINT_PORT}/",
        "PYTHONUNBUFFERED": "1",
        "no_proxy": "*",
    }


def start_mariadb(host: Host) -> None:
    install, server = servers.mariadb_programs()
    data, init = host.directory / "data", host.directory / "init.sql"
    common = ["--no-defaults", f"--datadir={data}", f"--tmpdir={host.directory}", "--user=root"]
    create = [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
    servers.run_quietly([*create, "--skip-name-resolve"], host.directory / "install.log")
    init.write_text(servers.INIT_SQL + INIT)
    start = [server, *common, f"--bind-address={host.address}", f"--init-file={init}"]
    start += [f"--socket={host.directory / 'm.sock'}", "--skip-name-resolve", "--port=3306"]
    start += ["--character-set-server=utf8mb4", "--collation-server=utf8mb4_bin"]
    host.start("mariadb", start, os.environ)


def answers() -> bool:
    """Whether this process reaches the database."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        connection.close()
        return False
    return True


def wait_until(
    condition: Callable[[], object], what: str, within: float = UP_WITHIN_SECONDS
) -> None:
    ends = time.monotonic() + within
    while not condition():
        if time.monotonic() > ends:
            raise TimeoutError(f"not within {within:g} s: {what}")
        time.sleep(0.1)
