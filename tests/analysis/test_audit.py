"""Whatever operators change is recorded with who, what and why, also when it breaks off."""

from __future__ import annotations

import getpass
import socket
from pathlib import Path

import pytest
from django.db import OperationalError

from analysis import audit, bulk, queue
from analysis.errors import QueueConflict
from analysis.models import BulkOperation, OperatorAction, PendingAnalysis, Status
from arboris.db import db_now
from arboris.novels.models import NovelProject
from tests.analysis.operators import call, ended, failed_task, interrupt_cancelling, statuses
from tests.factories import LONG_ENOUGH, queue_chapter

pytestmark = [pytest.mark.databases, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")


def only() -> OperatorAction:
    row = OperatorAction.objects.get()
    assert row.actor == f"{getpass.getuser()}@{socket.gethostname()}"
    return row


def test_retrying(project: NovelProject) -> None:
    tasks = [failed_task(project).pk for _ in range(2)]
    call(
        "retry_analysis", "--error-type", "timeout", "--priority", 8, "--noinput",
        "--reason", "faster now",
    )  # fmt: skip
    row = only()
    assert (row.action, row.count, row.reason) == ("retry_analysis", 2, "faster now")
    assert row.details == {
        "selectors": {"error_type": ["timeout"]},
        "priority": 8,
        "ids": tasks,
        "state": "done",
    }


def test_cancelling_names_the_first_of_many(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "NAMED", 2)
    tasks = [queue_chapter(project).pk for _ in range(4)]
    call("cancel_analysis", "--user", "writer", "--older-than", "0s", "--limit", 3, "--noinput")
    row = only()
    assert (row.count, row.details["ids"]) == (3, tasks[:2])
    assert row.details["selectors"] == {"user": "writer", "older_than": "0s", "limit": "3"}


def test_pruning(project: NovelProject) -> None:
    old = ended(project, Status.COMPLETED, 31)
    call("prune_analysis", "--all", "--noinput", "--reason", "monthly")
    row = only()
    assert (row.action, row.count, row.reason) == ("prune_analysis", 1, "monthly")
    assert row.details["ids"] == [old.pk]
    call("prune_analysis", "--all", "--older-than", "0s", "--noinput")
    assert only().pk == row.pk  # nothing to prune, nothing recorded, and this one kept


def test_pausing_and_resuming(project: NovelProject) -> None:
    call("pause_analysis", "--project", project.pk, "--noinput", "--reason", "too fast")
    call("resume_analysis", "--project", project.pk, "--noinput", "--reason", "better")
    rows = OperatorAction.objects.order_by("pk").values_list("action", "reason", "details")
    assert list(rows) == [
        ("pause_analysis", "too fast", {"project": str(project.pk)}),
        ("resume_analysis", "better", {"project": str(project.pk)}),
    ]


@pytest.mark.django_db(transaction=True)
def test_processing(project: NovelProject, scripted: None) -> None:
    task = queue_chapter(project)
    call("process_analysis", task.pk, "--reason", "by hand")
    row = only()
    assert (row.action, row.count, row.reason) == ("process_analysis", 1, "by hand")
    assert row.details["ids"] == [task.pk]


def test_importing(project: NovelProject, tmp_path: Path) -> None:
    novel = tmp_path / "novel.txt"
    novel.write_text(f"第一章 雨夜\n\n{LONG_ENOUGH}\n", encoding="utf-8")
    assert (
        call("import_novel", novel, "--user", "writer", "--reason", "from the old site").code == 0
    )
    row = only()
    assert (row.action, row.count, row.reason) == ("import_novel", 1, "from the old site")
    assert row.details["user"] == "writer"


@pytest.mark.parametrize("name", ["retry_analysis", "cancel_analysis", "prune_analysis"])
def test_neither_a_rehearsal_nor_a_refusal_is_recorded(project: NovelProject, name: str) -> None:
    failed_task(project), queue_chapter(project)
    call(name, "--all", "--dry-run")
    call(name, 999_999, "--noinput")
    assert not OperatorAction.objects.exists()


def test_an_interruption_is_recorded_with_how_far_it_came(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = queue_chapter(project), queue_chapter(project)
    interrupt_cancelling(monkeypatch, second.pk)
    called = call("cancel_analysis", "--all", "--noinput", "--json", "--reason", "wrong")
    assert (called.code, called.document["done"]) == (3, 1)
    row = only()
    assert (row.count, row.reason) == (1, "wrong")
    assert (row.details["ids"], row.details["state"]) == ([first.pk], "interrupted")
    monkeypatch.undo()
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    assert call("cancel_analysis", "--all", "--noinput").code == 0
    assert set(statuses().values()) == {Status.CANCELLED}


def test_a_database_that_breaks_in_ends_it_as_partly_done(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = queue_chapter(project), queue_chapter(project)
    interrupt_cancelling(monkeypatch, second.pk, OperationalError)
    called = call("cancel_analysis", "--all", "--noinput", "--json")
    assert (called.code, called.ids) == (3, [first.pk])
    assert called.document["interrupted"] is True
    assert "gone away" in called.err and "1 were done" in called.err
    assert (only().count, only().details["state"]) == (1, "interrupted")
    again = call("cancel_analysis", "--all", "--noinput", "--json")
    assert (again.code, again.rows) == (1, [])


@pytest.mark.sqlite_only
def test_a_command_whose_output_stood_still_says_what_happened(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [queue_chapter(project).pk for _ in range(2)]
    monkeypatch.setattr(bulk, "BATCH", 1)
    step = bulk.step

    def then_stands_still(operation_id: int, token: str) -> bulk.Step | None:
        """Until a worker has found that nobody goes on with it."""
        done = step(operation_id, token)
        BulkOperation.objects.update(lease_expires_at=db_now() - bulk.LEASE)
        assert bulk.look_for_one() is None
        return done

    with monkeypatch.context() as patched:
        patched.setattr(bulk, "step", then_stands_still)
        called = call("cancel_analysis", "--all", "--noinput", "--json")
    assert (called.code, called.ids) == (3, tasks[:1])
    assert "nothing took its output for more than 30 s; 1 were done" in called.err
    number = BulkOperation.objects.get().pk
    assert f"--resume {number}" in called.err
    again = call("cancel_analysis", "--resume", number, "--noinput", "--json")
    assert (again.code, again.ids) == (0, tasks[1:])


def test_each_step_stands_in_the_record_before_the_next(project: NovelProject) -> None:
    tasks = [queue_chapter(project) for _ in range(2)]
    entry = audit.Entry("lin@host", "cancel_analysis", "why")

    def cancel(task: PendingAnalysis) -> None:
        entry.step(lambda: queue.cancel(task.pk), lambda _: [task.pk])

    for number, task in enumerate(tasks, 1):
        cancel(task)
        row = OperatorAction.objects.get()
        assert (row.count, row.details["state"]) == (number, "running")
    with pytest.raises(QueueConflict):
        cancel(tasks[0])
    assert OperatorAction.objects.get().count == entry.count == 2
    entry.close()
    row = OperatorAction.objects.get()
    assert row.details == {"ids": [task.pk for task in tasks], "state": "done"}


def test_long_words_fit(db: None) -> None:
    row = audit.record("x" * 300, "y" * 60, reason="z" * 600)
    row.refresh_from_db()
    assert (len(row.actor), len(row.action), len(row.reason)) == (200, 50, 500)
