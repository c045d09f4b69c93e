"""``arboris.sql.write`` writes what the ORM writes, and stands or falls with its transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Model

from analysis.models import AnalysisAttempt, PendingAnalysis, QueueControl, Status, StatusTally
from arboris.novels.models import NovelProject
from arboris.sql import Insert, Plus, Update, write
from notifications.models import AnalysisNotification
from tests.factories import queue_chapter

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
TEXT = "沈砚秋说：“100% 的'真'\\话；”"


def row(model: type[Model], pk: int) -> dict[str, Any]:
    """As the table has it, but for what tells two rows apart."""
    fields = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
    with connection.cursor() as cursor:
        columns = ", ".join(connection.ops.quote_name(name) for name in fields)
        table = connection.ops.quote_name(model._meta.db_table)
        cursor.execute(f"SELECT {columns} FROM {table} WHERE {model._meta.pk.column} = {pk:d}")
        return dict(zip(fields, cursor.fetchone(), strict=True))


def test_an_update_writes_what_the_orm_writes(project: NovelProject) -> None:
    tasks = [queue_chapter(project) for _ in range(2)]
    values = {
        "status": Status.COMPLETED,
        "active_chapter": None,
        "result": {"名": [1, None, TEXT]},
        "checkpoint": None,
        "error_message": TEXT,
        "completed_at": NOW,
        "duration_seconds": 0.1,
        "progress_percent": 100,
    }
    by_orm = PendingAnalysis.objects.filter(pk=tasks[0].pk, lease_token="")
    by_orm.update(**values, retry_count=F("retry_count") + 2)
    changes = {**values, "retry_count": Plus(2)}
    assert write(
        Update(PendingAnalysis, {"pk": tasks[1].pk, "lease_token": ""}, changes),
        Update(PendingAnalysis, {"pk": tasks[1].pk, "lease_token": "other"}, changes),
    ) == [1, 0]
    plain, fast = (row(PendingAnalysis, task.pk) for task in tasks)
    same = {name: value for name, value in plain.items() if fast[name] == value}
    assert plain.keys() - same.keys() <= {
        "chapter_id",
        "version_id",
        "created_at",
        "due_at",
        "turn",
    }
    assert same.keys() >= values.keys() | {"retry_count"}


def test_an_insert_writes_what_the_orm_writes(project: NovelProject) -> None:
    task = queue_chapter(project)
    told: dict[str, Any] = {
        "user_id": project.owner_id,
        "pending_analysis_id": task.pk,
        "project_id": project.pk,
        "chapter_id": task.chapter_id,
        "chapter_number": 1,
        "notification_type": "completed",
        "title": TEXT,
        "message": TEXT,
        "data": {"名": TEXT},
        "is_read": 0,
        "created_at": NOW,
    }
    tried: dict[str, Any] = {
        "task_id": task.pk,
        "worker": "host:1",
        "started_at": NOW,
        "ended_at": NOW,
        "outcome": AnalysisAttempt.Outcome.LOST,
        "error_type": "",
        "error_message": TEXT,
        "token_usage": None,
    }
    by_orm = AnalysisNotification.objects.create(**told)
    AnalysisAttempt.objects.create(**tried, number=1)
    added = Insert(AnalysisNotification, told), Insert(AnalysisAttempt, {**tried, "number": 2})
    assert write(*added) == [1, 1]
    latest = AnalysisNotification.objects.latest("pk")
    assert row(AnalysisNotification, by_orm.pk) == row(AnalysisNotification, latest.pk)
    one, two = (row(AnalysisAttempt, attempt.pk) for attempt in AnalysisAttempt.objects.all())
    assert {**one, "number": 2} == two


def mark(reason: str) -> Update:
    return Update(QueueControl, {"pk": 1}, {"paused_reason": reason})


@pytest.mark.django_db(transaction=True)
def test_nothing_stands_of_a_transaction_that_fails() -> None:
    twice = Insert(StatusTally, {"shard": 0})
    for wrong, error in ((twice, IntegrityError), (mark("\ud800"), UnicodeEncodeError)):
        with pytest.raises(error), transaction.atomic():
            write(mark("first"), Update(StatusTally, {"pk": 1}, {"completed": Plus(1)}), wrong)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        with pytest.raises(UnicodeEncodeError):
            write(mark("\ud800"))
        write(mark("sent"))
        raise ZeroDivisionError
    assert QueueControl.objects.get().paused_reason == ""
    assert StatusTally.objects.get(pk=1).completed == 0
