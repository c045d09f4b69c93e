"""The queue at a glance: looked at in a few bounded queries, drawn with rich."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Q
from django.utils.translation import gettext as _
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from analysis.groups import look as error_groups
from analysis.management.selection import Selection, Tasks
from analysis.management.terminal import one_line
from analysis.management.units import short
from analysis.models import (
    EndpointState,
    PendingAnalysis,
    QueueControl,
    QueuePause,
    Status,
    WorkerHeartbeat,
)
from arboris.db import db_now
from arboris.novels.models import NovelProject

RECENT = timedelta(days=1)
FAILURE_ROWS = 100
WORKER_ROWS = 200
PAUSE_ROWS = 100
ENDPOINT = ("name", "error_type", "error_message", "paused_at", "probe_at", "probes")


def look(selection: Selection) -> dict[str, Any]:
    """Counts by status, pause, oldest pending, workers, throughput, recent failures by error, and
    the groups that all failures fall into."""
    now = db_now()
    tasks = Selection(project=selection.project, user_id=selection.user_id).tasks()
    counted = dict(tasks.order_by().values_list("status").annotate(number=Count("pk")))
    counts = {status: counted.get(status, 0) for status in Status.values}
    control = QueueControl.objects.get(pk=1)
    return {
        "at": now,
        "total": sum(counts.values()),
        **counts,
        "running_limit": settings.ARBORIS_MAX_CONCURRENT_TOTAL or None,
        "paused": control.paused_at is not None,
        "paused_at": control.paused_at,
        "paused_reason": control.paused_reason,
        "pauses": _pauses(selection),
        "endpoints": _endpoints(),
        "completed_last_hour": tasks.filter(
            status=Status.COMPLETED, completed_at__gte=now - timedelta(hours=1)
        ).count(),
        "due_later": tasks.filter(status=Status.PENDING, due_at__gt=now).count(),
        "oldest_pending": _oldest(tasks, now),
        "workers": _workers(now),
        "failures": _failures(tasks, now),
        "groups": [asdict(group) for group in error_groups.groups(tasks)],
    }


def _pauses(selection: Selection) -> list[dict[str, Any]]:
    """The paused novels and writers, of the selection where it names one."""
    pauses = QueuePause.objects.all()
    if selection.project is not None:
        owners = NovelProject.objects.filter(pk=selection.project).values("owner")
        pauses = pauses.filter(Q(project=selection.project) | Q(user__in=owners))
    if selection.user_id is not None:
        pauses = pauses.filter(Q(user=selection.user_id) | Q(project__owner=selection.user_id))
    return [
        {
            "project_id": str(pause.project_id) if pause.project_id else None,
            "project": pause.project.title if pause.project else None,
            "user": pause.user.get_username() if pause.user else None,
            "reason": pause.reason,
            "paused_at": pause.paused_at,
        }
        for pause in pauses.select_related("project", "user").order_by("paused_at")[:PAUSE_ROWS]
    ]


def _endpoints() -> list[dict[str, Any]]:
    """The endpoints that have refused us, with what they said."""
    states = EndpointState.objects.filter(paused_at__isnull=False).order_by("name")
    return [dict(row) for row in states.values(*ENDPOINT)[:PAUSE_ROWS]]


def _oldest(tasks: Tasks, now: datetime) -> dict[str, Any] | None:
    task = (
        tasks.filter(status=Status.PENDING)
        .order_by("created_at", "id")
        .select_related("chapter", "project", "user")
        .only(
            "priority", "created_at", "chapter__chapter_number", "project__title", "user__username"
        )
        .first()
    )
    if task is None:
        return None
    return {
        "id": task.pk,
        "priority": task.priority,
        "chapter_number": task.chapter.chapter_number,
        "project": task.project.title,
        "user": task.user.get_username(),
        "age_seconds": round((now - task.created_at).total_seconds(), 1),
    }


def _workers(now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "worker": beat.worker,
            "task_id": beat.task_id,
            "seen_seconds_ago": round((now - beat.seen_at).total_seconds(), 1),
            "up_seconds": round((now - beat.started_at).total_seconds()),
            "rss_bytes": beat.rss_bytes,
        }
        for beat in WorkerHeartbeat.objects.order_by("worker")[:WORKER_ROWS]
    ]


def _failures(tasks: Tasks, now: datetime) -> list[dict[str, Any]]:
    """All failures of the last day by fingerprint, the most frequent first, each with its newest.

    Of more than FAILURE_ROWS kinds only the most frequent ones.
    """
    failed = tasks.filter(status=Status.FAILED, completed_at__gte=now - RECENT)
    kinds = failed.order_by().values("error_fingerprint", "error_type")
    counted = kinds.annotate(count=Count("pk"), newest_at=Max("completed_at"), newest=Max("pk"))
    groups = list(counted.order_by("-count", "-newest")[:FAILURE_ROWS])
    messages = PendingAnalysis.objects.only("error_message").in_bulk([g["newest"] for g in groups])
    return [
        {
            "count": group["count"],
            "error_type": group["error_type"],
            "fingerprint": group["error_fingerprint"],
            "error_message": messages[group["newest"]].error_message,
            "newest_task_id": group["newest"],
            "newest_at": group["newest_at"],
        }
        for group in groups
        if group["newest"] in messages  # else it was deleted in that very moment
    ]


# --- drawing ---------------------------------------------------------------------------------
def draw(seen: dict[str, Any]) -> RenderableType:
    parts: list[RenderableType] = [_counts(seen), _lines(seen)]
    if seen["pauses"]:
        parts += [_pause_table(seen), ""]
    if seen["endpoints"]:
        parts += [_endpoint_table(seen), ""]
    parts.append(_worker_table(seen))
    if seen["groups"]:
        parts.append(_group_table(seen))
    return Group(*parts)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column)
    return table


def _counts(seen: dict[str, Any]) -> Table:
    names = [*Status.values, "total"]
    table = _table(_("Analyses"), *(str(Status(name).label) for name in Status.values), _("total"))
    table.add_row(*(str(seen[name]) for name in names))
    return table


def _lines(seen: dict[str, Any]) -> str:
    lines = []
    if seen["paused"]:
        since, reason = _ago(seen, seen["paused_at"]), _plain(seen["paused_reason"] or "-")
        text = _("The queue is paused for %(age)s: %(reason)s")
        lines.append(text % {"age": since, "reason": reason})
    if seen["running_limit"]:
        text = _("Over all clusters at most %(number)d run at a time")
        lines.append(text % {"number": seen["running_limit"]})
    oldest = seen["oldest_pending"]
    if oldest:
        values = {
            **oldest,
            "age": short(oldest["age_seconds"]),
            "project": _plain(oldest["project"]),
        }
        text = _(
            "Oldest pending: %(id)d, waiting %(age)s (chapter %(chapter_number)d of %(project)s)"
        )
        lines.append(text % values)
    lines.append(
        _("Completed in the last hour: %(hour)d; waiting for their next try: %(later)d")
        % {"hour": seen["completed_last_hour"], "later": seen["due_later"]}
    )
    return "\n".join(["", *lines, ""])


def _pause_table(seen: dict[str, Any]) -> Table:
    table = _table(_("Paused"), _("novel"), _("writer"), _("since"), _("reason"))
    for row in seen["pauses"][:20]:
        names = [_plain(row[name] or "-") for name in ("project", "user")]
        table.add_row(*names, _ago(seen, row["paused_at"]), _plain(row["reason"] or "-"))
    return table


def _endpoint_table(seen: dict[str, Any]) -> Table:
    title = _("Endpoints that refuse us")
    columns = (_("endpoint"), _("error"), _("since"), _("next probe in"), _("probes"), "")
    table = _table(title, *columns)
    for row in seen["endpoints"][:20]:
        probe = short((row["probe_at"] - seen["at"]).total_seconds()) if row["probe_at"] else "-"
        since, message = _ago(seen, row["paused_at"]), _plain(row["error_message"])[:200]
        name = _plain(row["name"])
        table.add_row(name, row["error_type"], since, probe, str(row["probes"]), message)
    return table


def _ago(seen: dict[str, Any], moment: datetime) -> str:
    return short((seen["at"] - moment).total_seconds())


def _worker_table(seen: dict[str, Any]) -> RenderableType:
    if not seen["workers"]:
        return _("No worker has been seen lately.")
    table = _table(_("Workers"), _("worker"), _("task"), _("seen"), _("up"), _("memory"))
    for row in seen["workers"]:
        table.add_row(
            _plain(row["worker"]),
            str(row["task_id"] or "-"),
            short(row["seen_seconds_ago"]),
            short(row["up_seconds"]),
            f"{row['rss_bytes'] >> 20} MB",
        )
    return table


def _group_table(seen: dict[str, Any]) -> Table:
    counted = (_("group"), _("failed"), _("waiting"), _("writers"), _("since"), _("last"))
    table = _table("\n" + _("Failures by cause"), *counted, _("error"), _("newest"), "")
    for row in seen["groups"][:20]:
        numbers = (str(row[name]) for name in ("failed", "waiting", "writers"))
        times = (_ago(seen, row[name]) if row[name] else "-" for name in ("since", "last"))
        message = _plain(row["error_message"])[:200]
        sample = str(row["sample"])
        table.add_row(row["fingerprint"], *numbers, *times, row["error_type"], sample, message)
    return table


def _plain(text: str) -> str:
    """What others wrote: no markup, no control characters."""
    return escape(one_line(text))
