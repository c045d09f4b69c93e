"""The list of analyses; the page of one is in ``task_page``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from analysis.admin import actions, filters, words
from analysis.admin.task_page import TaskPage
from analysis.management.units import short
from analysis.models import PendingAnalysis
from arboris.admin_ways import Sought, Way, by_value, within

HEAVY = ("result", "checkpoint", "generation_config", "token_usage")


@admin.register(PendingAnalysis)
class PendingAnalysisAdmin(TaskPage):
    list_display = (
        "id",
        "status",
        "priority",
        "chapter_label",
        "user",
        "age",
        "attempt_count",
        "error",
        "in_trash",
    )
    list_select_related = ("chapter", "project", "user")
    list_defer = HEAVY
    list_filter = (
        "status",
        filters.ErrorTypeFilter,
        filters.ErrorGroupFilter,
        filters.PriorityFilter,
        "created_at",
    )
    search_fields = ("=id",)  # shows the search box; seek does the search
    search_help_text = _(
        "Number, beginning of a novel's title or of a writer's name, or error; the words of an"
        " error are looked for in the newest failures."
    )
    ordering = ("-id",)
    action_form = actions.ReasonForm
    actions = (actions.retry, actions.cancel, actions.set_priority)

    def way(self, params: Mapping[str, Any]) -> Way:
        found = filters.way(params)
        if found is not None:
            return within(found, params)
        return by_value(self.model, params) or filters.made_within(params) or super().way(params)

    def seek_for(self, request: HttpRequest, term: str) -> list[Sought]:
        return filters.seek(term, in_all_words=words.may_read(request))

    def hide(self, request: HttpRequest, row: PendingAnalysis) -> None:
        row.error_message = words.of_error(request, row.error_type, row.error_message)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PendingAnalysis]:
        rows = super().get_queryset(request).select_related(*self.list_select_related, "version")
        return rows.defer("version__content")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analysis.retry_pendinganalysis")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analysis.cancel_pendinganalysis")

    def has_set_priority_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analysis.change_pendinganalysis")

    @admin.display(description=_("chapter"))
    def chapter_label(self, task: PendingAnalysis) -> str:
        return f"{task.project.title} · {task.chapter.chapter_number}"

    @admin.display(description=_("in the trash"), boolean=True)
    def in_trash(self, task: PendingAnalysis) -> bool:
        """Where its chapter or its novel was deleted and can be restored."""
        return bool(task.chapter.deleted_at or task.project.deleted_at)

    @admin.display(description=_("age"), ordering="-id")
    def age(self, task: PendingAnalysis) -> str:
        return short((timezone.now() - task.created_at).total_seconds())

    @admin.display(description=_("error"), ordering="error_type")
    def error(self, task: PendingAnalysis) -> str:
        return ": ".join(filter(None, (task.error_type, task.error_message[:120])))
