"""The work of one task in the drain benchmark, the same for every queue that is compared.

One transaction: a row of the business changes, and one notification is written about it.
"""

from __future__ import annotations

import os
import uuid
from functools import cache
from typing import NamedTuple

from django.contrib.auth.models import User
from django.core.management.color import no_style
from django.db import connection
from django.db.models import F, Model, Sum
from django.utils import timezone

from arboris.db import in_transaction
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from notifications import outbox
from notifications.kinds import render
from notifications.models import AnalysisNotification

WRITER = "bench"
WORK = "BENCH_WORK"
TEXT = "沈砚秋推开听雨楼的木门，檐下的铜铃响了三声。"
# One INSERT: far below MariaDB's max_allowed_packet of 16 MB.
BATCH = 5_000
UPDATE = f"UPDATE {Chapter._meta.db_table} SET word_count = word_count + 1 WHERE id = %s"


class _Novel(NamedTuple):
    user_id: int
    project_id: uuid.UUID
    first_chapter_id: int


def prepare(chapters: int) -> list[int]:
    """One writer with one novel of so many chapters, a version each; the chapters' ids in order.

    What an earlier round left has to be cleared first.
    """
    in_transaction(lambda: _insert(chapters))
    _novel.cache_clear()
    return list(Chapter.objects.order_by("pk").values_list("pk", flat=True))


def apply(chapter_id: int) -> None:
    """The work of one task as a Django project writes it, for the peers: two statements of the ORM.

    With BENCH_WORK=publish through Arboris' own outbox, which orders a writer's notifications and
    sends both of its statements in one round trip.
    """
    novel = _novel()
    number = chapter_id - novel.first_chapter_id + 1

    def by_orm() -> None:
        Chapter.objects.filter(pk=chapter_id).update(word_count=F("word_count") + 1)
        title, message = render("completed", number, {})
        AnalysisNotification.objects.create(
            user_id=novel.user_id,
            project_id=novel.project_id,
            chapter_id=chapter_id,
            chapter_number=number,
            notification_type="completed",
            title=title,
            message=message,
            created_at=timezone.now(),
        )

    def by_publish() -> None:
        with connection.cursor() as cursor:
            cursor.execute(UPDATE, [chapter_id])
        outbox.publish(
            "completed",
            user_id=novel.user_id,
            task_id=None,
            project_id=novel.project_id,
            chapter_id=chapter_id,
            chapter_number=number,
            data={},
        )

    in_transaction(by_publish if os.environ.get(WORK) == "publish" else by_orm)


def applied() -> int:
    """How often ``apply`` was committed: more than there are tasks if one ran twice."""
    total: int | None = Chapter.objects.aggregate(total=Sum("word_count"))["total"]
    return total or 0


def clear(*also: type[Model]) -> None:
    """Empty the tables that prepare and apply fill, and ``also`` those of a queue's own models.

    Truncated and not deleted: a round must not run against the purge of the one before. Whatever
    else points at a chapter or a novel must be among ``also``, for foreign keys are not looked at.
    The writer stays, and is taken again.
    """
    models: list[type[Model]] = [AnalysisNotification, ChapterVersion, Chapter, NovelProject, *also]
    tables = [model._meta.db_table for model in models]
    statements = connection.ops.sql_flush(no_style(), tables, reset_sequences=True)
    connection.ops.execute_sql_flush(statements)
    _novel.cache_clear()


def _insert(chapters: int) -> None:
    writer, _ = User.objects.get_or_create(username=WRITER)
    novel = NovelProject.objects.create(owner=writer, title=WRITER)
    numbers = range(1, chapters + 1)
    added = Chapter.objects.bulk_create(
        [Chapter(project=novel, chapter_number=number) for number in numbers], BATCH
    )
    ChapterVersion.objects.bulk_create(
        [ChapterVersion(chapter=chapter, number=1, content=TEXT) for chapter in added], BATCH
    )


@cache
def _novel() -> _Novel:
    """Read once in each process: a real task is handed this along with its chapter."""
    novel = NovelProject.objects.only("pk", "owner_id").get(title=WRITER)
    first = Chapter.objects.order_by("pk").values_list("pk", flat=True)[0]
    return _Novel(novel.owner_id, novel.pk, first)
