"""Everything that has to hold before a change is good: ``python -m tests.run [pytest arguments]``.

Without arguments: linters, types, contracts, migrations, catalogues, the deployment check, then
the suite on SQLite, and its database part on a private MariaDB and a private PostgreSQL at the
same time. With arguments: only the pytest runs, with those arguments. Every step runs, whatever
failed before it.

What the machine lacks is left out and listed at the end; with CI=true that is a failure, and so
is a skipped test. The last line reads ``N passed, N failed, N skipped``.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from tests import servers

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
MANAGE = (sys.executable, "manage.py")
STEP_LIMIT_SECONDS = 600
STOPPED_WITHIN_SECONDS = 30
NO_TESTS_COLLECTED = 5  # pytest's exit code
# What the caller has set for an installation of theirs must not leak into the tests; PG… is what
# PostgreSQL's client reads by itself.
SETTINGS_PREFIXES = ("DJANGO_", "ARBORIS_", "DATABASE_URL", "REDIS_URL", "PG")
KEPT = {"ARBORIS_CHROMIUM"}
PRODUCTION = {
    "DJANGO_DEBUG": "0",
    "DJANGO_ALLOWED_HOSTS": "example.org",
    "DJANGO_CSRF_TRUSTED_ORIGINS": "https://example.org",
    "ARBORIS_HTTPS": "1",
    "ARBORIS_BEHIND_PROXY": "1",
}

Environment = dict[str, str]


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: Counts) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclass
class Run:
    """The state of one whole run; ``steps`` are (name, it went well, seconds)."""

    directory: Path
    arguments: list[str]
    counts: Counts = field(default_factory=Counts)
    steps: list[tuple[str, bool, float]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def step(self, name: str, work: Callable[[], bool]) -> None:
        print(f"\n── {name}", flush=True)
        started = time.monotonic()
        good = work()
        self.ended(name, good, time.monotonic() - started)

    def ended(self, name: str, good: bool, seconds: float) -> None:
        self.steps.append((name, good, seconds))
        print(f"{'ok' if good else 'FAILED'}: {name}, {seconds:.1f} s", flush=True)

    def leave_out(self, what: str) -> None:
        self.left_out.append(what)
        print(f"\nLEFT OUT: {what}", flush=True)

    def environment(self, name: str) -> Environment:
        """The caller's environment without settings, and a data directory of that name."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in KEPT or not name.startswith(SETTINGS_PREFIXES)
        }
        data = {"ARBORIS_DATA_DIR": str(self.directory / name)}
        return kept | data | {"DJANGO_SECRET_KEY": secrets.token_urlsafe(50)}


@dataclass(frozen=True)
class Suite:
    """One run of pytest: on which database, with which tests."""

    database: str
    results: Path
    command: list[str]
    env: Environment

    @property
    def title(self) -> str:
        return f"tests on {self.database}"

    @property
    def log(self) -> Path:
        return self.results.with_suffix(".log")


def main(arguments: list[str]) -> int:
    os.chdir(ROOT)
    # Unwinds the stack, so that the servers are stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="arboris-tests-") as directory:
        run = Run(Path(directory), arguments)
        if not arguments:
            static_checks(run)
        test_suites(run)
    return report(run)


def static_checks(run: Run) -> None:
    env = run.environment("checks")
    for name, command in (
        ("ruff check", (str(BIN / "ruff"), "check", "--output-format=concise")),
        ("ruff format", (str(BIN / "ruff"), "format", "--check", "--output-format=concise")),
        ("mypy", (sys.executable, "-m", "mypy")),
        ("import contracts", (str(BIN / "lint-imports"),)),
        ("migrations", (*MANAGE, "makemigrations", "--check", "--dry-run")),
    ):
        run.step(name, lambda command=command: succeeds(command, env))  # type: ignore[misc]
    deploy = (*MANAGE, "check", "--deploy", "--fail-level", "WARNING")
    run.step("check --deploy", lambda: succeeds(deploy, env | PRODUCTION))
    try:
        servers.program("msgfmt", "gettext")
    except servers.Missing as missing:
        run.leave_out(f"message catalogues: {missing}")
    else:
        run.step("message catalogues", catalogues_are_compiled)


def test_suites(run: Run) -> None:
    without = ["not bench"]
    needs: list[tuple[str, str, Callable[[], str]]] = [
        ("browser tests", "browser", servers.chromium_path),
        ("tests with Redis", "redis", lambda: servers.program("redis-server", "redis-server")),
    ]
    for what, mark, look in needs:
        try:
            look()
        except servers.Missing as missing:
            run.leave_out(f"{what}: {missing}")
            without.append(f"not {mark}")
    with contextlib.ExitStack() as running:
        suite = suite_on(run, "SQLite", without, running)
        # Alone: its browser tests measure.
        run.step(suite.title, lambda: passes(run, suite, exit_code(suite.command, suite.env)))
    without += ["not browser", "not sqlite_only", "not nodb"]
    with contextlib.ExitStack() as running:
        suites = []
        for database, server in (("MariaDB", mariadb), ("PostgreSQL", servers.postgresql)):
            try:
                url = running.enter_context(server())
            except servers.Missing as missing:
                run.leave_out(f"tests on {database}: {missing}")
            else:
                suites.append(suite_on(run, database, without, running, DATABASE_URL=url))
        if suites:
            side_by_side(run, suites)


