"""Everything that has to hold before a change is good: ``python -m tests.run [pytest arguments]``.

Without arguments: linters, types, contracts, migrations, catalogues, the deployment check, then
the suite on SQLite and its database part on a private MariaDB. With arguments: only the two
pytest runs, with those arguments. Every step runs, whatever failed before it.

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
from dataclasses import dataclass, field
from pathlib import Path

from tests import servers

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
MANAGE = (sys.executable, "manage.py")
STEP_LIMIT_SECONDS = 600
NO_TESTS_COLLECTED = 5  # pytest's exit code
# What the caller has set for an installation of theirs must not leak into the tests.
SETTINGS_PREFIXES = ("DJANGO_", "ARBORIS_", "DATABASE_URL", "REDIS_URL")
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
        seconds = time.monotonic() - started
        self.steps.append((name, good, seconds))
        print(f"{'ok' if good else 'FAILED'}: {name}, {seconds:.1f} s", flush=True)

    def leave_out(self, what: str) -> None:
        self.left_out.append(what)
        print(f"\nLEFT OUT: {what}", flush=True)

    @property
    def environment(self) -> Environment:
        """The caller's environment without settings, and a data directory of our own."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in KEPT or not name.startswith(SETTINGS_PREFIXES)
        }
        data = {"ARBORIS_DATA_DIR": str(self.directory / "data")}
        return kept | data | {"DJANGO_SECRET_KEY": secrets.token_urlsafe(50)}


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
    env = run.environment
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
    env = run.environment
    with contextlib.ExitStack() as running:
        try:
            servers.chromium_path()
        except servers.Missing as missing:
            run.leave_out(f"browser tests: {missing}")
            without.append("not browser")
        try:
            env["ARBORIS_TEST_REDIS_URL"] = running.enter_context(servers.redis_server())
        except servers.Missing as missing:
            run.leave_out(f"tests with Redis: {missing}")
            without.append("not redis")
        run.step("tests on SQLite", lambda: pytest_passes(run, "sqlite", without, env))
        try:
            require_mysqlclient()
            env["DATABASE_URL"] = running.enter_context(servers.mariadb())
        except servers.Missing as missing:
            run.leave_out(f"tests on MariaDB: {missing}")
        else:
            without += ["not browser", "not sqlite_only", "not nodb"]
            run.step("tests on MariaDB", lambda: pytest_passes(run, "mariadb", without, env))


def require_mysqlclient() -> None:
    if importlib.util.find_spec("MySQLdb") is None:
        raise servers.Missing("mysqlclient (libmariadb-dev, then make setup)")


def pytest_passes(run: Run, name: str, without: list[str], env: Environment) -> bool:
    results = run.directory / f"{name}.xml"
    command = [sys.executable, "-m", "pytest", f"--junitxml={results}"]
    command += ["-m", " and ".join(dict.fromkeys(without)), *run.arguments]
    code = exit_code(command, env)
    run.counts.add(counted(results))
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
