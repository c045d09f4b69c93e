"""All that the tables say of one analysis: looked at in a few bounded queries, drawn with rich."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from analysis.api.waiting import blocked_reason_of, shown
from analysis.management.report import HEAVY
from analysis.management.terminal import one_line
from analysis.models import AnalysisAttempt, OperatorAction, PendingAnalysis
from arboris.llm.models import ModelCall
from notifications.models import AnalysisNotification

Rows = list[dict[str, Any]]
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
    "progress_percent",
    "progress_feature",
    "error_type",
    "error_fingerprint",
    "error_message",
)
ATTEMPT = ("number", "worker", "started_at", "ended_at", "outcome", "error_type", "error_message")
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
NOTIFICATION = ("id", "created_at", "notification_type", "is_read")
ACTION = ("at", "actor", "action", "reason")


def look(task_id: int) -> dict[str, Any]:
    """The analysis with its attempts, calls, notifications and what people did to it, in JSON's
    terms; PendingAnalysis.DoesNotExist where there is none."""
    tasks = PendingAnalysis.objects.select_related("chapter", "project", "user", "version")
    task = tasks.defer(*HEAVY, "version__content").get(pk=task_id)
    attempts = AnalysisAttempt.objects.filter(task=task_id).order_by("-number")
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
        "attempts": _oldest_first(attempts.values(*ATTEMPT)[:MOST]),
        "calls": _oldest_first(calls.values(*CALL)[:MOST]),
        "notifications": _oldest_first(told.values(*NOTIFICATION)[:MOST]),
        "record": _record(task),
    }


def _oldest_first(rows: Iterable[dict[str, Any]]) -> Rows:
    return list(rows)[::-1]


def _record(task: PendingAnalysis) -> Rows:
    """What people did to it; an entry of a change of thousands names the first of them alone."""
    since = OperatorAction.objects.filter(at__gte=task.created_at).order_by("-at", "-id")
    found = [
        {name: getattr(action, name) for name in ACTION}
        for action in since[:LOOKED_THROUGH]
        if task.pk in action.details.get("ids", ())
    ]
    return found[::-1]


# --- drawing ---------------------------------------------------------------------------------
def draw(seen: dict[str, Any]) -> RenderableType:
    parts: list[RenderableType] = [_facts(seen)]
    tables = (
        (_("Attempts"), ATTEMPT, seen["attempts"]),
        (_("Calls to language models"), CALL, seen["calls"]),
        (_("Notifications"), NOTIFICATION, seen["notifications"]),
        (_("What people did"), ACTION, seen["record"]),
    )
    for title, names, rows in tables:
        if rows:
            parts += ["", _table(title, names, rows)]
    return Group(*parts)


def _facts(seen: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    waiting = seen["waiting"]
    novel = f"{seen['project']} · {seen['chapter_number']} {seen['chapter']} (v{seen['version']})"
    facts = {
        "id": seen["id"],
        "status": seen["status"],
        _("waits"): waiting and f"{waiting['code']}: {waiting['message']}",
        _("chapter"): novel,
        _("writer"): seen["user"],
        **{name: seen[name] for name in TASK[2:]},
    }
    for name, value in facts.items():
        if value not in (None, ""):
            table.add_row(name, _cell(value))
    return table


def _table(title: str, names: tuple[str, ...], rows: Rows) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name)
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in names))
    return table


def _cell(value: Any) -> str:
    """Times to the second, in UTC; what others wrote on one line."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float):
        return f"{value:.1f}"
    return "-" if value in (None, "") else escape(one_line(str(value)))
