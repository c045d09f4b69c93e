"""A whole site for tests: real daphne and real qcluster processes over a database of their own."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx2
from django.db.utils import ConnectionHandler
from websockets.sync.client import ClientConnection, connect

from arboris.settings import database_from_url
from arboris.supervise import reserved_port
from tests import migrated
from tests.analyzers import BRAKE, SLOW
from tests.checkout import ROOT
from tests.live_setup import PASSWORD
from tests.waiting import PATIENCE_SECONDS, wait_for

# A worker may get no turn for a while. What waits for its end ends it: live_rows.end_leases.
LEASE_SECONDS = 60.0
POLL_SECONDS = 0.5
ENDED = {"completed", "failed", "cancelled"}


@dataclass(slots=True)
class Site:
    """Where the live site is and how to use it; ``tokens`` by user name, ``env`` its settings."""

    directory: Path
    port: int
    tokens: dict[str, str]
    database_url: str
    env: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def brake(self) -> Path:
        return self.directory / "brake"

    def client(self, user: str = "writer") -> httpx2.Client:
        headers = {"Authorization": f"Token {self.tokens[user]}"} if user else {}
        return httpx2.Client(
            base_url=self.url, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False
        )

    @contextlib.contextmanager
    def signed_in(self, user: str = "writer") -> Iterator[httpx2.Client]:
        """A client with a session, signed in through the page's form like a browser."""
        with self.client("") as client:
            client.get("/login").raise_for_status()
            form = {"username": user, "password": PASSWORD}
            form["csrfmiddlewaretoken"] = client.cookies["csrftoken"]
            answer = client.post("/login", data=form, headers={"Origin": self.url})
            assert answer.status_code == 302, answer.text
            yield client

    def socket(self, query: str = "", *, user: str = "writer", **options: Any) -> ClientConnection:
        """A WebSocket with the user's token ('' : nobody's)."""
        headers = {"Authorization": f"Token {self.tokens[user]}"} if user else {}
        options.setdefault("additional_headers", headers)
        # A server that gets no turn for a while is not gone.
        options.setdefault("ping_interval", None)
        address = f"ws://127.0.0.1:{self.port}/ws/notifications{query}"
        socket: ClientConnection = connect(
            address, proxy=None, open_timeout=PATIENCE_SECONDS, **options
        )
        return socket

    def log(self) -> str:
        """The end of what the processes wrote."""
        logs = sorted(self.directory.glob("*.log"))
        return "\n".join(f"{log.name}:\n{log.read_text()[-3000:]}" for log in logs)


def wait_for_task(client: httpx2.Client, task_id: int, *statuses: str) -> dict[str, Any]:
    """The task once it has one of the states (by default: once it has ended)."""
    wanted = set(statuses) or ENDED

    def read() -> dict[str, Any] | None:
        task: dict[str, Any] = client.get(f"/api/async-analysis/tasks/{task_id}").json()
        return task if task["status"] in wanted else None

    found = wait_for(read, f"task {task_id} {sorted(wanted)}")
    assert found is not None
    return found


@contextlib.contextmanager
def running(
    directory: Path, extra: dict[str, str], own_url: str = "", *, workers: bool = True
) -> Iterator[Site]:
    """A site under ``directory``, stopped by SIGTERM; AssertionError where that was not enough.

    ``own_url``: its database, where that is another than ``database_url`` would make. Without
    ``workers`` it is the web process alone.
    """
    with (
        contextlib.nullcontext(own_url) if own_url else database_url(directory) as url,
        reserved_port() as port,
    ):
        env = environment(directory, url) | extra
        file = url.removeprefix("sqlite:///")
        tokens = migrated.set_up(env) if file == url else migrated.copy_to(Path(file))
        site = Site(directory, port, tokens, url, env)
        commands = {
            "web": [
                "-m",
                "daphne",
                "-b",
                "127.0.0.1",
                "-p",
                str(site.port),
                "arboris.asgi:application",
            ],
        }
        if workers:
            commands["cluster"] = ["manage.py", "qcluster"]
        try:
            for name, command in commands.items():
                site.processes[name] = start(command, directory / f"{name}.log", env)
            wait_until_ready(site)
            yield site
        finally:
            unwilling = [name for name, process in site.processes.items() if not stop(process)]
        assert not unwilling, f"{unwilling} did not end on SIGTERM\n{site.log()}"


@contextlib.contextmanager
def database_url(directory: Path) -> Iterator[str]:
    """A fresh database on the server that DATABASE_URL names, or a SQLite file."""
    given = os.environ.get("DATABASE_URL", "")
    if not given or given.startswith("sqlite:"):
        yield f"sqlite:///{directory / 'arboris.db'}"
        return
    # More than one site may live at a time; a database name takes letters, digits and _ alone.
    name = f"arboris_live_{os.getpid()}_{secrets.token_hex(4)}"
    server = ConnectionHandler({"default": database_from_url(given)})["default"]
    # PostgreSQL drops no database that somebody is connected to, unless told so.
    options, drop = (
        ("CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "")
        if server.vendor == "mysql"
        else ("ENCODING 'UTF8' TEMPLATE template0", "WITH (FORCE)")
    )
    with server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} {options}")
    server.close()  # not kept open, unused, while the site lives
    try:
        yield urlunsplit(urlsplit(given)._replace(path=f"/{name}"))
    finally:
        with server.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} {drop}")
        server.close()


def environment(directory: Path, url: str) -> dict[str, str]:
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("ARBORIS_", "DJANGO_", "REDIS_"))
    }
    return kept | {
        "DJANGO_SETTINGS_MODULE": "tests.slow_settings",
        "DJANGO_SECRET_KEY": "for-a-live-test-alone" * 2,
        "DATABASE_URL": url,
        "ARBORIS_DATA_DIR": str(directory),
        "ARBORIS_LEASE_SECONDS": str(LEASE_SECONDS),
        "ARBORIS_POLL_INTERVAL": str(POLL_SECONDS),
        "ARBORIS_MAX_CONCURRENT": "2",
        "ARBORIS_FRAMES_PER_SECOND": "50",
        "ARBORIS_WEB_WAIT": str(PATIENCE_SECONDS),  # however slow the machine is
        BRAKE: str(directory / "brake"),
        "PYTHONUNBUFFERED": "1",
    }


def start(command: list[str], log: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    """A session of its own keeps a Ctrl-C of the test run away from it."""
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip


def wait_until_ready(site: Site) -> None:
    asked = "/readyz" if "cluster" in site.processes else "/healthz"

    def ready() -> bool:
        dead = {n: p.returncode for n, p in site.processes.items() if p.poll() is not None}
        assert not dead, f"{dead}\n{site.log()}"
        try:
            return client.get(asked).status_code == 200
        except httpx2.TransportError:
            return False

    with site.client("") as client:
        wait_for(ready, "the site answers")


def stop(process: subprocess.Popen[bytes]) -> bool:
    """Whether SIGTERM was enough, or it had ended already."""
    process.terminate()
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


def slow_text(number: int) -> str:
    """A chapter that waits for the brake."""
    return f"{SLOW}。" + f"第{number}夜，沈砚秋推开听雨楼的木门，檐下的铜铃响了三声。" * 10
