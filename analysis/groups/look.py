"""Failures by cause, counted from the one index ``pending_analysis_error_group``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Count, F, Max, Min, Q, QuerySet

from analysis.errors import fingerprint_of_row
from analysis.models import LIVE, AnalysisAttempt, ErrorGroup, PendingAnalysis, Status
from arboris.db import in_transaction
from arboris.novels.models import NovelProject

Tasks = QuerySet[PendingAnalysis]
MOST = 100  # groups that are shown: those of which most have failed
NAMES = 10  # of writers and of novels of a group
ADOPTED = 5_000  # failures without a fingerprint that one look gives theirs
BATCH = 500
SAMPLE = ("error_type", "error_message", "endpoint", "user__username", "project__title")


@dataclass(frozen=True, slots=True)
class Group:
    """Analyses with one cause of failure; ``waiting``: have it, and will be tried again by
    themselves. ``sample``: the newest task's number, whose words, endpoint and feature these are.
    """

    fingerprint: str
    error_type: str
    error_message: str
    endpoint: str
    feature: str
    failed: int
    waiting: int
    since: datetime | None
    last: datetime | None
    writers: int
    novels: int
    sample: int
    writer: str
    novel: str


def of(fingerprint: str) -> Q:
    """The tasks of a group. Said twice for the databases whose index leaves out who has none."""
    return Q(error_fingerprint=fingerprint, error_fingerprint__gt="")


def failed(fingerprint: str) -> Tasks:
    return PendingAnalysis.objects.filter(of(fingerprint), status=Status.FAILED)


def retryable(fingerprint: str) -> Tasks:
    """Of the failed ones, those whose text is still their chapter's, and not in the trash."""
    return failed(fingerprint).filter(
        version__number=F("chapter__version"),
        chapter__deleted_at=None,
        project__deleted_at=None,
    )


def is_known(fingerprint: str) -> bool:
    tasks = PendingAnalysis.objects.filter(of(fingerprint))
    return tasks.exists() or ErrorGroup.objects.filter(pk=fingerprint).exists()


def groups(tasks: Tasks | None = None) -> list[Group]:
    """The groups (of ``tasks``), those with the most failures first."""
    adopt()
    every = PendingAnalysis.objects.all() if tasks is None else tasks
    found = _counted(every, [Status.FAILED])
    waiting = _counted(every, LIVE)
    missing = found.keys() - waiting.keys()
    if missing and len(waiting) == MOST:  # there may be more of them
        waiting |= _counted(every.filter(error_fingerprint__in=missing), LIVE)
    return _with_samples(_merged(found, waiting)[:MOST])


def group(fingerprint: str) -> Group | None:
    """One of them; None where no task has it (any more)."""
    tasks = PendingAnalysis.objects.filter(of(fingerprint))
    found = _merged(_counted(tasks, [Status.FAILED]), _counted(tasks, LIVE))
    return next(iter(_with_samples(found)), None)


Counted = dict[str, Any]


def _counted(tasks: Tasks, statuses: Iterable[Status]) -> dict[str, Counted]:
    """By fingerprint, the MOST largest."""
    rows = (
        tasks.filter(error_fingerprint__gt="", status__in=statuses)
        .order_by()
        .values("error_fingerprint")
        .annotate(
            count=Count("pk"),
            since=Min("completed_at"),
            last=Max("completed_at"),
            sample=Max("pk"),
            writers=Count("user_id", distinct=True),
            novels=Count("project_id", distinct=True),
        )
    )
    found = [dict(row) for row in rows.order_by("-count", "-sample")[:MOST]]
    return {str(row.pop("error_fingerprint")): row for row in found}


def _merged(failed: dict[str, Counted], waiting: dict[str, Counted]) -> list[Counted]:
    """The facts of those that failed; where none has, of those that wait."""
    found = [
        {
            **(failed.get(key) or waiting[key]),
            "fingerprint": key,
            "failed": failed[key]["count"] if key in failed else 0,
            "waiting": waiting[key]["count"] if key in waiting else 0,
        }
        for key in {**failed, **waiting}
    ]
    for one in found:
        del one["count"]
    return sorted(found, key=lambda one: (-one["failed"], -one["waiting"], -one["sample"]))


def _with_samples(found: list[Counted]) -> list[Group]:
    """Without those whose newest task was deleted in that very moment."""
    numbers = [one["sample"] for one in found]
    samples = PendingAnalysis.objects.filter(pk__in=numbers).values("pk", *SAMPLE)
    by_number = {sample["pk"]: sample for sample in samples}
    attempts = AnalysisAttempt.objects.filter(task_id__in=numbers).exclude(feature="")
    features = dict(attempts.order_by("number").values_list("task_id", "feature"))
    return [
        Group(
            **one,
            feature=features.get(one["sample"], ""),
            error_type=sample["error_type"],
            error_message=sample["error_message"],
            endpoint=sample["endpoint"],
            writer=sample["user__username"],
            novel=sample["project__title"],
        )
        for one in found
        if (sample := by_number.get(one["sample"])) is not None
    ]


def whose(fingerprint: str) -> dict[str, list[tuple[str, int]]]:
    """The writers and novels with the most failed analyses of a group, and how many."""
    users, novels = get_user_model()._default_manager, NovelProject.everything
    return {
        "writers": _named(fingerprint, "user_id", users),
        "novels": _named(fingerprint, "project_id", novels),
    }


def _named(fingerprint: str, key: str, names: Any) -> list[tuple[str, int]]:
    counted = failed(fingerprint).order_by().values(key).annotate(number=Count("pk"))
    rows = list(counted.order_by("-number", key)[:NAMES])
    named = names.in_bulk([row[key] for row in rows])
    return [(str(named[row[key]]), row["number"]) for row in rows if row[key] in named]


def adopt() -> int:
    """Give failures that have none their fingerprint: rows that were not written by ``fail``."""
    every = PendingAnalysis.objects.filter(status=Status.FAILED)
    if not _some_have_none(every):
        return 0
    columns = ("pk", "error_type", "error_message", "endpoint")
    rows = list(every.filter(error_fingerprint="").order_by("-pk").values_list(*columns)[:ADOPTED])
    by_fingerprint: dict[str, list[int]] = {}
    for pk, *said in rows:
        by_fingerprint.setdefault(fingerprint_of_row(*said), []).append(pk)
    for fingerprint, numbers in by_fingerprint.items():
        for start in range(0, len(numbers), BATCH):
            _give(fingerprint, sorted(numbers[start : start + BATCH]))
    return len(rows)


def _some_have_none(every: Tasks) -> bool:
    """From the index alone, which leaves them out where the database can leave something out."""
    if connection.features.supports_partial_indexes:
        return every.count() > every.filter(error_fingerprint__gt="").count()
    return every.filter(error_fingerprint="").exists()


def _give(fingerprint: str, numbers: list[int]) -> None:
    tasks = PendingAnalysis.objects.filter(
        pk__in=numbers, status=Status.FAILED, error_fingerprint=""
    )
    in_transaction(lambda: tasks.update(error_fingerprint=fingerprint))
