"""What operators do to selected analyses: through the queue, each with its entry in the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis import audit, queue
from analysis.errors import QueueConflict
from analysis.models import PendingAnalysis

# Of one click; more of them take the command, which shows its progress and can be interrupted.
AT_ONCE = 1000

Admin = admin.ModelAdmin[PendingAnalysis]
Tasks = QuerySet[PendingAnalysis]


class ReasonForm(ActionForm):
    """Beside the choice of the action: why, for the record."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"size": 30}),
    )


class PriorityForm(forms.Form):
    priority = forms.IntegerField(
        label=gettext_lazy("Priority"),
        min_value=1,
        max_value=10,
        initial=5,
        help_text=gettext_lazy("1 to 10; the higher number is taken first."),
        widget=forms.NumberInput(attrs={"autofocus": True}),
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=500)


@admin.action(description=gettext_lazy("Retry"), permissions=["change"])
def retry(modeladmin: Admin, request: HttpRequest, queryset: Tasks) -> None:
    def work(task_id: int) -> None:
        queue.retry(task_id)

    _each(modeladmin, request, queryset, work, "retry", _("Retried."))


@admin.action(description=gettext_lazy("Cancel"), permissions=["change"])
def cancel(modeladmin: Admin, request: HttpRequest, queryset: Tasks) -> None:
    def work(task_id: int) -> None:
        queue.cancel(task_id)

    _each(modeladmin, request, queryset, work, "cancel", _("Cancelled."))


@admin.action(description=gettext_lazy("Set priority…"), permissions=["change"])
def set_priority(modeladmin: Admin, request: HttpRequest, queryset: Tasks) -> HttpResponse | None:
    """Asks for the number on a page of its own, which posts the same selection again."""
    given = {"reason": request.POST.get("reason", "")}
    form = PriorityForm(request.POST if "apply" in request.POST else None, initial=given)
    if form.is_valid():
        priority = form.cleaned_data["priority"]

        def work(task_id: int) -> None:
            queue.set_priority(task_id, priority)

        note = _("Priority set to %(priority)d.") % {"priority": priority}
        _each(modeladmin, request, queryset, work, "set_priority", note)
        return None
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": _("Set the priority of analyses"),
        "opts": modeladmin.opts,
        "form": form,
        "count": queryset.order_by()[: AT_ONCE + 1].count(),
        "at_once": AT_ONCE,
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
    }
    return TemplateResponse(request, "admin/analysis/set_priority.html", context)


def _each(
    modeladmin: Admin,
    request: HttpRequest,
    queryset: Tasks,
    work: Callable[[int], None],
    action: str,
    note: str,
) -> None:
    """Do it to every selected task, change and log entry in one transaction; say what came of it."""
    ids = list(queryset.order_by("pk").values_list("pk", flat=True)[: AT_ONCE + 1])
    entry = audit.Entry(
        request.user.get_username(), action, request.POST.get("reason", ""), {"note": note}
    )
    tasks = PendingAnalysis.objects.only("pk", "status").in_bulk(ids[:AT_ONCE])
    done = 0
    refused: Counter[str] = Counter()
    examples: dict[str, int] = {}
    for task_id, task in sorted(tasks.items()):
        try:
            entry.step(
                lambda task=task: _one(modeladmin, request, task, work, note),  # type: ignore[misc]
                lambda _, pk=task_id: [pk],  # type: ignore[misc]
            )
            done += 1
        except QueueConflict as conflict:
            refused[str(conflict)] += 1
            examples.setdefault(str(conflict), task_id)
        except PendingAnalysis.DoesNotExist:
            refused[_("There is no such analysis.")] += 1
    entry.close()
    if done:
        text = ngettext("%(count)d analysis: %(note)s", "%(count)d analyses: %(note)s", done)
        modeladmin.message_user(request, text % {"count": done, "note": note}, messages.SUCCESS)
    for reason, count in refused.items():
        text = ngettext(
            "%(count)d analysis was left as it is (such as %(id)s): %(reason)s",
            "%(count)d analyses were left as they are (such as %(id)s): %(reason)s",
            count,
        )
        values: dict[str, Any] = {"count": count, "id": examples.get(reason, "-"), "reason": reason}
        modeladmin.message_user(request, text % values, messages.WARNING)
    if len(ids) > AT_ONCE:
        text = _("Only the first %(limit)d were taken; for more use the command line.")
        modeladmin.message_user(request, text % {"limit": AT_ONCE}, messages.WARNING)


def _one(
    modeladmin: Admin,
    request: HttpRequest,
    task: PendingAnalysis,
    work: Callable[[int], None],
    note: str,
) -> None:
    work(task.pk)
    modeladmin.log_change(request, task, note)
