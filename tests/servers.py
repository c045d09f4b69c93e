"""Throwaway servers for tests and benchmarks: each in a temporary directory, stopped by its pid.

What the machine lacks raises ``Missing``, which names the Debian package. Run as a module, this
prints the packages that are missing, one a line.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from arboris import supervise

READY_WITHIN_SECONDS = 180
STOPPED_WITHIN_SECONDS = 60
# Debian keeps servers where the PATH of an ordinary user does not look.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])
INIT_SQL = "CREATE DATABASE IF NOT EXISTS arboris CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;\n"
POSTGRESQL_PROGRAMS = Path("/usr/lib/postgresql")  # one directory a version, none on the PATH
MARIADB_IN_A_HURRY = [
    "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--sync-binlog=0",
    "--innodb-doublewrite=0",
]  # fmt: skip
POSTGRESQL_IN_A_HURRY = [
    "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
]  # fmt: skip
POSTGRESQL_PORT = "5432"  # a part of the socket's name, given so that no PGPORT changes it


class Missing(RuntimeError):
    """A program that the machine lacks; ``package`` is the Debian package that brings it."""

    def __init__(self, package: str) -> None:
        super().__init__(f"{package} is not installed")
        self.package = package


class DidNotStart(RuntimeError):
    """A server ended, or was not ready in time; the message holds the end of its log."""


def program(name: str, package: str, search: str = SEARCH_PATH) -> str:
    """The path of a program; raises Missing."""
    path = shutil.which(name, path=search)
    if path is None:
        raise Missing(package)
    return path


def postgresql_program(name: str) -> str:
    """The path of one of PostgreSQL's programs, the newest version's first; raises Missing."""
    versions = [path for path in POSTGRESQL_PROGRAMS.glob("*/bin") if path.parent.name.isdigit()]
    versions.sort(key=lambda path: int(path.parent.name), reverse=True)
    # The package without a version: each Debian and Ubuntu has another one.
    return program(name, "postgresql", os.pathsep.join([*map(str, versions), SEARCH_PATH]))


@functools.cache
def chromium_path() -> str:
    """A Chromium or Chrome that really runs; raises Missing. ARBORIS_CHROMIUM names another one.

    Its headless shell first: the same pages, without the windows around them that nobody sees.
    """
    names = ["chromium-headless-shell", "chromium", "chromium-browser"]
    names += ["google-chrome-stable", "google-chrome"]
    if given := os.environ.get("ARBORIS_CHROMIUM"):
        names = [given]
    for name in names:
        path = shutil.which(name, path=SEARCH_PATH)
        # Ubuntu has a script of that name which only tells to install the snap.
        if path and _runs(path, "--version"):
            return path
    raise Missing("chromium-headless-shell")


def mariadb_programs() -> tuple[str, str]:
    """Installer and server; raises Missing."""
    program("my_print_defaults", "mariadb-client-core")  # the installer calls it
    server = program("mariadbd", "mariadb-server-core")
    return program("mariadb-install-db", "mariadb-server-core"), server


@contextlib.contextmanager
def mariadb(*, durable: bool = True, kept: Path | None = None) -> Iterator[str]:
    """A private MariaDB; yields the DATABASE_URL of an empty database.

    With its default durability, or without: what it has committed then outlives its own end, and
    not the machine's. ``kept``: a directory that stays, and whose database is taken up again.
    """
    install_db, server = mariadb_programs()
    with contextlib.nullcontext(kept) if kept else _directory("mariadb") as directory:
        data, address = directory / "data", directory / "m.sock"
        # Its temporary tables too: two servers that start at a time would take each other's away.
        common = ["--no-defaults", f"--datadir={data}", f"--tmpdir={directory}"]
        common += [] if durable else MARIADB_IN_A_HURRY
        if os.geteuid() == 0:
            common.append("--user=root")  # refuses to run as root unless told so by name
        create = [install_db, *common, "--auth-root-authentication-method=normal"]
        create += ["--skip-test-db", "--skip-name-resolve"]
        if not data.exists():
            run_quietly(create, directory / "install.log")
        (directory / "init.sql").write_text(INIT_SQL)
        start = [server, *common, f"--socket={address}", "--skip-networking"]
        start += ["--character-set-server=utf8mb4", "--collation-server=utf8mb4_bin"]
        start += [f"--init-file={directory / 'init.sql'}", f"--pid-file={directory / 'pid'}"]
        with _serving(start, directory / "server.log", lambda: _mariadb_greets(address)):
            yield f"mysql://root@localhost/arboris?unix_socket={address}"


def postgresql_programs() -> tuple[str, str, str]:
    """Installer, server and the maker of a database; raises Missing."""
    init, server = postgresql_program("initdb"), postgresql_program("postgres")
    return init, server, postgresql_program("createdb")


@contextlib.contextmanager
def postgresql(*, durable: bool = True) -> Iterator[str]:
    """A private PostgreSQL; yields the DATABASE_URL of an empty database. ``durable``: see
    ``mariadb``."""
    init, server, create_database = postgresql_programs()
    account = _account_for_postgresql()
    with _directory("postgresql") as directory:
        data = directory / "data"
        if account:
            os.chown(directory, account.pw_uid, account.pw_gid)
        # Without a sync of the fresh files: they need not outlive this machine's next crash.
        create = [init, f"--pgdata={data}", "--username=arboris", "--auth=trust", "--no-sync"]
        create += ["--encoding=UTF8", "--locale=C"]
        run_quietly(create, directory / "install.log", account)
        start = [server, "-D", str(data), "-k", str(directory), "-p", POSTGRESQL_PORT]
        start += ["-c", "listen_addresses=", *([] if durable else POSTGRESQL_IN_A_HURRY)]
        with _serving(
            start,
            directory / "server.log",
            lambda: _postgresql_is_ready(data),
            account=account,
            stop_by=signal.SIGINT,  # SIGTERM would wait until the last client has gone
        ):
            where = ["-h", str(directory), "-p", POSTGRESQL_PORT, "-U", "arboris"]
            run_quietly([create_database, *where, "arboris"], directory / "database.log")
            yield f"postgres://arboris@/arboris?host={directory}&port={POSTGRESQL_PORT}"


@contextlib.contextmanager
def redis_server() -> Iterator[str]:
    """A private Redis on a free port of the loopback that keeps nothing; yields its REDIS_URL."""
    server = redis_program()
    with _directory("redis") as directory, supervise.reserved_port() as port:
        start = [server, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory)]
        start += ["--save", "", "--appendonly", "no"]
        with _serving(start, directory / "server.log", lambda: _redis_answers(port)):
            yield f"redis://127.0.0.1:{port}/0"


def redis_program() -> str:
    return program("redis-server", "redis-server")


def msgfmt_program() -> str:
    return program("msgfmt", "gettext")


def npm_program() -> str:
    return program("npm", "npm")  # brings Node


def promtool_program() -> str:
    return program("promtool", "prometheus")


def deployment_programs() -> None:
    """What docs/deployment.md is tried out with; raises Missing."""
    program("nginx", "nginx-light")
    program("git", "git")
    program("openssl", "openssl")
    program("systemd-analyze", "systemd")


def prometheus_program() -> str:
    return program("prometheus", "prometheus")


@contextlib.contextmanager
def prometheus(target: str) -> Iterator[str]:
    """A Prometheus that scrapes ``target`` (host:port) every half second; yields its address."""
    server = prometheus_program()
    with _directory("prometheus") as directory, supervise.reserved_port() as port:
        (directory / "prometheus.yml").write_text(
            "global: {scrape_interval: 500ms, scrape_timeout: 500ms}\n"
            "scrape_configs:\n"
            f"  - {{job_name: arboris, static_configs: [{{targets: ['{target}']}}]}}\n"
        )
        start = [server, f"--config.file={directory / 'prometheus.yml'}"]
        start += [f"--storage.tsdb.path={directory / 'data'}"]
        start += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
        with _serving(start, directory / "server.log", lambda: _is_ready(port)):
            yield f"http://127.0.0.1:{port}"


def faketime_library() -> str:
    """What, preloaded, sets the clock of a process; raises Missing."""
    for path in sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")):
        return str(path)
    raise Missing("libfaketime")


def missing_packages() -> list[str]:
    """The Debian packages that the whole test run still lacks on this machine."""
    needs: list[Callable[[], object]] = [
        lambda: program("mariadbd", "mariadb-server-core"),
        mariadb_programs,
        postgresql_programs,
        redis_program,
        msgfmt_program,
        # the commands that the README prints
        lambda: program("sqlite3", "sqlite3"),
        lambda: program("curl", "curl"),
        lambda: program("ps", "procps"),
        npm_program,
        promtool_program,
        deployment_programs,
        faketime_library,
        chromium_path,
    ]
    packages: list[str] = []
    for need in needs:
        try:
            need()
        except Missing as missing:
            packages.append(missing.package)
    return list(dict.fromkeys(packages))


@contextlib.contextmanager
def _directory(name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=f"arboris-{name}-") as directory:
        yield Path(directory)


@contextlib.contextmanager
def _serving(
    command: list[str],
    log: Path,
    ready: Callable[[], bool],
    *,
    account: pwd.struct_passwd | None = None,
    stop_by: signal.Signals = signal.SIGTERM,
) -> Iterator[None]:
    """Run a server while the block runs; a session of its own keeps a Ctrl-C away from it."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            start_new_session=True,
            **_as(account),
        )
    try:
        _await_ready(process, ready, log)
        yield
    finally:
        _stop(process, stop_by)


