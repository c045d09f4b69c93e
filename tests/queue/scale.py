"""A queue of full size, filled by the database itself, and what a piece of work costs it there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analysis.models import WorkerHeartbeat
from arboris.db import db_now
from arboris.novels.models import Chapter, ChapterVersion, NovelProject

PENDING, ENDED, PROCESSING = 30_000, 300_000, 8
WRITERS, CHAPTERS = 100, 1_000  # a novel each
TABLE = "pending_analysis"


def fill() -> None:
    """Commit the rows. The table has to be empty."""
    owners = User.objects.bulk_create([User(username=f"scale{n}") for n in range(WRITERS)])
    novels = NovelProject.objects.bulk_create([NovelProject(owner=o, title="大书") for o in owners])
    chapters = Chapter.objects.bulk_create(
        Chapter(project=novels[n % WRITERS], chapter_number=n // WRITERS + 1)
        for n in range(CHAPTERS)
    )
    ChapterVersion.objects.bulk_create(
        ChapterVersion(chapter=chapter, number=1, content="一句话。") for chapter in chapters
    )
    now = db_now()
    WorkerHeartbeat.objects.create(worker="scale:1", started_at=now, seen_at=now)
    # What the database knew of the tests before, a row or none, would plan nested loops.
    analyze(*(m._meta.db_table for m in (NovelProject, Chapter, ChapterVersion)))
    with connection.cursor() as cursor, _hasty():
        params = {"start": now - timedelta(days=60), "lease": now + timedelta(hours=1)}
        cursor.execute(_insert(), params | {"first": min(chapter.pk for chapter in chapters)})
    analyze(TABLE)


def empty() -> None:
    """Take all of it away again."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {TABLE} CASCADE")
        elif connection.vendor == "mysql":
            cursor.execute("SET foreign_key_checks = 0")
            cursor.execute(f"TRUNCATE {TABLE}")
            cursor.execute("SET foreign_key_checks = 1")
        else:
            cursor.execute("PRAGMA foreign_keys = OFF")
            cursor.execute(f"DELETE FROM {TABLE}")  # a truncation, as nothing refers to it
            cursor.execute("PRAGMA foreign_keys = ON")
    WorkerHeartbeat.objects.all().delete()
    for model in (ChapterVersion, Chapter, NovelProject):
        rows = model._default_manager.all()
        rows._raw_delete(rows.db)
    User.objects.filter(username__startswith="scale").delete()


@contextlib.contextmanager
def _hasty() -> Iterator[None]:
    """What only costs time while a table is filled: checks, the disk, and indexes row by row."""
    before, after = {
        "sqlite": (
            "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -500000",
            "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -2000",
        ),
        # InnoDB fills an empty table index by index where nothing is to be checked.
        "mysql": (
            "SET unique_checks = 0, foreign_key_checks = 0",
            "SET unique_checks = 1, foreign_key_checks = 1",
        ),
        "postgresql": (
            "SET synchronous_commit = off; SET session_replication_role = replica;"
            " SET maintenance_work_mem = '256MB'",
            "RESET synchronous_commit; RESET session_replication_role; RESET maintenance_work_mem",
        ),
    }[connection.vendor]
    drop, create = _indexes()
    with connection.cursor() as cursor:
        for statement in [*before.split(";"), *drop]:
            cursor.execute(statement)
        try:
            yield
        finally:
            for statement in [*create, *after.split(";")]:
                cursor.execute(statement)


def _indexes() -> tuple[list[str], list[str]]:
    """What drops the indexes that no constraint needs, and what creates them as they were."""
    query = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        " AND tbl_name = %s",
        "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s"
        " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
    }.get(connection.vendor)
    if query is None:
        return [], []
    with connection.cursor() as cursor:
        cursor.execute(query, [TABLE])
        rows = cursor.fetchall()
    return [f'DROP INDEX "{name}"' for name, _ in rows], [created for _, created in rows]


def analyze(*tables: str) -> None:
    """Let the database look at tables, as servers do by themselves and SQLite does not."""
    if connection.vendor == "sqlite":
        return
    word = "ANALYZE TABLE" if connection.vendor == "mysql" else "ANALYZE"
    with connection.cursor() as cursor:
        cursor.execute(f"{word} {', '.join(tables)}")
        if cursor.description:  # MariaDB answers with how it went
            cursor.fetchall()


