"""Many analyses changed at once, beside writers, workers and each other; and by whom."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from analysis import bulk, queue
from analysis.management.bulk_run import ForegroundRun
from analysis.models import BulkOperation, OperatorAction, PendingAnalysis, Status
from analysis.queue import batch
from analysis.worker.bulk_runner import BulkRunner
from arboris.db import db_now
from arboris.novels import services as novels
from arboris.novels.models import NovelProject
from arboris.workspace.chapters import service as chapters
from arboris.workspace.chapters.analysis_options import AnalysisOptions
from notifications.models import AnalysisNotification
from tests.analysis.operators import failed_task, statuses
from tests.factories import LONG_ENOUGH, queue_chapter
from tests.queue.threads import side_by_side
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.databases, pytest.mark.django_db(transaction=True)]
Kind = BulkOperation.Kind
State = BulkOperation.State


def prepared(kind: Any) -> int:
    return bulk.prepare(kind, PendingAnalysis.objects.all(), actor="boss").pk


def prepared_cancelling(project: NovelProject, count: int) -> int:
    """Of so many new analyses."""
    for _ in range(count):
        queue_chapter(project)
    return prepared(Kind.CANCEL)


def make(number: int) -> None:
    bulk.run(number, bulk.start_here(number, "test"))


def in_the_middle(
    monkeypatch: pytest.MonkeyPatch, number: int, *others: Callable[[], object]
) -> BulkOperation:
    """Make it; the others begin when its batch has changed the rows, and has not committed."""
    has_changed, begun = threading.Event(), threading.Barrier(len(others) + 1)
    real, first = batch._update, threading.Event()

    def update(tasks: Any, changes: Any) -> None:
        real(tasks, changes)
        if not first.is_set():
            first.set()
            has_changed.set()
            begun.wait(PATIENCE_SECONDS)

    def beside(other: Callable[[], object]) -> None:
        assert has_changed.wait(PATIENCE_SECONDS)
        begun.wait(PATIENCE_SECONDS)
        other()

    monkeypatch.setattr(batch, "_update", update)
    side_by_side(lambda: make(number), *[lambda one=one: beside(one) for one in others])
    return BulkOperation.objects.get(pk=number)


def looked_after(host: str) -> BulkOperation:
    """The only operation, once a worker has looked for one and done what it could."""
    runner = BulkRunner(host, lambda: False)
    runner.look()
    runner.join(PATIENCE_SECONDS)
    return BulkOperation.objects.get()


def write_anew(chapter_id: int) -> None:
    draft = novels.ChapterText.of(LONG_ENOUGH + "又一句。")
    chapters.change(chapter_id, draft, None, AnalysisOptions())


def test_writers_and_workers_come_after_the_batch_that_has_begun(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [failed_task(project) for _ in range(4)]
    claims: list[queue.Claim | None] = []
    operation = in_the_middle(
        monkeypatch,
        prepared(Kind.RETRY),
        lambda: write_anew(tasks[0].chapter_id),
        lambda: claims.append(queue.claim("host:1")),
    )
    assert (operation.changed, operation.left) == (4, {})
    states = statuses()
    assert states[tasks[0].pk] == Status.CANCELLED  # superseded, and not retried after that
    newest = PendingAnalysis.objects.get(active_chapter=tasks[0].chapter_id)
    assert newest.version.number == 2
    assert {states[task.pk] for task in tasks[1:]} <= {Status.PENDING, Status.PROCESSING}
    taken = {one.task_id for one in claims if one} - {tasks[0].pk}  # superseded, if it was that one
    assert {pk for pk, state in states.items() if state == Status.PROCESSING} == taken
    assert queue.claim("host:2") is not None


def test_two_operations_on_the_same_rows_come_one_after_the_other(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        failed_task(project)
    retrying, again, cancelling = (prepared(k) for k in (Kind.RETRY, Kind.RETRY, Kind.CANCEL))
    operation = in_the_middle(monkeypatch, retrying, lambda: make(again))
    other = BulkOperation.objects.get(pk=again)
    assert (operation.changed, other.changed, other.left) == (4, 0, {"not_retryable": 4})
    make(cancelling)
    assert set(statuses().values()) == {Status.CANCELLED}
    assert sorted(OperatorAction.objects.values_list("action", "count")) == [
        ("cancel", 4),
        ("retry", 4),
    ]
    assert AnalysisNotification.objects.filter(notification_type="cancelled").count() == 1


def test_a_text_that_is_saved_before_its_batch_is_left(project: NovelProject) -> None:
    tasks = [failed_task(project) for _ in range(2)]
    number = prepared(Kind.RETRY)
    write_anew(tasks[0].chapter_id)
    make(number)
    operation = BulkOperation.objects.get()
    assert (operation.changed, operation.planned, operation.left) == (1, 2, {"text_changed": 1})


@pytest.mark.sqlite_only
def test_workers_take_it_up_and_from_one_another(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 2)
    number = prepared_cancelling(project, 6)
    assert looked_after("host:2").state == State.PREVIEWED  # nobody has confirmed it
    bulk.start(number)
    token = bulk.take(number, "host:1")
    bulk.step(number, token)
    assert looked_after("host:2").changed == 2  # the other one has it
    BulkOperation.objects.update(lease_expires_at=db_now() - bulk.LEASE)  # and has died
    operation = looked_after("host:2")
    assert (operation.state, operation.changed, operation.runner) == (State.DONE, 6, "host:2")
    with pytest.raises(bulk.Lost):
        bulk.step(number, token)


@pytest.mark.sqlite_only
def test_a_command_that_has_died_is_stopped_and_its_writers_are_told(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 2)
    number = prepared_cancelling(project, 4)
    bulk.step(number, bulk.start_here(number, "boss@host:1"))
    assert looked_after("host:2").state == State.RUNNING
    BulkOperation.objects.update(lease_expires_at=db_now() - bulk.LEASE)
    assert looked_after("host:2").state == State.STOPPED
    assert AnalysisNotification.objects.get().data == {"count": 2}
    assert OperatorAction.objects.get().details["state"] == "interrupted"


@pytest.mark.sqlite_only
def test_a_command_ends_nothing_that_workers_have_taken_over(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 1)
    operation = BulkOperation.objects.get(pk=prepared_cancelling(project, 3))
    stale = BulkOperation.objects.get(pk=operation.pk)
    command = ForegroundRun.of(operation)
    rows = command.rows(lambda: False)
    next(rows)
    assert bulk.stop(operation.pk) and bulk.start(operation.pk)
    token = bulk.take(operation.pk, "host:1")
    assert list(rows) == []
    command.close(interrupted=True)
    assert bulk.step(operation.pk, token) is not None
    assert bulk.stop(operation.pk)
    # Of an operation that has gone on since it was read, what is left.
    assert len(list(ForegroundRun.of(stale).rows(lambda: False))) == 1
    assert set(statuses().values()) == {Status.CANCELLED}


@pytest.mark.sqlite_only
def test_what_breaks_is_told_and_can_be_resumed(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = prepared_cancelling(project, 1)
    bulk.start(number)
    with monkeypatch.context() as patch:
        patch.setattr(batch, "_update", lambda *_: 1 / 0)
        operation = looked_after("host:1")
    assert (operation.state, operation.changed) == (State.FAILED, 0)
    assert "ZeroDivisionError" in operation.error_message
    assert bulk.start(number)
    assert looked_after("host:1").state == State.DONE
