"""Putting a chapter version into the queue."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from analysis.djangoq import wakeups
from analysis.models import PendingAnalysis, Status
from analysis.queue.cancel import supersede
from analysis.queue.fairness import last_in_line
from arboris.db import db_now
from arboris.novels.models import Chapter, ChapterVersion


def enqueue(
    chapter: Chapter,
    version: ChapterVersion,
    *,
    priority: int = 5,
    config: dict[str, Any] | None = None,
    wake: bool = True,
) -> PendingAnalysis:
    """Queue the version's analysis in the caller's transaction; an older live one gives way.

    The caller holds the project's row lock. ``wake=False`` leaves the wake-ups to the caller,
    who issues them for a whole batch.
    """
    supersede(chapter.pk)
    now = db_now()
    user_id = chapter.project.owner_id
    task = PendingAnalysis.objects.create(
        chapter=chapter,
        version=version,
        project_id=chapter.project_id,
        user_id=user_id,
        active_chapter=chapter.pk,
        priority=priority,
        generation_config=config or {},
        max_retries=settings.ARBORIS_MAX_RETRIES,
        created_at=now,
        due_at=now,
        turn=last_in_line(user_id, priority),
    )
    if wake:
        wakeups.issue()
    return task


def adopt(
    chapter: Chapter,
    version: ChapterVersion,
    *,
    priority: int,
    config: dict[str, Any],
    completed_at: datetime,
) -> PendingAnalysis:
    """Note that the version was analysed elsewhere, with its findings: nothing is to be done.

    It is none of this installation's analyses, so no counter takes it in.
    """
    return PendingAnalysis.objects.create(
        chapter=chapter,
        version=version,
        project_id=chapter.project_id,
        user_id=chapter.project.owner_id,
        status=Status.COMPLETED,
        priority=priority,
        generation_config=config,
        max_retries=settings.ARBORIS_MAX_RETRIES,
        created_at=completed_at,
        due_at=completed_at,
        started_at=completed_at,
        completed_at=completed_at,
        progress_percent=100,
    )
