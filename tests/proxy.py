"""Between a client and its database server: lets everything through, until the line is cut."""

from __future__ import annotations

import contextlib
import select
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from arboris.settings import database_from_url
from tests.waiting import PATIENCE_SECONDS

CHUNK = 65_536
DEFAULT_PORTS = {"mysql": 3306, "postgresql": 5432}


class Proxy:
    """Listens on a Unix socket; each connection is served by a thread of its own."""

    def __init__(self, path: Path, server: str | tuple[str, int]) -> None:
        self._server = server
        self._wanted = b""
        self._left: int | None = None  # requests until the line is cut
        self._arrives = True
        self._lines: list[tuple[socket.socket, socket.socket]] = []
        # Set once the line was cut, or swallows.
        self.lost = threading.Event()
        self._fatal: Callable[[bytes], bool] | None = None
        self._deaf: set[socket.socket] = set()  # whose lines swallow
        self._told_of_ends = True
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen()
        self._ends, self._end = socket.socketpair()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def lose_answer_to_commit(self, after: str) -> None:
        """Of the first transaction that says this text: it is committed, and nobody is told."""
        self._wanted = after.encode()

    def cut(self, request: int, *, arrives: bool) -> None:
        """The line, at the so-many-th request from now on (1: the next).

        It ``arrives``, and its answer is lost; or it is lost itself.
        """
        self._left, self._arrives = request, arrives
        self.lost.clear()

    def swallow(self, at: Callable[[bytes], bool], *, ends: bool) -> None:
        """From the next such request on: it arrives, and nothing else on the lines there are then.

        New ones are as before. ``ends``: whether the server is told that a client has hung up.
        """
        self._told_of_ends, self._fatal = ends, at
        self.lost.clear()

    def hang_up(self) -> None:
        """Cut the line that was opened first, now, whatever the server is at."""
        for end in self._lines[0]:
            with contextlib.suppress(OSError):  # closed already, because of the other one
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._end.close()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        self._listening.close()
        self._ends.close()

    def _accept(self) -> None:
        while self._ends not in select.select([self._listening, self._ends], [], [])[0]:
            client, _ = self._listening.accept()
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        family = socket.AF_UNIX if isinstance(self._server, str) else socket.AF_INET
        with client, socket.socket(family) as server:
            server.connect(self._server)
            self._lines.append((client, server))
            try:
                with contextlib.suppress(OSError):  # one of the two has hung up
                    self._relay(client, server)
            finally:
                self._lines.remove((client, server))

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        said = b""  # in the running transaction
        while True:
            ready, _, _ = select.select([client, server, self._ends], [], [])
            if self._ends in ready:
                return
            if client in self._deaf:
                return self._swallow(client, server)
            if server in ready:
                answer = server.recv(CHUNK)
                if not answer:
                    return
                client.sendall(answer)
            if client in ready:
                request = client.recv(CHUNK)
                if not request:
                    return
                if self._fatal and self._fatal(request):
                    self._fatal = None
                    server.sendall(request)
                    self._deaf = {one for one, _ in self._lines}
                    self.lost.set()
                if client in self._deaf:
                    return self._swallow(client, server)
                if self._left is not None:
                    self._left -= 1
                    if not self._left:
                        self._cut(client, server, request)
                        return
                server.sendall(request)
                said += request
                if b"COMMIT" not in request:
                    continue
                if self._wanted and self._wanted in said:
                    self._wanted = b""
                    server.recv(CHUNK)  # it is done
                    self.lost.set()
                    return
                said = b""

    def _swallow(self, client: socket.socket, server: socket.socket) -> None:
        """Confirms whatever comes, as the kernels of a silent middle do, and passes on nothing."""
        listening = [client, server, self._ends]
        while self._ends not in (ready := select.select(listening, [], [])[0]):
            for end in ready:
                if end.recv(CHUNK):
                    continue
                if self._told_of_ends:
                    return
                listening.remove(end)

    def _cut(self, client: socket.socket, server: socket.socket, request: bytes) -> None:
        self._left = None
        if self._arrives:
            server.sendall(request)
            # A long statement comes in pieces, and is answered when the last of them has come.
            while server not in select.select([client, server], [], [])[0]:
                server.sendall(client.recv(CHUNK))
            server.recv(CHUNK)  # it is done
        self.lost.set()


@contextlib.contextmanager
def between(connection: BaseDatabaseWrapper) -> Iterator[Proxy]:
    """A proxy that new connections of this alias go through, those of other threads as well."""
    config: dict[str, Any] = connection.settings_dict
    kept = {**config, "OPTIONS": dict(config["OPTIONS"])}
    with _proxy(config, connection.vendor) as (proxy, place):
        if connection.vendor == "mysql":
            config["OPTIONS"]["unix_socket"], config["HOST"] = place, "localhost"
        else:
            config["OPTIONS"].pop("host", None)
            config["HOST"] = place
        connection.close()
        try:
            yield proxy
        finally:
            connection.close()
            config.update(kept)


@contextlib.contextmanager
def in_front_of(url: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy, and the address by which a database server is reached through it."""
    vendor = "mysql" if url.startswith("mysql:") else "postgresql"
    config = database_from_url(url)
    with _proxy(config, vendor) as (proxy, place):
        user = f"{config['USER']}:{config['PASSWORD']}" if config["PASSWORD"] else config["USER"]
        if vendor == "mysql":
            yield proxy, f"mysql://{user}@localhost/{config['NAME']}?unix_socket={place}"
        else:
            port = _port(config, vendor)
            yield proxy, f"postgres://{user}@/{config['NAME']}?host={place}&port={port}"


@contextlib.contextmanager
def _proxy(config: dict[str, Any], vendor: str) -> Iterator[tuple[Proxy, str]]:
    """And where a client finds it: a socket's path, of PostgreSQL the directory."""
    options = config["OPTIONS"]
    with tempfile.TemporaryDirectory(prefix="arboris-proxy-") as directory:
        port = _port(config, vendor)
        host = config["HOST"] or options.get("host") or "127.0.0.1"
        server: str | tuple[str, int] = (host, port)
        if vendor == "mysql":
            path = Path(directory, "m.sock")
            server = options.get("unix_socket") or server
        else:
            path = Path(directory, f".s.PGSQL.{port}")
            if host.startswith("/"):
                server = f"{host}/{path.name}"
        proxy = Proxy(path, server)
        try:
            yield proxy, str(path) if vendor == "mysql" else directory
        finally:
            proxy.close()


def _port(config: dict[str, Any], vendor: str) -> int:
    return int(config["PORT"] or config["OPTIONS"].get("port") or DEFAULT_PORTS[vendor])
