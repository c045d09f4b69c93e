"""Everything that has to hold before a change is good: ``python -m tests.run [pytest arguments]``.

Without arguments: linters, types, contracts, migrations, catalogues, the deployment check, the
suite on SQLite, the tests marked ``databases`` on a private MariaDB too, and of those the ones
marked ``postgresql`` on a private PostgreSQL. With arguments: only the pytest runs, with those
arguments. ``--on DATABASE``: on that one alone, all that are marked ``databases``.
``--fast [paths]``: what ``make check`` runs, the static checks and the tests of SQLite that start
no process.

The steps run side by side; what one has printed is shown when it has ended. Every step runs,
whatever failed before it, for as long as it takes: only a single test that hangs is ended (see
setup.cfg). However the run ends, every process that it has started ends with it.

What the machine lacks is left out and listed at the end; with CI=true that is a failure, and so
is a skipped test. The last line reads ``N passed, N failed, N skipped``.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import secrets
import signal
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests import contained, migrated, servers
from tests.jobs import Ended, Environment, Job, side_by_side

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
MANAGE = (sys.executable, "manage.py")
CORES = len(os.sched_getaffinity(0))
AT_A_TIME = 2 * CORES  # much of a suite is waiting
NO_TESTS_COLLECTED = 5  # pytest's exit code
# What the caller has set for an installation of theirs must not leak into the tests; PG… is what
# PostgreSQL's client reads by itself.
# Without its bytecode every process compiles this project anew, and every pytest all tests: 4 s.
SETTINGS_PREFIXES = (
    "DJANGO_", "ARBORIS_", "DATABASE_URL", "REDIS_URL", "PG", "PYTHONDONTWRITEBYTECODE",
)  # fmt: skip
KEPT = {"ARBORIS_CHROMIUM"}
PRODUCTION = {
    "DJANGO_DEBUG": "0",
    "DJANGO_ALLOWED_HOSTS": "example.org",
    "DJANGO_CSRF_TRUSTED_ORIGINS": "https://example.org",
    "ARBORIS_HTTPS": "1",
    "ARBORIS_BEHIND_PROXY": "1",
}


@dataclass(frozen=True)
class Check:
    """A static check; ``needs`` raises Missing where the machine lacks its program."""

    title: str
    command: Sequence[str]
    needs: Callable[[], object] = lambda: None
    env: Environment = field(default_factory=dict)


CHECKS = (
    Check("mypy", (sys.executable, "-m", "mypy")),
    Check("ruff check", (str(BIN / "ruff"), "check", "--output-format=concise")),
    Check("ruff format", (str(BIN / "ruff"), "format", "--check", "--output-format=concise")),
    Check("import contracts", (str(BIN / "lint-imports"),)),
    Check("page scripts", ("deploy/js/check.sh",), servers.npm_program),
)
MORE_CHECKS = (
    Check("migrations", (*MANAGE, "makemigrations", "--check", "--dry-run")),
    Check(
        "check --deploy",
        (*MANAGE, "check", "--deploy", "--fail-level", "WARNING"),
        env=PRODUCTION,
    ),
    Check(
        "alert rules",
        ("promtool", "test", "rules", "deploy/prometheus/arboris.rules.test.yml"),
        servers.promtool_program,
    ),
    Check("message catalogues", (sys.executable, "-m", "tests.catalogues"), servers.msgfmt_program),
)


def needs_of_mariadb() -> None:
    servers.mariadb_programs()
    if importlib.util.find_spec("MySQLdb") is None:
        raise servers.Missing("mysqlclient (libmariadb-dev, then make setup)")


@dataclass(frozen=True)
class Database:
    """``marks``: of the tests that are repeated on it; ``in_whole_runs``: those of a whole run."""

    needs: Callable[[], object]
    marks: Sequence[str] = ()
    in_whole_runs: Sequence[str] = ()


DATABASES = {
    "SQLite": Database(lambda: None),
    "MariaDB": Database(needs_of_mariadb, ["databases"], ["databases"]),
    "PostgreSQL": Database(servers.postgresql_programs, ["databases"], ["postgresql"]),
}


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
    """The state of one whole run; ``steps`` are those that have ended, and whether it was well."""

    directory: Path
    arguments: list[str]
    counts: Counts = field(default_factory=Counts)
    steps: list[tuple[Ended, bool]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def has(self, what: str, needs: Callable[[], object]) -> bool:
        """Whether the machine has it; what it lacks is said and kept for the report."""
        try:
            needs()
        except servers.Missing as missing:
            self.left_out.append(f"{what}: {missing}")
            print(f"LEFT OUT: {self.left_out[-1]}", flush=True)
            return False
        return True

    def job(self, title: str, command: Sequence[str], **settings: str) -> Job:
        """With the caller's environment without settings, and a data directory of its own."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in KEPT or not name.startswith(SETTINGS_PREFIXES)
        }
        directory = self.directory / title.replace(" ", "-")
        data = {
            "ARBORIS_DATA_DIR": str(directory / "data"),
            "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
            migrated.SHARED: os.environ.get(migrated.SHARED, str(self.directory / "migrated")),
        }
        return Job(title, command, kept | data | settings, directory)

    def suite(self, title: str, database: str, marks: Sequence[str], *paths: str) -> Job:
        job = self.job(title, ())
        command = [sys.executable, "-m", "tests.suite", database, f"--junitxml={job.results}"]
        command += ["-m", " and ".join(marks), *self.arguments, *paths]
        return Job(job.title, command, job.env, job.directory)

    def ended(self, one: Ended) -> None:
        good = one.code == 0 or (one.code == NO_TESTS_COLLECTED and bool(self.arguments))
        if "tests.suite" in one.job.command:
            self.counts.add(counted(one.job.results))
        self.steps.append((one, good))
        word = "ok" if good else "FAILED"
        print(f"\n── {one.job.title}\n{one.output()}{word}: {one.seconds:.1f} s", flush=True)