@contextlib.contextmanager
def mariadb() -> Iterator[str]:
    require_mysqlclient()
    with servers.mariadb() as url:
        yield url


def require_mysqlclient() -> None:
    if importlib.util.find_spec("MySQLdb") is None:
        raise servers.Missing("mysqlclient (libmariadb-dev, then make setup)")


def suite_on(
    run: Run, database: str, without: list[str], running: contextlib.ExitStack, **settings: str
) -> Suite:
    """A suite with data, results and a Redis of its own, so that several may run at a time."""
    env = run.environment(database) | settings
    if "not redis" not in without:
        env["ARBORIS_TEST_REDIS_URL"] = running.enter_context(servers.redis_server())
    results = run.directory / f"{database}.xml"
    command = [sys.executable, "-m", "pytest", f"--junitxml={results}"]
    command += ["-m", " and ".join(without), *run.arguments]
    return Suite(database, results, command, env)


def side_by_side(run: Run, suites: list[Suite]) -> None:
    """Run the suites at the same time: much of each is waiting. What one has printed is shown
    when it has ended."""
    titles = " and ".join(suite.title for suite in suites)
    print(f"\n── {titles}: each is shown when it has ended", flush=True)
    began, limit = time.monotonic(), STEP_LIMIT_SECONDS * len(suites)
    # Left in reverse: the processes are stopped before the threads, which wait for them, are.
    with ThreadPoolExecutor(len(suites)) as threads, contextlib.ExitStack() as running:
        waiting = {
            threads.submit(ending, running.enter_context(in_background(suite)), limit): suite
            for suite in suites
        }
        for ended in as_completed(waiting):
            suite, code = waiting[ended], ended.result()
            seconds = time.monotonic() - began
            print(f"\n── {suite.title}\n{suite.log.read_text(errors='replace')}", flush=True)
            run.ended(suite.title, passes(run, suite, code), seconds)


@contextlib.contextmanager
def in_background(suite: Suite) -> Iterator[subprocess.Popen[bytes]]:
    with suite.log.open("wb") as log:
        process = subprocess.Popen(
            suite.command, env=suite.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        stop(process)


def ending(process: subprocess.Popen[bytes], limit: float) -> int:
    """The exit code of a suite once it has ended; it is stopped when it takes too long."""
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        print(f"stopped after {limit:g} s")
        stop(process)
        return 1


def stop(process: subprocess.Popen[bytes]) -> None:
    """End pytest, if it has not, so that it takes its servers and sites down first."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOPPED_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def passes(run: Run, suite: Suite, code: int) -> bool:
    run.counts.add(counted(suite.results))
    return code == 0 or (code == NO_TESTS_COLLECTED and bool(run.arguments))


def counted(results: Path) -> Counts:
    """What a pytest run came to; one that left no results counts as one failure."""
    if not results.exists():
        return Counts(failed=1)
    total = Counts()
    for suite in ET.parse(results).getroot().iter("testsuite"):
        tests, failures, errors, skipped = (
            int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
        )
        failed = failures + errors
        total.add(Counts(max(0, tests - failed - skipped), failed, skipped))
    return total


def catalogues_are_compiled() -> bool:
    stale = [path for path in catalogues() if not is_compiled(path)]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is not what its .mo holds: run make messages")
    return not stale


def catalogues() -> Iterator[Path]:
    for package in ("arboris", "analysis", "notifications"):
        yield from sorted((ROOT / package).rglob("locale/*/LC_MESSAGES/*.po"))


def is_compiled(source: Path) -> bool:
    """Whether the .mo beside a .po holds its texts; their order and layout do not matter."""
    with tempfile.NamedTemporaryFile(suffix=".mo") as fresh:
        if exit_code(["msgfmt", "--check-format", "-o", fresh.name, str(source)], None):
            return False
        expected, found = (
            subprocess.run(["msgunfmt", path], capture_output=True, check=False).stdout
            for path in (fresh.name, source.with_suffix(".mo"))
        )
    return expected == found


def succeeds(command: tuple[str, ...], env: Environment) -> bool:
    return exit_code(list(command), env) == 0


def exit_code(command: list[str], env: Environment | None) -> int:
    try:
        return subprocess.run(
            command, env=env, stdin=subprocess.DEVNULL, timeout=STEP_LIMIT_SECONDS, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        print(f"stopped after {STEP_LIMIT_SECONDS} s")
        return 1


def report(run: Run) -> int:
    print("\n── summary")
    for name, good, seconds in run.steps:
        print(f"{'ok    ' if good else 'FAILED'} {seconds:7.1f} s  {name}")
    for what in run.left_out:
        print(f"LEFT OUT          {what}")
    complete = not run.left_out and not run.counts.skipped
    if not complete and in_ci():
        print("FAILED: under CI nothing may be left out or skipped")
    print(run.counts, flush=True)
    good = all(good for _, good, _ in run.steps) and not run.counts.failed
    return 0 if good and (complete or not in_ci()) else 1


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