def _insert() -> str:
    """One statement: what has ended comes first, as it would have come about, then what lives."""
    total = ENDED + PROCESSING + PENDING
    numbers, later = {
        "sqlite": (
            "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s"
            f" WHERE n < {total}) SELECT n FROM s)",
            "datetime(%(start)s, (n * 4) || ' seconds')",
        ),
        "mysql": (f"(SELECT seq AS n FROM seq_1_to_{total})", "%(start)s + INTERVAL n * 4 SECOND"),
        "postgresql": (
            f"(SELECT n FROM generate_series(1, {total}) n)",
            "%(start)s + n * INTERVAL '4 seconds'",
        ),
    }[connection.vendor]
    ended, pending = f"n <= {ENDED}", f"n > {ENDED + PROCESSING}"
    values = {
        "id": "n",
        "chapter_id": "c.id",
        "version_id": "v.id",
        "project_id": "c.project_id",
        "user_id": "p.owner_id",
        "active_chapter": f"CASE WHEN {ended} THEN NULL ELSE n END",
        "status": (
            f"CASE WHEN {pending} THEN 'pending' WHEN n > {ENDED} THEN 'processing'"
            " WHEN n % 20 = 1 THEN 'failed' WHEN n % 20 = 2 THEN 'cancelled' ELSE 'completed' END"
        ),
        "priority": "CASE WHEN n % 7 = 0 THEN n % 10 + 1 ELSE 5 END",
        "generation_config": "'{}'",
        "error_type": "''",
        "error_message": "''",
        "error_fingerprint": "''",
        "retry_count": "0",
        "max_retries": "3",
        "attempt_count": "0",
        "created_at": later,
        "due_at": later,
        "started_at": f"CASE WHEN {pending} THEN NULL ELSE {later} END",
        "completed_at": f"CASE WHEN {ended} THEN {later} ELSE NULL END",
        "lease_token": "''",
        "lease_expires_at": f"CASE WHEN n > {ENDED} AND NOT {pending} THEN %(lease)s ELSE NULL END",
        "worker": "''",
        "progress_percent": "0",
        "progress_feature": "''",
        "turn": "n",
        "endpoint": "''",
    }
    # A writer's novel has its chapters every WRITERS ids; every tenth task is the first writer's.
    chapter = "%(first)s + CASE WHEN n % 10 = 0 THEN n % 1000 - n % 100 ELSE n % 1000 END"
    sql = (
        f"INSERT INTO {TABLE} ({', '.join(values)}) SELECT {', '.join(values.values())}"
        f" FROM {numbers} numbers JOIN novels_chapter c ON c.id = {chapter}"
        " JOIN novels_chapterversion v ON v.chapter_id = c.id"
        " JOIN novels_novelproject p ON p.id = c.project_id"
    )
    return sql.replace(" % ", " %% ")


# --- what work costs --------------------------------------------------------------------------
@dataclass
class Cost:
    """``rows``: how many rows and index entries the database went through, as near as it tells."""

    rows: int = 0
    statements: list[str] = field(default_factory=list)


@contextlib.contextmanager
def costs() -> Iterator[Cost]:
    """Measure what runs inside, in one transaction."""
    cost = Cost()
    with _counting() as read, CaptureQueriesContext(connection) as captured:
        before = read()
        yield cost
        after = read()
    cost.rows = after - before
    # One round trip may carry several statements.
    cost.statements = [part for query in captured for part in query["sql"].split("; ")]


@contextlib.contextmanager
def _counting() -> Iterator[Callable[[], int]]:
    """What reads the database's own count of what this session has gone through."""
    if connection.vendor != "sqlite":
        yield _told
        return
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    # SQLite counts the instructions of its bytecode: some twenty for each row of a plain read.
    connection.connection.set_progress_handler(count, 20)
    try:
        yield lambda: steps
    finally:
        connection.connection.set_progress_handler(None, 0)


def _told() -> int:
    query = {
        "mysql": "SELECT SUM(variable_value) FROM information_schema.session_status WHERE"
        " variable_name LIKE 'HANDLER\\\\_READ\\\\_%'",
        "postgresql": "SELECT SUM(pg_stat_get_xact_tuples_returned(oid)) FROM pg_class"
        " WHERE relname LIKE '%%analysis%%' AND relkind IN ('r', 'i')",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])


def plan(sql: str) -> str:
    """The database's plan of a query, as one line per step."""
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        cursor.execute(explain + sql)  # with the parameters in it
        return "\n".join(str(row) for row in cursor.fetchall())
