"""All that the tables say of one analysis: looked at in a few bounded queries.

The page of one analysis and ``analysis_show`` tell the same, from here.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from django.db.models import Count, Sum

from analysis.api.waiting import blocked_reason_of, shown
from analysis.models import (
    AnalysisAttempt,
    BulkChange,
    OperatorAction,
    PendingAnalysis,
    Status,
)
from arboris.llm.models import ModelCall
from notifications.models import AnalysisNotification

Rows = list[dict[str, Any]]
HEAVY = ("result", "checkpoint", "generation_config", "token_usage")
MOST = 200  # rows of each table
LOOKED_THROUGH = 1_000  # entries of the record since the analysis was queued
TASK = (
    "id",
    "status",
    "priority",
    "created_at",
    "due_at",
    "started_at",
    "completed_at",
    "duration_seconds",
    "attempt_count",
    "retry_count",
    "max_retries",
    "worker",
    "endpoint",
    "request_id",
    "progress_percent",
    "progress_feature",
    "error_type",
    "error_fingerprint",
    "error_message",
)
ATTEMPT = (
    "number",
    "worker",
    "started_at",
    "ended_at",
    "outcome",
    "feature",
    "error_type",
    "error_message",
    "traceback",
)
CALL = (
    "created_at",
    "attempt",
    "purpose",
    "model",
    "endpoint",
    "prompt_tokens",
    "completion_tokens",
    "cost",
    "seconds",
    "outcome",
)
SPENT = {
    "calls": Count("pk"),
    "prompt_tokens": Sum("prompt_tokens"),
    "completion_tokens": Sum("completion_tokens"),
    "cost": Sum("cost"),
}
NOTIFICATION = ("id", "created_at", "notification_type", "is_read")
ACTION = ("at", "actor", "action", "reason", "operation")


def look(task_id: int) -> dict[str, Any]:
    """The analysis with its attempts, calls, notifications and what people did to it, in JSON's
    terms; PendingAnalysis.DoesNotExist where there is none."""
    tasks = PendingAnalysis.objects.select_related("chapter", "project", "user", "version")
    task = tasks.defer(*HEAVY, "version__content").get(pk=task_id)
    attempts = AnalysisAttempt.objects.filter(task=task_id).order_by("-number")
    attempts = attempts.exclude(outcome=AnalysisAttempt.Outcome.RUNNING)
    calls = ModelCall.objects.filter(task_id=task_id).order_by("-created_at", "-id")
    told = AnalysisNotification.objects.filter(pending_analysis=task_id).order_by("-id")
    return {
        **{name: getattr(task, name) for name in TASK},
        "project_id": str(task.project_id),
        "project": task.project.title,
        "chapter_id": task.chapter_id,
        "chapter_number": task.chapter.chapter_number,
        "chapter": task.chapter.title,
        "version": task.version.number,
        "user": task.user.get_username(),
        "waiting": shown(blocked_reason_of(task)),
        "attempts": _oldest_first(attempts.values(*ATTEMPT)[:MOST]) + _running(task),
        "calls": _oldest_first(calls.values(*CALL)[:MOST]),
        "spent": calls.order_by().aggregate(**SPENT),
        "notifications": _oldest_first(told.values(*NOTIFICATION)[:MOST]),
        "record": _record(task),
    }


def _oldest_first(rows: Iterable[dict[str, Any]]) -> Rows:
    return list(rows)[::-1]


def _running(task: PendingAnalysis) -> Rows:
    """The attempt that is under way, whose row is written at its end."""
    if task.status != Status.PROCESSING or task.started_at is None:
        return []
    now = AnalysisAttempt(
        number=task.attempt_count,
        worker=task.worker,
        started_at=task.started_at,
        feature=task.progress_feature,
    )
    return [{name: getattr(now, name) for name in ATTEMPT}]


def _record(task: PendingAnalysis) -> Rows:
    """What people did to it, alone and along with others."""
    changes = BulkChange.objects.filter(task_id=task.pk).select_related("operation")
    many = [change.operation for change in changes.order_by("-pk")[:MOST]]
    found = [
        {
            "at": one.started_at,
            "actor": one.actor,
            "action": one.action,
            "reason": one.reason,
            "operation": one.pk,
        }
        for one in many
    ]
    told = {one.record_id for one in many}
    # The entry of a change of thousands names the first of them alone.
    since = OperatorAction.objects.filter(at__gte=task.created_at).order_by("-at", "-id")
    found += [
        {name: getattr(action, name) for name in ACTION[:-1]} | {"operation": None}
        for action in since[:LOOKED_THROUGH]
        if task.pk in action.details.get("ids", ()) and action.pk not in told
    ]
    return sorted(found, key=itemgetter("at"))
