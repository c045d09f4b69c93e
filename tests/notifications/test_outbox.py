"""The row is the message: written in its transaction, read by the relay once it is visible."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from analysis import queue
from arboris.db import db_now, in_transaction
from arboris.novels.models import NovelProject
from notifications import outbox
from notifications.models import AnalysisNotification
from notifications.ports import running
from notifications.relay import HOLE_SECONDS, Tailer
from tests.factories import claim_next, queue_chapter
from tests.queue.threads import side_by_side

pytestmark = pytest.mark.databases


def publish(project: NovelProject, user: User | None = None) -> None:
    task = queue_chapter(project)
    outbox.publish(
        "completed",
        user_id=(user or project.owner).pk,
        task_id=task.pk,
        project_id=project.pk,
        chapter_id=task.chapter_id,
        chapter_number=task.chapter.chapter_number,
        data={},
    )


def add_row(project: NovelProject, pk: int) -> None:
    """A row with an id of our choice: as if a transaction that drew it had committed just now."""
    chapter = project.chapters.first()
    assert chapter is not None
    AnalysisNotification.objects.create(
        pk=pk, user=project.owner, project=project, chapter=chapter, chapter_number=1,
        notification_type="completed", title="", message="", created_at=db_now(),
    )  # fmt: skip


def ids(rows: list[AnalysisNotification]) -> list[int]:
    return [row.pk for row in rows]


def test_a_rollback_takes_the_notification_along(project: NovelProject) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        publish(project)
        raise ZeroDivisionError
    assert not AnalysisNotification.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_is_refused(project: NovelProject) -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        publish(project)
    assert not AnalysisNotification.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_ids_of_one_writer_become_visible_in_order(project: NovelProject) -> None:
    """Whoever resumes after an id has missed none below it, however writers interleave."""
    seen: list[list[int]] = []
    done = threading.Event()

    def write() -> None:
        for _ in range(6):
            in_transaction(lambda: publish(project))

    def write_and_end() -> None:
        write()
        done.set()

    def watch() -> None:
        last: list[int] = []
        while not done.is_set():
            now = list(AnalysisNotification.objects.order_by("pk").values_list("pk", flat=True))
            if now != last:
                seen.append(now)
                last = now

    side_by_side(write, write, write_and_end, watch)
    for earlier, later in itertools.pairwise(seen):
        assert later[: len(earlier)] == earlier


@pytest.mark.parametrize(
    ("before", "commits"),
    [
        ([], [[1, 2]]),
        ([1], [[5], [3], [2, 6]]),
        ([1, 4], [[3], [2], [5]]),
    ],
    ids=["in order", "late", "late since before its start"],
)
def test_the_tailer_reads_each_row_once(
    project: NovelProject, before: list[int], commits: list[list[int]]
) -> None:
    """Ids that become visible out of order are read when they do."""
    queue_chapter(project)
    for pk in before:
        add_row(project, 10_000 + pk)
    tailer = Tailer()
    for batch in commits:
        for pk in batch:
            add_row(project, 10_000 + pk)
        assert ids(tailer.read()) == [10_000 + pk for pk in batch]
        assert tailer.read() == []


def test_a_missing_id_is_given_up_after_a_while(project: NovelProject) -> None:
    queue_chapter(project)
    now = [0.0]
    add_row(project, 10_000)
    tailer = Tailer(clock=lambda: now[0])
    add_row(project, 10_002)
    assert ids(tailer.read()) == [10_002]
    now[0] = HOLE_SECONDS + 1
    tailer.read()
    add_row(project, 10_001)
    assert tailer.read() == []


def test_progress_is_read_from_the_task(project: NovelProject, stranger: User) -> None:
    queue_chapter(project)
    claim = claim_next()
    queue.report_progress(claim, 40, "world_expansion")
    (progress,) = running([project.owner_id])
    expected: dict[str, Any] = {
        "percent": 40,
        "feature": "world_expansion",
        "task_id": claim.task_id,
    }
    assert {name: getattr(progress, name) for name in expected} == expected
    assert progress.eta_seconds is not None
    assert running([stranger.pk]) == []
    assert running([]) == []
