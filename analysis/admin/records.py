"""What the queue writes about itself, to look at."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from analysis.models import AnalysisAttempt, OperatorAction, StatusTally, WorkerHeartbeat
from analysis.overview.models import FailureCounter, QueueSample
from arboris.admin_base import ReadOnlyAdmin


@admin.register(AnalysisAttempt)
class AnalysisAttemptAdmin(ReadOnlyAdmin[AnalysisAttempt]):
    list_display = (
        "id",
        "task_id",
        "number",
        "outcome",
        "worker",
        "started_at",
        "ended_at",
        "error_type",
    )
    list_filter = ("outcome",)
    search_fields = ("=task__id",)
    search_help_text = _("Number of an analysis")
    ordering = ("-id",)


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(ReadOnlyAdmin[WorkerHeartbeat]):
    list_display = ("worker", "task_id", "started_at", "seen_at", "rss_bytes")
    ordering = ("worker",)


@admin.register(StatusTally)
class StatusTallyAdmin(ReadOnlyAdmin[StatusTally]):
    list_display = ("shard", "completed", "failed", "cancelled", "retried", "rescued")
    ordering = ("shard",)


@admin.register(QueueSample)
class QueueSampleAdmin(ReadOnlyAdmin[QueueSample]):
    list_display = ("at", "step", "pending", "due", "processing", "completed", "failed")
    ordering = ("step", "-slot")


@admin.register(FailureCounter)
class FailureCounterAdmin(ReadOnlyAdmin[FailureCounter]):
    list_display = ("error_type", "failures", "shard")
    ordering = ("error_type", "shard")


@admin.register(OperatorAction)
class OperatorActionAdmin(ReadOnlyAdmin[OperatorAction]):
    list_display = ("at", "actor", "action", "count", "reason")
    list_filter = ("action", "at")
    search_fields = ("actor", "reason")
    search_help_text = _("Who, or why")
    ordering = ("-at", "-id")
