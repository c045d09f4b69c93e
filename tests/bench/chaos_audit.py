"""What must hold when the load is over: every saved chapter is analysed, and once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Sum
from django.utils import timezone
from django_q.models import OrmQ

from analysis.models import AnalysisAttempt, PendingAnalysis, QueueControl, StatusTally
from arboris.bible.fold import fold
from arboris.bible.models import Character, Finding
from arboris.bible.storage.current import current
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from notifications.models import AnalysisNotification
from tests.bench.chaos_analyzer import mark_in
from tests.bench.chaos_load import Saved

ENDED_BADLY = {"lost", "cancelled", "failed"}


@dataclass
class Verdict:
    """What was found wrong, in words with ids; empty lists are what one hopes for."""

    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        return not (self.lost or self.twice or self.stuck)

    def __str__(self) -> str:
        return f"{len(self.lost)} lost, {len(self.twice)} done twice, {len(self.stuck)} stuck"


def live_tasks() -> list[int]:
    live = PendingAnalysis.objects.filter(active_chapter__isnull=False)
    return list(live.order_by("pk").values_list("pk", flat=True))


def waiting_wakeups() -> int:
    """Wake-ups that a worker should have taken. (Those that died with one are locked.)"""
    count: int = OrmQ.objects.filter(lock__lte=timezone.now()).count()
    return count


def audit(saves: list[Saved], in_doubt: list[int], verdict: Verdict) -> None:
    """Add to the verdict what the tables tell; nothing is running any more.

    ``saves`` were answered; ``in_doubt`` are the marks of those that were not.
    """
    columns = ("status", "attempt_count", "retry_count", "chapter_id", "version_id", "error_type")
    tasks = {row.pk: row for row in PendingAnalysis.objects.only(*columns)}
    _saves(saves, in_doubt, tasks, verdict)
    _tasks(tasks, verdict)
    _attempts(tasks, verdict)
    _findings(tasks, verdict)
    _tallies(tasks, verdict)
    _bibles(verdict)
    verdict.figures["wake-ups that died with a process"] = OrmQ.objects.count()


def _saves(
    saves: list[Saved], in_doubt: list[int], tasks: dict[int, PendingAnalysis], verdict: Verdict
) -> None:
    """Every save that was answered is there, and every text that is there has its analysis."""
    versions = ChapterVersion.objects.values_list("pk", "chapter_id", "content")
    marks = {mark_in(content): (pk, chapter) for pk, chapter, content in versions}
    for saved in saves:
        if saved.mark not in marks:
            verdict.lost.append(f"the text with mark {saved.mark} (task {saved.task_id})")
        elif saved.task_id not in tasks:
            verdict.lost.append(f"task {saved.task_id} of mark {saved.mark}")
    analysed = Counter(task.version_id for task in tasks.values())
    for mark, (version, chapter) in marks.items():
        if not analysed[version]:
            verdict.lost.append(f"chapter {chapter} was saved without a task (mark {mark})")
        elif analysed[version] > 1:
            verdict.twice.append(f"chapter {chapter} has {analysed[version]} tasks for mark {mark}")
    committed = sum(mark in marks for mark in in_doubt)
    verdict.figures["saves answered"] = len(saves)
    verdict.figures["saves in doubt"] = f"{len(in_doubt)}, {committed} committed"


def _tasks(tasks: dict[int, PendingAnalysis], verdict: Verdict) -> None:
    """All have ended; only what a newer text superseded did so without being completed."""
    newest = dict(Chapter.objects.values_list("pk", "version"))
    numbers = dict(ChapterVersion.objects.values_list("pk", "number"))
    for task in tasks.values():
        if task.status in ("pending", "processing"):
            verdict.stuck.append(f"task {task.pk} is {task.status}")
        elif task.status != "completed":
            superseded = numbers[task.version_id] < newest[task.chapter_id]
            if task.status == "failed" or not superseded:
                verdict.lost.append(f"task {task.pk} is {task.status} ({task.error_type})")
    verdict.figures["tasks"] = dict(Counter(str(task.status) for task in tasks.values()))

    told: dict[int, list[str]] = defaultdict(list)
    rows = AnalysisNotification.objects.order_by("pk")
    for task_id, kind in rows.values_list("pending_analysis_id", "notification_type"):
        told[task_id or 0].append(kind)
    for task in tasks.values():
        kinds = told.pop(task.pk, [])
        wanted = ["completed"] if task.status == "completed" else []
        if len(kinds) < len(wanted):
            verdict.lost.append(f"the notification of task {task.pk}")
        elif kinds != wanted and task.status != "failed":
            verdict.twice.append(f"task {task.pk} ({task.status}) was told as {kinds}")
    for task_id, kinds in told.items():
        verdict.twice.append(f"notifications without their task {task_id}: {kinds}")


def _attempts(tasks: dict[int, PendingAnalysis], verdict: Verdict) -> None:
    outcomes: dict[int, list[str]] = defaultdict(list)
    rows = AnalysisAttempt.objects.order_by("task_id", "number")
    for task_id, number, outcome in rows.values_list("task_id", "number", "outcome"):
        outcomes[task_id].append(outcome)
        if number != len(outcomes[task_id]):
            verdict.lost.append(f"task {task_id}: an attempt before number {number}")
    for task in tasks.values():
        had = outcomes[task.pk]
        if "running" in had:
            verdict.stuck.append(f"task {task.pk} ({task.status}): attempts {had}")
        completed = had.count("completed")
        if completed > (task.status == "completed"):
            verdict.twice.append(f"task {task.pk} ({task.status}): attempts {had}")
        elif task.status == "completed" and had[-1:] != ["completed"]:
            verdict.lost.append(f"task {task.pk} is completed, its attempts {had}")
        if set(had) - ENDED_BADLY - {"completed", "running"} or len(had) != task.attempt_count:
            verdict.twice.append(f"task {task.pk}: {task.attempt_count} attempts, rows {had}")
        if task.retry_count != had.count("lost") + had.count("failed"):
            verdict.twice.append(f"task {task.pk}: {task.retry_count} retries, attempts {had}")
    every = Counter(outcome for had in outcomes.values() for outcome in had)
    verdict.figures["attempts"] = dict(every)
    verdict.figures["most attempts of a task"] = max(map(len, outcomes.values()), default=0)


def _findings(tasks: dict[int, PendingAnalysis], verdict: Verdict) -> None:
    """One for each completed task, current where its text is; none for any other."""
    made: dict[int, list[Finding]] = defaultdict(list)
    current: Counter[int] = Counter()
    for finding in Finding.objects.only("task_id", "chapter_id", "version_id", "quote", "current"):
        made[finding.task_id].append(finding)
        current[finding.chapter_id] += finding.current
    contents = dict(ChapterVersion.objects.values_list("pk", "content"))
    for task in tasks.values():
        found = made.pop(task.pk, [])
        wanted = int(task.status == "completed")
        if len(found) != wanted:
            where = verdict.twice if len(found) > wanted else verdict.lost
            where.append(f"task {task.pk} ({task.status}) has {len(found)} findings")
        for finding in found:
            mark = mark_in(contents[task.version_id])
            if finding.version_id != task.version_id or mark_in(finding.quote) != mark:
                verdict.twice.append(f"task {task.pk} has the finding of another text")
    for task_id, found in made.items():
        verdict.twice.append(f"{len(found)} findings without their task {task_id}")
    newest = ChapterVersion.objects.select_related("chapter").only("chapter__version", "number")
    for version in newest:
        if version.number != version.chapter.version:
            continue
        rows = Finding.objects.filter(version_id=version.pk, current=True).count()
        if current[version.chapter_id] != 1 or rows != 1:
            where = verdict.twice if current[version.chapter_id] > 1 else verdict.lost
            where.append(f"chapter {version.chapter_id}: {current[version.chapter_id]} current")


def _tallies(tasks: dict[int, PendingAnalysis], verdict: Verdict) -> None:
    """The counters of the metrics say what the rows say."""
    ended = Counter(str(task.status) for task in tasks.values())
    outcomes = Counter(AnalysisAttempt.objects.values_list("outcome", flat=True))
    buckets = StatusTally.BUCKETS
    expected = {
        "completed": ended["completed"],
        "failed": ended["failed"],
        "cancelled": ended["cancelled"],
        "rescued": outcomes["lost"],
    }
    told = StatusTally.objects.aggregate(**{name: Sum(name) for name in [*expected, *buckets]})
    told["claimed"] = QueueControl.objects.values_list("claimed", flat=True).get(pk=1)
    expected["claimed"] = sum(outcomes.values())
    told["completed runs"] = sum(told[bucket] for bucket in buckets)
    for name, number in (expected | {"completed runs": ended["completed"]}).items():
        if told[name] != number:
            where = verdict.twice if told[name] > number else verdict.lost
            where.append(f"tally {name}: {told[name]}, rows: {number}")


def _bibles(verdict: Verdict) -> None:
    """Each bible is what its findings fold to: none was applied twice, or not at all."""
    stored: dict[Any, dict[str, int]] = defaultdict(dict)
    for novel, name, mentions in Character.objects.values_list("project_id", "name", "mentions"):
        stored[novel][name] = mentions
    for novel in _ids(NovelProject.objects.values_list("pk", flat=True)):
        folded = fold.fold(current(novel))
        if stored[novel] != {person.name: person.mentions for person in folded.people}:
            verdict.lost.append(f"the bible of novel {novel} is not what its findings say")


def _ids(rows: Iterable[Any]) -> list[Any]:
    return list(rows)
