"""The page of one analysis: all that the tables say of it, and what may be done to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis import audit, queue, task_detail
from analysis.admin import words
from analysis.errors import QueueConflict
from analysis.models import (
    AnalysisAttempt,
    BulkOperation,
    OperatorAction,
    PendingAnalysis,
    Status,
)
from arboris.admin_base import RecordAdmin, prompt_links
from arboris.db import in_transaction
from arboris.llm.models import ModelCall
from notifications.models import AnalysisNotification

KEPT = ("generation_config", "result", "prompts", "token_usage")


class ReasonForm(forms.Form):
    """Why, for the record."""

    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=500)


class PriorityForm(ReasonForm):
    priority = forms.IntegerField(
        label=gettext_lazy("Priority"),
        min_value=1,
        max_value=10,
        help_text=gettext_lazy("1 to 10; the higher number is taken first."),
    )
    field_order = ("priority", "reason")


class Change(NamedTuple):
    """What a button does; ``told``: to the writer as well."""

    title: str | Promise
    note: str | Promise
    right: str
    check: Callable[[PendingAnalysis], None]
    work: Callable[[int], None]
    told: bool = False


CHANGES = {
    "retry": Change(
        gettext_lazy("Retry the analysis"),
        gettext_lazy("Retried."),
        "retry_pendinganalysis",
        queue.check_retry,
        queue.retry,
    ),
    "cancel": Change(
        gettext_lazy("Cancel the analysis"),
        gettext_lazy("Cancelled."),
        "cancel_pendinganalysis",
        queue.check_cancel,
        queue.cancel,
        told=True,
    ),
}


class TaskPage(RecordAdmin[PendingAnalysis]):
    """``fields`` are what the database keeps as JSON; all else is of ``task_detail``."""

    fields = KEPT
    readonly_fields = KEPT
    change_form_template = "admin/analysis/task.html"

    def get_urls(self) -> list[URLPattern]:
        ask = self.admin_site.admin_view(self.ask_view)
        changes = [
            path(f"<int:task_id>/{name}/", ask, {"name": name}, f"analysis_pendinganalysis_{name}")
            for name in CHANGES
        ]
        return [*changes, *super().get_urls()]

    @staticmethod
    def may(request: HttpRequest, right: str) -> bool:
        return request.user.has_perm(f"analysis.{right}")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page; sent to it, a new priority, which is all that can be written there."""
        form = PriorityForm()
        if request.method == "POST":
            task = self._task(request, object_id)
            if not self.has_change_permission(request, task):
                raise PermissionDenied
            form = PriorityForm(request.POST)
            if form.is_valid():
                self._set_priority(request, task, **form.cleaned_data)
                return HttpResponseRedirect(self._address(task))
            request.method = "GET"  # the page again, with what is wrong
        elif object_id.isascii() and object_id.isdigit() and len(object_id) < 19:
            form = PriorityForm(initial=self._initial(int(object_id)))
        context = {"priority_form": form, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    @staticmethod
    def _initial(task_id: int) -> dict[str, Any]:
        row = PendingAnalysis.objects.filter(pk=task_id).values("priority").first()
        return dict(row or {})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        task: PendingAnalysis = context["original"]
        seen = task_detail.look(task.pk)
        if not self.may(request, "view_traceback"):
            seen["attempts"] = [one | {"traceback": ""} for one in seen["attempts"]]
        for one in (seen, *seen["attempts"]):
            one["error_message"] = words.of_error(request, one["error_type"], one["error_message"])
        buttons = [
            (self._address(task, name), change.title)
            for name, change in CHANGES.items()
            if self.may(request, change.right) and _allows(change, task)
        ]
        context |= {
            "seen": seen,
            "facts": _facts(seen),
            "tables": _tables(seen),
            "buttons": buttons,
            "may_reorder": self.has_change_permission(request, task)
            and task.status == Status.PENDING,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def ask_view(self, request: HttpRequest, task_id: int, name: str) -> HttpResponse:
        """Ask whether to do it; sent, do it."""
        change = CHANGES[name]
        if not self.may(request, change.right):
            raise PermissionDenied
        task = self._task(request, task_id)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            self._do(request, task, name, form.cleaned_data["reason"])
            return HttpResponseRedirect(self._address(task))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": change.title,
            "task": task,
            "told": change.told,
            "page": self._address(task),
            "form": form,
        }
        return TemplateResponse(request, "admin/analysis/task_ask.html", context)

    def _do(self, request: HttpRequest, task: PendingAnalysis, name: str, reason: str) -> None:
        change = CHANGES[name]
        self._recorded(request, task, name, lambda: change.work(task.pk), change.note, reason)

    def _set_priority(
        self, request: HttpRequest, task: PendingAnalysis, *, priority: int, reason: str
    ) -> None:
        note = _("Priority set to %(priority)d.") % {"priority": priority}
        self._recorded(
            request,
            task,
            "set_priority",
            lambda: queue.set_priority(task.pk, priority),
            note,
            reason,
            priority=priority,
        )

    def _recorded(
        self,
        request: HttpRequest,
        task: PendingAnalysis,
        action: str,
        work: Callable[[], None],
        note: str | Promise,
        reason: str,
        **details: Any,
    ) -> None:
        """Do it, record it, and say one thing: that it is done, or why it is not."""
        actor = request.user.get_username()

        def both() -> None:
            work()
            self.log_change(request, task, str(note))
            named = {"ids": [task.pk], **details}
            audit.record(actor, action, reason=reason, count=1, details=named)

        try:
            in_transaction(both)
        except QueueConflict as conflict:
            self.message_user(request, str(conflict), messages.ERROR)
        except PendingAnalysis.DoesNotExist:
            self.message_user(request, _("There is no such analysis."), messages.ERROR)
        else:
            self.message_user(request, str(note), messages.SUCCESS)

    def _task(self, request: HttpRequest, task_id: int | str) -> PendingAnalysis:
        task = self.get_object(request, str(task_id))
        if task is None:
            raise Http404
        return task

    @staticmethod
    def _address(task: PendingAnalysis, name: str = "change") -> str:
        return reverse(f"admin:analysis_pendinganalysis_{name}", args=[task.pk])

    def prompts(self, task: PendingAnalysis) -> str:
        """The version of the words that each feature was asked for with."""
        versions: dict[str, str] = (task.result or {}).get("prompts", {})
        lines = ((feature, prompt_links(version)) for feature, version in versions.items())
        return format_html_join("", "<div>{}: {}</div>", lines) or "–"

    prompts.short_description = gettext_lazy("prompts")  # type: ignore[attr-defined]


# --- what is shown --------------------------------------------------------------------------------
OWN_PLACE = ("id", "error_fingerprint", "error_message")  # in the page's head


def _facts(seen: dict[str, Any]) -> list[tuple[str, str]]:
    facts = [
        (_("chapter"), f"{seen['chapter_number']} {seen['chapter']} (v{seen['version']})"),
        (_("novel"), seen["project"]),
        (_("writer"), seen["user"]),
        *(
            (_label(PendingAnalysis, name), seen[name])
            for name in task_detail.TASK
            if name not in OWN_PLACE
        ),
    ]
    if seen["spent"]["calls"]:
        tokens = "{prompt_tokens} + {completion_tokens}".format(**seen["spent"])
        facts += [(_("calls"), seen["spent"]["calls"]), (_("tokens"), tokens)]
        facts += [(_("cost"), seen["spent"]["cost"])]
    return [(name, told(value)) for name, value in facts if value not in (None, "")]


class Sheet(NamedTuple):
    """A table: of each row its cells, and what is folded below it."""

    name: str
    title: str
    heads: list[str]
    rows: list[tuple[list[str], str]]


def _tables(seen: dict[str, Any]) -> list[Sheet]:
    detail = task_detail
    return [
        _sheet(_("Attempts"), "attempts", AnalysisAttempt, detail.ATTEMPT, seen),
        _sheet(_("Calls to language models"), "calls", ModelCall, detail.CALL, seen),
        _sheet(
            _("Notifications"), "notifications", AnalysisNotification, detail.NOTIFICATION, seen
        ),
        _sheet(_("What people did"), "record", OperatorAction, detail.ACTION, seen),
    ]


def _sheet(
    title: str, name: str, model: type[Model], columns: tuple[str, ...], seen: dict[str, Any]
) -> Sheet:
    shown = [column for column in columns if column != "traceback"]
    heads = [_label(model, column) for column in shown]
    rows = [([told(row[one]) for one in shown], row.get("traceback", "")) for row in seen[name]]
    return Sheet(name, title, heads, rows)


def _label(model: type[Model], column: str) -> str:
    """The field's name in the active language; ``operation`` is of no field."""
    if column == "operation":
        return str(BulkOperation._meta.verbose_name)
    return str(getattr(model._meta.get_field(column), "verbose_name", column))


def told(value: Any) -> str:
    """Times to the second, with their zone."""
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S %Z}"
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return "–" if value in (None, "") else str(value)


def _allows(change: Change, task: PendingAnalysis) -> bool:
    try:
        change.check(task)
    except QueueConflict:
        return False
    return True
