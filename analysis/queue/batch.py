"""Many tasks at once: what ``retry``, ``cancel`` and ``set_priority`` do to one, few statements.

The guarantees are theirs. Rows are locked in the order of their keys (novels, then tasks) and
looked at under the lock, so what is changed is what the answer says. ``analysis.bulk`` calls it, a
batch at a time.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, Expression, F, QuerySet

from analysis.djangoq import wakeups
from analysis.errors import QueueConflict
from analysis.models import LIVE, PendingAnalysis, Status
from analysis.queue import attempts, counters, in_order
from analysis.queue.attempts import Outcome
from analysis.queue.cancel import taken_away, tell_log
from analysis.queue.fairness import last_in_lines
from analysis.queue.retry import put_back, refusal
from arboris.db import db_now, locked
from arboris.novels.models import Chapter, ChapterVersion
from arboris.novels.services import lock_projects

Tasks = QuerySet[PendingAnalysis]
READ = (
    *("status", "chapter_id", "version_id", "project_id", "user_id", "priority", "turn"),
    *("in_order", "due_at", "started_at", "attempt_count", "worker"),
)


@dataclass(slots=True)
class Looked:
    """What can be changed (``tasks``, as they are before), and what is left, and why: by id.

    An id that is in neither has no task.
    """

    tasks: list[PendingAnalysis] = field(default_factory=list)
    left: dict[int, QueueConflict] = field(default_factory=dict)


def retry_all(ids: Sequence[int], priority: int | None = None) -> Looked:
    """``retry`` for each, in the caller's transaction; of one chapter's the first."""
    novels = PendingAnalysis.objects.filter(pk__in=ids).values_list("project_id", flat=True)
    kept = lock_projects(novels.distinct())
    found = retryable(_locked(ids), kept=kept)
    if not found.tasks:
        return found
    changes = put_back(db_now()) | {"active_chapter": F("chapter")}
    if priority is not None:
        changes["priority"] = priority
    _update(found.tasks, changes | {"turn": _turns(found.tasks, priority)})
    counters.count(retried=len(found.tasks))
    wakeups.top_up(len(found.tasks))
    return found


def cancel_all(ids: Sequence[int], priority: int | None = None) -> Looked:
    """``cancel`` for each, in the caller's transaction; to tell the writers is the caller's."""
    found = cancellable(_locked(ids))
    if not found.tasks:
        return found
    now = db_now()
    _update(found.tasks, taken_away(now) | {"error_type": "", "error_message": ""})
    for task in found.tasks:
        if task.status == Status.PROCESSING:  # no more than there are workers
            attempts.close(attempts.running(task), now, Outcome.CANCELLED)
    counters.count(cancelled=len(found.tasks))
    in_order.let_go(found.tasks, now)
    tell_log(found.tasks, "cancelled")
    return found


def set_priority_all(ids: Sequence[int], priority: int | None = None) -> Looked:
    """``set_priority`` for each, in the caller's transaction."""
    if priority is None or not 1 <= priority <= 10:
        raise ValueError("priority: 1 to 10")
    found = reorderable(_locked(ids))
    # The others keep their place.
    moved = [task for task in found.tasks if task.priority != priority]
    if moved:
        _update(moved, {"priority": priority, "turn": _turns(moved, priority)})
    return found


# --- what can be changed ------------------------------------------------------------------------
def retryable(
    tasks: Sequence[PendingAnalysis],
    *,
    kept: Collection[uuid.UUID] | None = None,
    taken: set[int] | None = None,
) -> Looked:
    """``kept``: the novels that are not in the trash, where that is known. ``taken``: chapters of
    which one was found already; those that are found now are added."""
    chapters = _chapters({task.chapter_id for task in tasks})
    numbers = dict(
        ChapterVersion.objects.filter(pk__in={task.version_id for task in tasks}).values_list(
            "pk", "number"
        )
    )
    lacking, taken = _lacking(tasks), set() if taken is None else taken
    live = PendingAnalysis.objects.filter(active_chapter__in=chapters)
    busy = set(live.values_list("active_chapter", flat=True))
    found = Looked()
    for task in tasks:
        chapter, number = chapters.get(task.chapter_id), numbers.get(task.version_id)
        if chapter is None or number is None:  # deleted since, and the task with it
            continue
        code = refusal(
            task.status,
            incomplete=task.pk in lacking,
            in_trash=chapter.in_trash or (kept is not None and task.project_id not in kept),
            current=number == chapter.version,
        )
        if not code and (task.chapter_id in busy or task.chapter_id in taken):
            code = "already_queued"
        if code:
            found.left[task.pk] = QueueConflict(code)
        else:
            found.tasks.append(task)
            taken.add(task.chapter_id)
    return found


def cancellable(tasks: Sequence[PendingAnalysis], *, taken: set[int] | None = None) -> Looked:
    return _those(tasks, LIVE, "already_ended")


def reorderable(tasks: Sequence[PendingAnalysis], *, taken: set[int] | None = None) -> Looked:
    return _those(tasks, (Status.PENDING,), "not_pending")


def _those(tasks: Sequence[PendingAnalysis], states: Collection[str], code: str) -> Looked:
    found = Looked()
    for task in tasks:
        if task.status in states:
            found.tasks.append(task)
        else:
            found.left[task.pk] = QueueConflict(code)
    return found


class _Chapter(NamedTuple):
    version: int
    in_trash: bool


def _chapters(ids: Collection[int]) -> dict[int, _Chapter]:
    rows = Chapter.everything.filter(pk__in=ids)
    columns = rows.values_list("pk", "version", "deleted_at", "project__deleted_at")
    return {pk: _Chapter(version, any(deleted)) for pk, version, *deleted in columns}


def _lacking(tasks: Sequence[PendingAnalysis]) -> set[int]:
    """Those that have ended well, but without some feature."""
    completed = [task.pk for task in tasks if task.status == Status.COMPLETED]
    if not completed:
        return set()
    rows = PendingAnalysis.objects.filter(pk__in=completed)
    return {pk for pk, missing in rows.values_list("pk", "result__missing") if missing}


# --- rows ---------------------------------------------------------------------------------------
def read(ids: Sequence[int]) -> list[PendingAnalysis]:
    """The tasks as far as the functions above look at them, in the order of their ids."""
    return list(_rows(ids))


def _locked(ids: Sequence[int]) -> list[PendingAnalysis]:
    return list(locked(_rows(ids)))


def _rows(ids: Sequence[int]) -> Tasks:
    return PendingAnalysis.objects.filter(pk__in=ids).order_by("pk").only(*READ)


def _update(tasks: Sequence[PendingAnalysis], changes: Mapping[str, Any]) -> None:
    """All of them are locked, and in the state that they were looked at in."""
    PendingAnalysis.objects.filter(pk__in=[task.pk for task in tasks]).update(**changes)


def _turns(tasks: Sequence[PendingAnalysis], priority: int | None) -> Expression:
    places = last_in_lines([(task.user_id, priority or task.priority) for task in tasks])
    return _ByKey({task.pk: place for task, place in zip(tasks, places, strict=True)})


class _ByKey(Expression):
    """A number for each row by its id; Django's Case takes ten times as long to put together."""

    def __init__(self, numbers: Mapping[int, int]) -> None:
        super().__init__(output_field=BigIntegerField())
        self._numbers = numbers

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[int, ...]]:
        key = connection.ops.quote_name("id")
        params = tuple(number for pair in self._numbers.items() for number in pair)
        return f"CASE {key} {'WHEN %s THEN %s ' * len(self._numbers)}END", params


Change = Callable[[Sequence[int], int | None], Looked]
