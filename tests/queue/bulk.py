"""Many tasks at once, without a chapter each."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from analysis.models import PendingAnalysis
from analysis.queue.fairness import last_in_line
from arboris.db import db_now
from arboris.novels.models import Chapter, NovelProject
from tests.factories import make_chapter

# Far above the ids of chapters: what a live task has instead of its chapter's own.
_stand_ins = itertools.count(10_000_000)


def queue_many(
    project: NovelProject, count: int, priorities: Sequence[int] = (5,), **fields: Any
) -> list[PendingAnalysis]:
    """Pending tasks of one chapter, as if they were of ``count`` chapters queued in this order."""
    chapter = Chapter.objects.filter(project=project).first() or make_chapter(project)
    version, now = chapter.current, db_now()
    turns = {
        priority: itertools.count(last_in_line(project.owner_id, priority))
        for priority in set(priorities)
    }
    return PendingAnalysis.objects.bulk_create(
        [
            PendingAnalysis(
                **{
                    "chapter": chapter,
                    "version": version,
                    "project": project,
                    "user_id": project.owner_id,
                    "active_chapter": next(_stand_ins),
                    "priority": priority,
                    "created_at": now,
                    "due_at": now,
                    "turn": next(turns[priority]),
                }
                | fields
            )
            for priority in itertools.islice(itertools.cycle(priorities), count)
        ],
        batch_size=500,
    )
