"""Chapters that were read without what stands before them by now (``arboris.bible.readings``).

Once a novel has come to rest they are looked for. What an analyzer that costs nothing has read is
read again, behind all else and without a word; of the rest the writer is told, and decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from analysis.analyzers.base import analyzer_named
from analysis.djangoq import wakeups
from analysis.models import LIVE, PendingAnalysis, Status
from analysis.queue.enqueue import NewTask, enqueue_all
from arboris.bible import behind, readings
from arboris.bible.models import FoldState, Reading
from arboris.db import in_transaction
from arboris.llm.errors import OverBudget
from arboris.novels.models import NovelProject
from arboris.novels.services import lock_project

LAST = 1  # the priority of what nobody waits for
CANDIDATES = 20  # novels of which the first one at rest is taken
ENDED = [status for status in Status if status not in LIVE]


def look_behind(stop: Callable[[], bool]) -> bool:
    """Look at one novel that has come to rest; returns whether there was one."""
    project_id = behind.take(to_look_at())
    if project_id is None:
        return False
    look = readings.to_look_at(project_id, stop)
    if look is not None:
        in_transaction(lambda: _heed(look))
    return True


def to_look_at() -> QuerySet[FoldState]:
    """Novels at rest, of which chapters may have been read without what now stands before them.

    At rest: nothing that somebody asked for is under way, or has ended just now.
    """
    waiting = behind.free().filter(look_from__isnull=False)
    some = list(waiting.values_list("project_id", flat=True)[:CANDIDATES])
    # What is over the budget may wait for the next month.
    tasks = PendingAnalysis.objects.filter(project_id__in=some)
    live = tasks.filter(active_chapter__isnull=False).exclude(error_type=OverBudget.code)
    moment = Now() - timedelta(seconds=settings.ARBORIS_READ_AGAIN_AFTER)
    ended = tasks.filter(status__in=ENDED, completed_at__gt=moment, quiet=False)
    busy = {pk for rows in (live, ended) for pk in rows.values_list("project_id", flat=True)}
    return waiting.filter(project_id__in=set(some) - busy)


def _heed(look: readings.Look) -> None:
    try:
        lock_project(look.project_id)
    except NovelProject.DoesNotExist:  # in the trash; it is looked at when it comes back
        return
    if not look.write():
        return
    name = settings.ARBORIS_ANALYZER
    if analyzer_named(name).costs_nothing:
        read_again([one for one in look.found if one.analyzer == name], quiet=True)


def read_again(chapters: Sequence[Reading], *, quiet: bool) -> int:
    """Queue those again that have the text that was read, in the caller's transaction, under the
    novel's lock; returns how many. ``quiet``: behind all else, and nobody is told of the end."""
    ids = [one.chapter_id for one in chapters]
    tasks = PendingAnalysis.objects.filter(chapter_id__in=ids)
    last = tasks.filter(quiet=False).order_by("pk")
    asked = {
        pk: rest for pk, *rest in last.values_list("chapter_id", "priority", "generation_config")
    }
    busy = set(tasks.filter(active_chapter__isnull=False).values_list("chapter_id", flat=True))
    wanted = Reading.objects.filter(pk__in=[one.pk for one in chapters])
    rows = wanted.select_related("chapter__project", "version").defer("version__content")
    new = []
    for one in rows.order_by("chapter__chapter_number"):
        if one.chapter_id not in busy and one.version.number == one.chapter.version:
            last_priority, config = asked.get(one.chapter_id, (5, {}))
            priority = LAST if quiet else min(last_priority, settings.ARBORIS_MAX_PRIORITY)
            new.append(NewTask(one.chapter, one.version, priority, config, quiet))
    enqueue_all(new)
    if new:
        wakeups.issue(len(new))
    return len(new)
