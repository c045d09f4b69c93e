"""The trash: what a writer deleted is kept for ARBORIS_KEEP_TRASH_DAYS, then deleted for good."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db.models import Model, Q, QuerySet

from arboris.db import db_now, locked
from arboris.novels.models import Chapter, NovelProject
from arboris.novels.services import place_for, removing

R = TypeVar("R", bound=Model)
LOST = datetime(1970, 1, 2, tzinfo=UTC)  # "deleted" then: its rows are going, nobody gets it back
BATCH = 20  # chapters that are deleted in one transaction, with all that hangs on them


def outside(rows: QuerySet[R], user_id: int) -> QuerySet[R]:
    """Rows of one writer with a ``project`` and a ``chapter``, without those of what is deleted."""
    chapters = Chapter.everything.filter(deleted_at__isnull=False, project__owner_id=user_id)
    novels = NovelProject.everything.filter(deleted_at__isnull=False, owner_id=user_id)
    # Not joins: the rows may be a million, and what is in the trash are a few.
    away = Q(project_id__in=novels.values("pk")) | Q(chapter_id__in=chapters.values("pk"))
    return rows.exclude(away)


def novels_of(user_id: int) -> QuerySet[NovelProject]:
    """The writer's novels that can be restored, the last deleted first."""
    rows = NovelProject.everything.filter(owner_id=user_id, deleted_at__gt=_oldest())
    return rows.order_by("-deleted_at", "pk")


def chapters_of(user_id: int) -> QuerySet[Chapter]:
    """Their chapters that can be restored, the last deleted first; some novels are there too."""
    rows = Chapter.everything.filter(project__owner_id=user_id, deleted_at__gt=_oldest())
    return rows.filter(unfinished=False).select_related("project").order_by("-deleted_at", "pk")


def _oldest() -> datetime:
    """What was deleted before that is being deleted for good, or will be soon."""
    days = settings.ARBORIS_KEEP_TRASH_DAYS
    return db_now() - timedelta(days=days) if days else LOST


def expires_at(deleted_at: datetime) -> datetime | None:
    """From when on it may be deleted for good; None: never."""
    days = settings.ARBORIS_KEEP_TRASH_DAYS
    return deleted_at + timedelta(days=days) if days else None


# --- there and back: the caller holds the novel's lock ----------------------------------------
def discard_chapter(chapter: Chapter) -> None:
    chapter.deleted_at, chapter.aside = db_now(), chapter.pk
    chapter.save(update_fields=["deleted_at", "aside"])


def restore_chapter(chapter: Chapter) -> None:
    """To its own place, or after the last chapter where that is taken by now."""
    chapter.chapter_number, chapter.volume = place_for(chapter.project, chapter.chapter_number)
    chapter.deleted_at, chapter.aside = None, 0
    chapter.save(update_fields=["chapter_number", "volume", "deleted_at", "aside"])


def discard_novel(project: NovelProject) -> None:
    project.deleted_at = db_now()
    project.save(update_fields=["deleted_at"])


def lock_in_trash(project_id: uuid.UUID) -> NovelProject:
    """As ``lock_project``, for a novel that is in the trash."""
    rows = NovelProject.everything.filter(deleted_at__isnull=False)
    return locked(rows).get(pk=project_id)


def restore_novel(project: NovelProject) -> None:
    project.deleted_at = None
    project.save(update_fields=["deleted_at"])


# --- for good -----------------------------------------------------------------------------------
def empty_step(before: datetime) -> int:
    """Delete one batch of what was deleted before that moment; returns how many rows went.

    A novel goes chapter by chapter, in batches, and last itself: a long one has a hundred thousand
    rows. None of it can be had back once that has begun.
    """
    chapters = Chapter.everything.filter(deleted_at__lt=before).order_by("deleted_at", "pk")
    if first := chapters.first():
        return removing(lambda: _delete_chapters(first.project_id, before))
    novel = NovelProject.everything.filter(deleted_at__lt=before).order_by("deleted_at").first()
    return removing(lambda: _delete_novel(novel.pk)) if novel else 0


def _delete_chapters(project_id: uuid.UUID, before: datetime) -> int:
    locked(NovelProject.everything.filter(pk=project_id)).first()
    # Asked again under the lock: one of them may have been restored meanwhile.
    rows = Chapter.everything.filter(project_id=project_id, deleted_at__lt=before)
    return _delete(rows)


def _delete_novel(project_id: uuid.UUID) -> int:
    rows = locked(NovelProject.everything.filter(pk=project_id, deleted_at__isnull=False))
    project = rows.first()
    if project is None:  # restored, or somebody else was first
        return 0
    project.deleted_at = LOST
    project.save(update_fields=["deleted_at"])
    gone = _delete(Chapter.everything.filter(project_id=project_id))
    if not gone:
        project.delete()
    return gone or 1


def _delete(chapters: QuerySet[Chapter]) -> int:
    ids = list(chapters.order_by("pk").values_list("pk", flat=True)[:BATCH])
    Chapter.everything.filter(pk__in=ids).delete()
    return len(ids)
