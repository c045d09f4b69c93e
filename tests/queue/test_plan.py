"""The hot queries keep to their indexes when the tables are full."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analysis import queue
from analysis.models import PendingAnalysis
from arboris.db import db_now
from arboris.novels.models import NovelProject
from tests.factories import JsonClient, claim_next, make_chapter

pytestmark = pytest.mark.slow
ROWS = 4_000
INDEX = "idx_pending_analysis_status_priority"  # of the documented schema
TURNS = "pending_analysis_turns"


@pytest.fixture
def full(project: NovelProject) -> None:
    """Thousands of tasks, most of them ended, a thousand waiting."""
    chapter = make_chapter(project)
    version = chapter.current
    now = db_now()
    numbers = itertools.count(10_000_000)
    tasks = []
    for number in range(ROWS):
        status = "pending" if number % 4 == 0 else "completed"
        tasks.append(
            PendingAnalysis(
                chapter=chapter,
                version=version,
                project=project,
                user_id=project.owner_id,
                active_chapter=next(numbers) if status == "pending" else None,
                status=status,
                priority=number % 10 + 1,
                created_at=now - timedelta(seconds=number),
                due_at=now - timedelta(seconds=number),
                completed_at=now if status == "completed" else None,
            )
        )
    PendingAnalysis.objects.bulk_create(tasks, batch_size=500)


def analyze() -> None:
    """Let the database look at its tables; on MariaDB this commits."""
    with connection.cursor() as cursor:
        table = "TABLE " if connection.vendor == "mysql" else ""
        cursor.execute(f"ANALYZE {table}pending_analysis")
        if cursor.description:  # MariaDB answers with how it went
            cursor.fetchall()


def plan(sql: str) -> str:
    """The database's plan of a query, as one line per step."""
    with connection.cursor() as cursor:
        cursor.execute(
            ("EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN ") + sql
        )
        return "\n".join(str(row) for row in cursor.fetchall())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("full")
def test_the_claim_reads_the_ready_set_in_order_from_its_index() -> None:
    analyze()
    with CaptureQueriesContext(connection) as captured:
        claim_next()
    # One round trip may carry several statements.
    statements = [part for q in captured for part in q["sql"].split("; ")]
    (sql,) = [part for part in statements if "SELECT" in part and "ORDER BY" in part]
    steps = plan(sql)
    assert TURNS in steps
    assert "TEMP B-TREE" not in steps  # SQLite's word for a sort
    assert "filesort" not in steps  # MariaDB's
    assert "Sort" not in steps  # PostgreSQL's


@pytest.mark.usefixtures("full")
def test_lists_take_as_many_queries_as_ever(api: JsonClient) -> None:
    for path in ("status", "tasks", "tasks?status=pending"):
        with CaptureQueriesContext(connection) as captured:
            assert api.get(f"/api/async-analysis/{path}").status_code == 200
        assert len(captured) <= 4, path


@pytest.mark.django_db
def test_the_documented_index_has_the_documented_columns() -> None:
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "pending_analysis")
    assert constraints[INDEX]["columns"][:3] == ["status", "priority", "created_at"]
    if connection.vendor == "sqlite":
        assert constraints[INDEX]["orders"][:3] == ["ASC", "DESC", "ASC"]


@pytest.mark.usefixtures("full")
def test_a_full_queue_is_still_in_order_and_a_claim_takes_few_queries() -> None:
    expected = PendingAnalysis.objects.filter(status="pending").order_by(
        "-priority", "created_at", "id"
    )
    ids = list(expected.values_list("pk", flat=True)[:5])
    with CaptureQueriesContext(connection) as captured:
        first = claim_next()
    assert len(captured) <= 10
    assert [first.task_id, *(claim_next().task_id for _ in range(4))] == ids
    assert queue.claim("host:1") is not None
