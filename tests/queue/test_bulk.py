"""Many analyses changed at once: what becomes of each is what becomes of a single one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ
from pytest_django import Settings

from analysis import bulk, queue
from analysis.djangoq import wakeups
from analysis.errors import QueueConflict
from analysis.models import (
    AnalysisAttempt,
    BulkChange,
    BulkOperation,
    OperatorAction,
    PendingAnalysis,
    Status,
)
from analysis.queue import counters
from arboris.db import db_now
from arboris.novels import services as novels
from arboris.novels.models import Chapter, NovelProject
from arboris.workspace.chapters import service as chapters
from arboris.workspace.chapters.analysis_options import AnalysisOptions
from notifications.models import AnalysisNotification
from tests.analysis.operators import failed_task, novel_of, statuses
from tests.factories import LONG_ENOUGH, claim_next, make_user, queue_chapter

pytestmark = [pytest.mark.databases, pytest.mark.django_db]

Kind = BulkOperation.Kind
State = BulkOperation.State
SINGLE: dict[str, Callable[[int], None]] = {
    Kind.RETRY: lambda pk: queue.retry(pk, priority=7),
    Kind.CANCEL: queue.cancel,
    Kind.SET_PRIORITY: lambda pk: queue.set_priority(pk, 7),
}
# What two runs cannot have in common.
OWN = {"id", "chapter_id", "version_id", "project_id", "user_id", "active_chapter", "turn"}
OWN |= {
    "duration_seconds",
    "created_at",
    "due_at",
    "started_at",
    "completed_at",
    "lease_token",
    "lease_expires_at",
}


def prepare(kind: Kind, *ids: int, **options: Any) -> BulkOperation:
    tasks = PendingAnalysis.objects.filter(pk__in=ids) if ids else PendingAnalysis.objects.all()
    return bulk.prepare(kind, tasks, actor="boss", **options)


def make(kind: Kind, *ids: int, **options: Any) -> BulkOperation:
    """The operation, made here to its end."""
    operation = prepare(kind, *ids, **options)
    bulk.run(operation.pk, bulk.start_here(operation.pk, "test"))
    operation.refresh_from_db()
    return operation


def of_every_sort(project: NovelProject) -> list[int]:
    """Analyses of one novel in every state that matters."""
    failed, cancelled, done, lacking, old, trashed = [failed_task(project) for _ in range(6)]
    running = queue_chapter(project, priority=10)
    claim_next()
    waiting, other = queue_chapter(project), queue_chapter(project, priority=7)
    rows = PendingAnalysis.objects
    rows.filter(pk=cancelled.pk).update(status=Status.CANCELLED)
    rows.filter(pk=done.pk).update(status=Status.COMPLETED, result={"missing": []})
    rows.filter(pk=lacking.pk).update(status=Status.COMPLETED, result={"missing": ["x"]})
    draft = novels.ChapterText.of(LONG_ENOUGH + "又一句。")
    chapters.change(old.chapter_id, draft, None, AnalysisOptions(mode="basic"))
    Chapter.objects.filter(pk=trashed.chapter_id).update(deleted_at=db_now())
    made = [failed, cancelled, done, lacking, old, trashed, running, waiting, other]
    return [task.pk for task in made]


def outcome(ids: list[int]) -> list[dict[str, Any]]:
    rows = PendingAnalysis.objects.filter(pk__in=ids).order_by("pk").values()
    return [
        {name: value for name, value in row.items() if name not in OWN}
        | {"live": row["active_chapter"] == row["chapter_id"], "ended": bool(row["completed_at"])}
        | {"attempts": list(AnalysisAttempt.objects.filter(task=row["id"]).values_list("outcome"))}
        for row in rows
    ]


def turns(ids: list[int]) -> list[tuple[int, int]]:
    rows = PendingAnalysis.objects.filter(pk__in=ids, status=Status.PENDING).order_by("pk")
    return list(rows.values_list("priority", "turn"))


@pytest.mark.parametrize("kind", list(Kind))
def test_each_row_is_as_if_it_had_been_changed_alone(project: NovelProject, kind: Kind) -> None:
    alone, together = of_every_sort(project), of_every_sort(novel_of("lin"))
    refused: Counter[str] = Counter()
    before = counters.totals()
    for pk in alone:
        try:
            SINGLE[kind](pk)
        except QueueConflict as conflict:
            refused[conflict.code] += 1
    between = counters.totals()
    operation = make(kind, *together, priority=None if kind == Kind.CANCEL else 7)
    after = counters.totals()
    assert outcome(together) == outcome(alone)
    assert operation.left == operation.planned_left == dict(refused)
    assert operation.changed == operation.planned == len(alone) - refused.total() > 0
    assert {n: after[n] - between[n] for n in after} == {n: between[n] - before[n] for n in before}
    assert turns(together) == turns(alone)
    assert operation.state == State.DONE
    record = OperatorAction.objects.get()
    assert (record.actor, record.action, record.count) == ("boss", kind, operation.changed)
    assert record.details["left"] == operation.left
    changed = BulkChange.objects.filter(operation=operation).values_list("task_id", flat=True)
    assert list(changed.order_by("pk")) == record.details["ids"]
    assert not LogEntry.objects.exists()


def test_what_comes_meanwhile_is_not_changed(project: NovelProject) -> None:
    first, gone = queue_chapter(project), queue_chapter(project)
    operation = prepare(Kind.CANCEL)
    late = queue_chapter(project)
    PendingAnalysis.objects.filter(pk=gone.pk).delete()
    bulk.run(operation.pk, bulk.start_here(operation.pk, "test"))
    assert statuses() == {first.pk: Status.CANCELLED, late.pk: Status.PENDING}
    operation.refresh_from_db()
    assert (operation.changed, operation.left) == (1, {"not_found": 1})


def test_what_is_not_wholly_noted_is_not_begun(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 1)
    for _ in range(2):
        queue_chapter(project)
    begun: list[bool] = []
    real = bulk._add_part

    def add(operation: BulkOperation, number: int, ids: list[int]) -> None:
        real(operation, number, ids)
        begun.append(bulk.start(operation.pk))

    monkeypatch.setattr(bulk, "_add_part", add)
    operation = prepare(Kind.CANCEL)
    assert begun == [False, False]
    assert bulk.start(operation.pk)


def test_of_one_chapters_failed_ones_one_is_retried(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = failed_task(project)
    for _ in range(2):
        PendingAnalysis.objects.create(
            **PendingAnalysis.objects.filter(pk=first.pk).values().get() | {"id": None}
        )
    monkeypatch.setattr(bulk, "BATCH", 2)
    operation = make(Kind.RETRY)
    assert (operation.changed, operation.planned) == (1, 1)
    assert operation.left == operation.planned_left == {"already_queued": 2}


def test_a_writer_is_told_once_of_all(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 2)
    many = [queue_chapter(project).pk for _ in range(5)]
    one = queue_chapter(novel_of("lin"))
    make(Kind.CANCEL)
    told = {row.user_id: row for row in AnalysisNotification.objects.all()}
    assert len(told) == AnalysisNotification.objects.count() == 2
    summary, single = told[project.owner_id], told[one.user_id]
    assert (summary.pending_analysis_id, summary.data) == (many[0], {"count": 5})
    assert "5" in summary.title and summary.notification_type == "cancelled"
    assert (single.pending_analysis_id, single.data) == (one.pk, {})


def test_it_is_stopped_between_two_batches_and_resumed(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 2)
    ids = [queue_chapter(project).pk for _ in range(5)]
    operation = prepare(Kind.CANCEL, reason="wrong model", user_id=make_user("boss").pk)
    token = bulk.start_here(operation.pk, "test")
    step = bulk.step(operation.pk, token)
    assert step is not None and step.changed == ids[:2]
    assert bulk.stop(operation.pk) and not bulk.stop(operation.pk)
    with pytest.raises(bulk.Lost):
        bulk.step(operation.pk, token)
    assert Counter(statuses().values()) == {"cancelled": 2, "pending": 3}
    record = OperatorAction.objects.get()
    assert (record.count, record.details["state"]) == (2, "interrupted")
    assert [row.data for row in AnalysisNotification.objects.all()] == [{"count": 2}]
    assert bulk.start(operation.pk) and not bulk.start(operation.pk)
    bulk.run(operation.pk, bulk.take(operation.pk, "another"))
    assert set(statuses().values()) == {Status.CANCELLED}
    record.refresh_from_db()
    assert (record.count, record.details["ids"]) == (5, ids)
    assert (record.reason, record.details["state"]) == ("wrong model", "done")
    notes = AnalysisNotification.objects.order_by("pk").values_list("data", flat=True)
    assert list(notes) == [{"count": 2}, {"count": 3}]
    assert LogEntry.objects.count() == 5
    assert not bulk.start(operation.pk)  # it is done


def test_few_statements_and_a_wake_up_for_each_worker(
    project: NovelProject, settings: Settings
) -> None:
    settings.ARBORIS_MAX_CONCURRENT = 3
    writers = [project, novel_of("lin"), novel_of("mei")]
    for number in range(9):
        failed_task(writers[number % 3])
    OrmQ.objects.all().delete()
    operation = prepare(Kind.RETRY)
    token = bulk.start_here(operation.pk, "test")
    with CaptureQueriesContext(connection) as queries:
        bulk.step(operation.pk, token)
    assert len(queries) <= 30
    assert wakeups.waiting() == settings.ARBORIS_MAX_CONCURRENT
    assert set(statuses().values()) == {Status.PENDING}