def _await_ready(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not ready():
        # Waits a moment for the next try, and notices at once when the server has given up.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.02)
            raise DidNotStart(f"{process.args!r} ended with {process.returncode}:\n{_tail(log)}")
        if time.monotonic() > deadline:
            raise DidNotStart(f"{process.args!r} is not ready:\n{_tail(log)}")


def _stop(process: subprocess.Popen[bytes], by: signal.Signals) -> None:
    process.send_signal(by)
    try:
        process.wait(timeout=STOPPED_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _mariadb_greets(address: Path) -> bool:
    """Whether the server sends its handshake (protocol version 10 after a header of 4 bytes)."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(address))
            return client.recv(5)[4:5] == b"\x0a"
        except OSError:
            return False


def _postgresql_is_ready(data: Path) -> bool:
    """Whether the server says so in its file, on the line that its own pg_ctl reads."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"


def _account_for_postgresql() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: the account that root lends it, or None."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _as(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """What subprocess takes to run a program as that account, in none of our groups."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _redis_answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
            client.sendall(b"PING\r\n")
            return client.recv(5) == b"+PONG"
    except OSError:
        return False


def _is_ready(port: int) -> bool:
    """Whether Prometheus takes queries."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def run_quietly(command: list[str], log: Path, account: pwd.struct_passwd | None = None) -> None:
    with log.open("wb") as output:
        code = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            **_as(account),
        ).returncode
    if code:
        raise DidNotStart(f"{command[0]} ended with {code}:\n{_tail(log)}")


def _runs(*command: str) -> bool:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


if __name__ == "__main__":
    for package in missing_packages():
        print(package)
