"""The list of analyses and the page of one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from analysis import audit, queue
from analysis.admin import actions, filters
from analysis.errors import QueueConflict
from analysis.management.units import short
from analysis.models import AnalysisAttempt, PendingAnalysis
from arboris.admin_base import ReadOnlyInline, RecordAdmin, prompt_links
from arboris.db import in_transaction

HEAVY = ("result", "checkpoint", "generation_config", "token_usage")


class TaskChangeList(ChangeList):
    def get_queryset(self, request: HttpRequest, *args: Any) -> QuerySet[Any]:
        return super().get_queryset(request, *args).defer(*HEAVY)


class TaskForm(forms.ModelForm[PendingAnalysis]):
    class Meta:
        model = PendingAnalysis
        fields = ("priority",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "priority" in self.fields:  # absent for those who may only look
            self.fields["priority"].validators += [MinValueValidator(1), MaxValueValidator(10)]


class AttemptInline(ReadOnlyInline):
    model = AnalysisAttempt
    fields = (
        "number",
        "worker",
        "started_at",
        "ended_at",
        "outcome",
        "error_type",
        "error_message",
    )
    ordering = ("number",)


@admin.register(PendingAnalysis)
class PendingAnalysisAdmin(RecordAdmin[PendingAnalysis]):
    form = TaskForm
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
    list_filter = (
        "status",
        filters.ErrorTypeFilter,
        filters.PriorityFilter,
        "created_at",
    )
    search_fields = ("=id",)  # shows the search box; filters.search does the search
    search_help_text = _("Number, novel, writer or error")
    ordering = ("-id",)
    action_form = actions.ReasonForm
    actions = (actions.retry, actions.cancel, actions.set_priority)
    inlines = (AttemptInline,)
    fields = (
        ("status", "priority"),
        ("project", "chapter_label", "version_number", "user"),
        ("created_at", "due_at", "started_at", "completed_at", "duration_seconds"),
        ("attempt_count", "retry_count", "max_retries"),
        ("worker", "lease_expires_at", "progress_percent", "progress_feature"),
        ("error_type", "error_fingerprint"),
        "error_message",
        "generation_config",
        "result",
        "prompts",
        "token_usage",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        names: list[str] = []
        for entry in self.fields:
            names += [entry] if isinstance(entry, str) else entry
        return [name for name in names if name != "priority"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return TaskChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[PendingAnalysis]:
        rows = super().get_queryset(request).select_related(*self.list_select_related, "version")
        return rows.defer("version__content")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[PendingAnalysis], search_term: str
    ) -> tuple[QuerySet[PendingAnalysis], bool]:
        across = request.method == "POST" and request.POST.get("select_across") == "1"
        return filters.search(queryset, search_term, everything=across), False

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analysis.retry_pendinganalysis")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analysis.cancel_pendinganalysis")

    @admin.display(description=_("chapter"))
    def chapter_label(self, task: PendingAnalysis) -> str:
        return f"{task.project.title} · {task.chapter.chapter_number}"

    @admin.display(description=_("version"))
    def version_number(self, task: PendingAnalysis) -> int:
        return task.version.number

    @admin.display(description=_("prompts"))
    def prompts(self, task: PendingAnalysis) -> str:
        """The version of the words that each feature was asked for with."""
        versions: dict[str, str] = (task.result or {}).get("prompts", {})
        lines = ((feature, prompt_links(version)) for feature, version in versions.items())
        return format_html_join("", "<div>{}: {}</div>", lines) or "–"

    @admin.display(description=_("in the trash"), boolean=True)
    def in_trash(self, task: PendingAnalysis) -> bool:
        """Where its chapter or its novel was deleted and can be restored."""
        return bool(task.chapter.deleted_at or task.project.deleted_at)

    @admin.display(description=_("age"), ordering="created_at")
    def age(self, task: PendingAnalysis) -> str:
        return short((timezone.now() - task.created_at).total_seconds())

    @admin.display(description=_("error"), ordering="error_type")
    def error(self, task: PendingAnalysis) -> str:
        return ": ".join(filter(None, (task.error_type, task.error_message[:120])))

    def save_model(
        self, request: HttpRequest, obj: PendingAnalysis, form: forms.ModelForm[Any], change: bool
    ) -> None:
        """The priority is all that can be changed here, and only while the task is pending."""
        if "priority" not in form.changed_data:
            return
        priority = form.cleaned_data["priority"]

        def work() -> None:
            queue.set_priority(obj.pk, priority)
            details = {"ids": [obj.pk], "priority": priority}
            actor = request.user.get_username()
            audit.record(actor, "set_priority", count=1, details=details)

        try:
            in_transaction(work)
        except QueueConflict as conflict:
            self.message_user(request, str(conflict), messages.ERROR)
