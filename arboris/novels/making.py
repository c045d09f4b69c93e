"""Many chapters that are made in steps, and appear together.

One transaction that makes thousands would keep whoever else writes waiting for minutes: SQLite has
one lock for all. So each step is a transaction of its own, and what it makes is out of sight, as if
it were in the trash, until the last one shows all of it. What a process that died has left is
deleted by the daily clean-up.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db.models import F, QuerySet

from arboris.db import db_now, in_transaction
from arboris.novels.models import Chapter, ChapterVersion, NovelProject, Volume
from arboris.novels.services import ChapterText, add_version, removing

STEP = 20  # rows with a text, or what hangs on one, that are written in one transaction
PAUSE = 0.1  # seconds at most between two of them
BATCH = 400  # values in one IN (…)
LEFT = timedelta(days=1)  # no import takes longer


class Removed(Exception):
    """Some of the chapters were deleted while the others were being made."""


def begin(project: NovelProject, **columns: Any) -> Chapter:
    """A chapter without a text yet; ``chapter_number`` is its place among those that are made."""
    aside = -1 - secrets.randbelow(2**62)  # unlike that of any other, or any id
    return Chapter.objects.create(
        project=project, unfinished=True, deleted_at=db_now(), aside=aside, **columns
    )


def add(
    project: NovelProject, text: ChapterText, *, title: str, place: int
) -> tuple[Chapter, ChapterVersion]:
    """As ``services.add_chapter``; needs no lock."""
    chapter = begin(
        project, chapter_number=place, title=title, summary=text.summary, word_count=text.words
    )
    return chapter, add_version(chapter, text)


def in_steps(jobs: Iterable[Callable[[], object]]) -> None:
    """Run the jobs, a few in a transaction. A job may run again after a deadlock."""
    ahead = iter(jobs)
    while step := list(islice(ahead, STEP)):
        began = time.monotonic()
        in_transaction(lambda step=step: [job() for job in step])  # type: ignore[misc]
        # Who waits for SQLite's lock looks for it now and then, and would hardly ever find it free.
        time.sleep(min(PAUSE, time.monotonic() - began))


def show(chapters: Collection[int], add: int = 0, volume: Volume | None = None) -> None:
    """Give the chapters their places: their numbers and ``add``, in the volume where one is given.

    The caller holds the project's lock. Raises Removed.
    """
    into: dict[str, Any] = {} if volume is None else {"volume": volume}
    shown = 0
    for batch in _batches(chapters):
        rows = Chapter.everything.filter(pk__in=batch, unfinished=True)
        shown += rows.update(
            unfinished=False,
            deleted_at=None,
            aside=0,
            chapter_number=F("chapter_number") + add,
            **into,
        )
    if shown != len(chapters):
        raise Removed


def remove(chapters: Collection[int]) -> None:
    """Delete those of the chapters that are not shown."""
    for batch in _batches(chapters):
        while _delete(Chapter.everything.filter(pk__in=batch)):
            pass


def prune(now: datetime) -> int:
    """Delete some of what was left unfinished; returns how many chapters."""
    return _delete(Chapter.everything.filter(deleted_at__lt=now - LEFT))


def _delete(chapters: QuerySet[Chapter]) -> int:
    ids = list(chapters.filter(unfinished=True).order_by("pk").values_list("pk", flat=True)[:STEP])
    if ids:
        removing(lambda: Chapter.everything.filter(pk__in=ids, unfinished=True).delete())
    return len(ids)


def _batches(ids: Iterable[int]) -> Iterator[list[int]]:
    """In the order of the primary key, as all who lock several rows of a table."""
    ordered = sorted(ids)
    for at in range(0, len(ordered), BATCH):
        yield ordered[at : at + BATCH]
