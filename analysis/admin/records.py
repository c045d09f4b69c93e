"""What the queue writes about itself, to look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from analysis import audit
from analysis.admin import words
from analysis.models import AnalysisAttempt, OperatorAction, StatusTally, WorkerHeartbeat
from analysis.overview.models import FailureCounter, QueueSample
from arboris import admin_export
from arboris.admin_base import ReadOnlyAdmin
from arboris.admin_lists import LOOK
from arboris.admin_ways import Sought, Way, containing, numbered, within

Actions = QuerySet[OperatorAction]


def _record_export(request: HttpRequest, what: Mapping[str, Any]) -> admin_export.Ended:
    """Who took which list away: the row is there before the first byte."""
    actor = request.user.get_username()
    row = audit.record(actor, "export", details={**what, "state": audit.RUNNING})

    def ended(written: int, whole: bool) -> None:
        state = audit.DONE if whole else audit.INTERRUPTED
        details = {**what, "rows": written, "state": state}
        OperatorAction.objects.filter(pk=row.pk).update(details=details)

    return ended


admin_export.recorders.append(_record_export)


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
    search_fields = ("=task__id",)  # shows the search box; seek does the search
    search_help_text = _("Number of an analysis")
    ordering = ("-id",)
    list_defer = ("token_usage", "traceback")

    def seek(self, term: str) -> list[Sought]:
        # By the numbers of its attempts: the index is that of the constraint.
        return [
            Sought(one.whole, (Way(one.whole, ("task_id", "number")),))
            for one in numbered(term, "task_id")
        ]

    def get_object(self, request: HttpRequest, *args: Any) -> AnalysisAttempt | None:
        attempt = super().get_object(request, *args)
        if attempt is not None:
            said = attempt.error_type, attempt.error_message
            attempt.error_message = words.of_error(request, *said)
        return attempt

    def get_fields(self, request: HttpRequest, obj: AnalysisAttempt | None = None) -> Any:
        names = super().get_fields(request, obj)
        if request.user.has_perm("analysis.view_traceback"):
            return names
        return [name for name in names if name != "traceback"]


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
    ordering = ("-pk",)


class ActionFilter(admin.SimpleListFilter):
    title = _("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """What was done lately: all of the table would take too long to look through."""
        newest = OperatorAction.objects.order_by("-pk").values_list("action", flat=True)[:LOOK]
        return [(name, name) for name in sorted(set(newest))]

    def queryset(self, request: HttpRequest, queryset: Actions) -> Actions:
        return queryset.filter(action=self.value()) if self.value() else queryset


@admin.register(FailureCounter)
class FailureCounterAdmin(ReadOnlyAdmin[FailureCounter]):
    list_display = ("error_type", "failures", "shard")
    ordering = ("shard", "error_type")


@admin.register(OperatorAction)
class OperatorActionAdmin(ReadOnlyAdmin[OperatorAction]):
    list_display = ("at", "actor", "action", "count", "reason")
    list_filter = (ActionFilter, "at")
    search_fields = ("actor", "reason")  # shows the search box; seek does the search
    search_help_text = _("Who, or why")
    ordering = ("-at", "-id")
    list_defer = ("details",)

    def way(self, params: Mapping[str, Any]) -> Way:
        if action := params.get("action"):
            return within(Way(Q(action=action), self.ordering, frozenset({"action"})), params)
        return super().way(params)

    def seek(self, term: str) -> list[Sought]:
        """Among the newest: people search for what was done lately."""
        words = containing("actor", term) | containing("reason", term)
        return [Sought(words, (Way(Q(), self.ordering, only=words),))]