def main(arguments: list[str]) -> int:
    os.chdir(ROOT)
    parser = argparse.ArgumentParser(prog="python -m tests.run", allow_abbrev=False)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--on", choices=sorted(DATABASES))
    options, arguments = parser.parse_known_args(arguments)
    # Unwinds the stack, so that the jobs are ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    contained.adopt_orphans()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="arboris-tests-") as directory:
        Path(directory).chmod(0o711)  # PostgreSQL runs as another user, below it
        run = Run(Path(directory), arguments)
        jobs = fast_jobs(run) if options.fast else whole_jobs(run, options.on)
        print("side by side: " + ", ".join(job.title for job in jobs), flush=True)
        try:
            for one in side_by_side(jobs, AT_A_TIME):
                run.ended(one)
        finally:
            contained.end_all_below()
    return report(run, time.monotonic() - began)


def fast_jobs(run: Run) -> list[Job]:
    marks = ["not process", "not slow", "not redis", "not bench"]
    run.arguments += ["-n", str(CORES), "--dist", "worksteal", "--durations=5"]
    return [*static_checks(run, CHECKS), run.suite("fast tests", "SQLite", marks)]


def whole_jobs(run: Run, only: str | None) -> list[Job]:
    """What takes longest first, so that both cores have work to the end; the shortest last."""
    marks = ["not bench"]
    if not run.has("browser tests", servers.chromium_path):
        marks.append("not browser")
    if not run.has("tests with Redis", servers.redis_program):
        marks.append("not redis")
    everything = not (run.arguments or only)
    jobs = []
    for name, database in DATABASES.items():
        if only in {None, name} and run.has(f"tests on {name}", database.needs):
            repeated = database.in_whole_runs if everything else database.marks
            jobs.append(run.suite(f"tests on {name}", name, [*repeated, *marks]))
    if everything:
        jobs = [*jobs[1:2], *sqlite_in_parts(run, marks), *jobs[2:]]
        jobs += static_checks(run, CHECKS + MORE_CHECKS)
    return jobs


def sqlite_in_parts(run: Run, marks: list[str]) -> list[Job]:
    """The largest suite as several, each with a live site of its own where it needs one."""
    parts = {
        "tests on SQLite": ["not process"],
        "processes on SQLite alone": ["process", "not databases", "not browser"],
        "processes on SQLite": ["process", "databases", "not browser"],
    }
    jobs = [run.suite(title, "SQLite", [*part, *marks]) for title, part in parts.items()]
    if "not browser" not in marks:  # those are in one directory: no other is read
        jobs.insert(2, run.suite("browser tests", "SQLite", marks, "tests/browser"))
    return jobs


def static_checks(run: Run, checks: Sequence[Check]) -> list[Job]:
    return [
        run.job(check.title, check.command, **check.env)
        for check in checks
        if run.has(check.title, check.needs)
    ]


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


def report(run: Run, seconds: float) -> int:
    print("\n── summary")
    for one, good in run.steps:
        times = f"{one.seconds:7.1f} s {one.processor_seconds:7.1f} s of processor time"
        print(f"{'ok    ' if good else 'FAILED'} {times}  {one.job.title}")
    for what in run.left_out:
        print(f"LEFT OUT  {what}")
    processor = sum(one.processor_seconds for one, _ in run.steps)
    print(f"       {seconds:7.1f} s {processor:7.1f} s of processor time  in all")
    complete = not run.left_out and not run.counts.skipped
    if not complete and in_ci():
        print("FAILED: under CI nothing may be left out or skipped")
    print(run.counts, flush=True)
    good = all(good for _, good in run.steps) and not run.counts.failed
    return 0 if good and (complete or not in_ci()) else 1


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
