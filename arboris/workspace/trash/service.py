"""Into the trash and back, each in one transaction.

What is deleted leaves the queue and the bible at once. It comes back with its versions, findings
and decisions, so that the bible is as it was; an analysis that was cut off is queued again.
"""

from __future__ import annotations

import uuid

from django.db.models import F

from analysis import queue
from analysis.djangoq import wakeups
from analysis.errors import SUPERSEDED
from analysis.models import PendingAnalysis, Status
from arboris.bible import service as bible_service
from arboris.db import in_transaction
from arboris.novels import services as novels
from arboris.novels import trash
from arboris.novels.models import Chapter, NovelProject


def discard_chapter(chapter_id: int) -> None:
    """Raises ObjectDoesNotExist where it is gone already."""
    in_transaction(lambda: discard(novels.lock_chapter(chapter_id)))


def discard(chapter: Chapter) -> None:
    """As ``discard_chapter``, in the caller's transaction, who holds the novel's lock."""
    queue.supersede(chapter.pk)
    trash.discard_chapter(chapter)
    bible_service.refold_from(chapter.project_id, chapter.chapter_number)


def discard_novel(project_id: uuid.UUID) -> None:
    """Raises NovelProject.DoesNotExist where it is gone already."""

    def work() -> None:
        project = novels.lock_project(project_id)
        queue.supersede_all(project_id)
        trash.discard_novel(project)

    in_transaction(work)


def restore_chapter(user_id: int, chapter_id: int) -> Chapter:
    """The chapter, also where it is back already.

    Raises ObjectDoesNotExist where it is not the writer's, or its novel is in the trash.
    """

    def work() -> Chapter:
        rows = Chapter.everything.filter(project__owner_id=user_id)
        project = novels.lock_project(rows.values_list("project_id", flat=True).get(pk=chapter_id))
        chapter = trash.chapters_of(user_id).filter(pk=chapter_id).first()
        if chapter is None:
            return Chapter.objects.select_related("project").get(pk=chapter_id)
        chapter.project = project
        trash.restore_chapter(chapter)
        bible_service.refold_from(project.pk, chapter.chapter_number)
        _queue_again(project, chapter_id=chapter_id)
        return chapter

    return in_transaction(work)


def restore_novel(user_id: int, project_id: uuid.UUID) -> NovelProject:
    """The novel, also where it is back already.

    Raises NovelProject.DoesNotExist where it is not the writer's.
    """

    def work() -> NovelProject:
        if not trash.novels_of(user_id).filter(pk=project_id).exists():
            return NovelProject.objects.get(pk=project_id, owner_id=user_id)
        try:
            project = trash.lock_in_trash(project_id)
        except NovelProject.DoesNotExist:  # somebody else was first
            return NovelProject.objects.get(pk=project_id, owner_id=user_id)
        trash.restore_novel(project)
        _queue_again(project)
        return project

    return in_transaction(work)


def _queue_again(project: NovelProject, **only: int) -> None:
    """Queue the analyses of newest texts that were cut off when these chapters were deleted."""
    rows = PendingAnalysis.objects.filter(
        project_id=project.pk,
        status=Status.CANCELLED,
        error_type=SUPERSEDED,
        version__number=F("chapter__version"),
        chapter__deleted_at=None,
        **only,
    )
    tasks = rows.select_related("chapter", "version").order_by("chapter__chapter_number", "pk")
    newest = {task.chapter_id: task for task in tasks}
    later = PendingAnalysis.objects.filter(chapter_id__in=newest).order_by("pk")
    last = dict(later.values_list("chapter_id", "pk"))
    cut_off = [task for task in newest.values() if last[task.chapter_id] == task.pk]
    for task in cut_off:
        task.chapter.project = project
        config, priority = task.generation_config, task.priority
        queue.enqueue(
            task.chapter, task.version, priority=priority, config=config, in_order=True, wake=False
        )
    if cut_off:
        wakeups.issue(len(cut_off))
