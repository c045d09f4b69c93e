"""What operators do to selected analyses: told beforehand, confirmed, and done to exactly those.

An action shows first how many analyses it will change, and how many it leaves and why. The page
carries the numbers of those it will change, so that nothing that comes meanwhile is changed too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, ActionForm
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis import audit, queue
from analysis.errors import QueueConflict
from analysis.models import PendingAnalysis, Status

# Of one request; more of them take the command, which shows its progress and can be interrupted.
AT_ONCE = 10_000
BATCH = 500

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


class ConfirmForm(forms.Form):
    """``ids``: the analyses that will be changed."""

    ids = forms.CharField(widget=forms.HiddenInput)
    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=500)

    def clean_ids(self) -> list[int]:
        words = self.cleaned_data["ids"].split(",")
        if len(words) > AT_ONCE or not all(
            word.isascii() and word.isdigit() and len(word) < 19 for word in words
        ):
            raise ValidationError("ids")
        return [int(word) for word in words]


class PriorityForm(ConfirmForm):
    priority = forms.IntegerField(
        label=gettext_lazy("Priority"),
        min_value=1,
        max_value=10,
        initial=5,
        help_text=gettext_lazy("1 to 10; the higher number is taken first."),
        widget=forms.NumberInput(attrs={"autofocus": True}),
    )
    field_order = ("priority", "reason")


@dataclass(frozen=True, slots=True)
class Operation:
    """``check`` raises the QueueConflict that ``work`` would meet; ``note`` tells what was
    done."""

    name: str
    title: Any
    check: Callable[[PendingAnalysis], None]
    work: Callable[[int, dict[str, Any]], None]
    note: Callable[[dict[str, Any]], str]
    form: type[ConfirmForm] = ConfirmForm


@dataclass(slots=True)
class Plan:
    """What an operation will change (``ids``), and what it leaves: counts by reason."""

    ids: list[int] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)


def _check_priority(task: PendingAnalysis) -> None:
    if task.status != Status.PENDING:
        raise QueueConflict("not_pending", _("Only a pending analysis can be reordered."))


RETRY = Operation(
    "retry",
    gettext_lazy("Retry analyses"),
    queue.check_retry,
    lambda task_id, given: queue.retry(task_id),
    lambda given: _("Retried."),
)
CANCEL = Operation(
    "cancel",
    gettext_lazy("Cancel analyses"),
    queue.check_cancel,
    lambda task_id, given: queue.cancel(task_id),
    lambda given: _("Cancelled."),
)
PRIORITY = Operation(
    "set_priority",
    gettext_lazy("Set the priority of analyses"),
    _check_priority,
    lambda task_id, given: queue.set_priority(task_id, given["priority"]),
    lambda given: _("Priority set to %(priority)d.") % {"priority": given["priority"]},
    PriorityForm,
)


@admin.action(description=gettext_lazy("Retry…"), permissions=["retry"])
def retry(modeladmin: Admin, request: HttpRequest, queryset: Tasks) -> HttpResponse | None:
    return _asked(modeladmin, request, queryset, RETRY)


@admin.action(description=gettext_lazy("Cancel…"), permissions=["cancel"])
def cancel(modeladmin: Admin, request: HttpRequest, queryset: Tasks) -> HttpResponse | None:
    return _asked(modeladmin, request, queryset, CANCEL)


@admin.action(description=gettext_lazy("Set priority…"), permissions=["change"])
def set_priority(modeladmin: Admin, request: HttpRequest, queryset: Tasks) -> HttpResponse | None:
    return _asked(modeladmin, request, queryset, PRIORITY)


def _asked(
    modeladmin: Admin, request: HttpRequest, queryset: Tasks, operation: Operation
) -> HttpResponse | None:
    """The page that tells and asks; once it is confirmed, the change itself."""
    tasks = modeladmin.get_queryset(request)
    if "apply" not in request.POST:
        selected = queryset.order_by("pk").values_list("pk", flat=True)
        ids = list(selected[: AT_ONCE + 1])
        plan = _plan(tasks, ids[:AT_ONCE], operation)
        if len(ids) > AT_ONCE:
            text = _("An action takes at most %(limit)d analyses; for more use the command line.")
            plan.left[text % {"limit": AT_ONCE}] = selected.count() - AT_ONCE
        given = {"ids": ",".join(map(str, plan.ids)), "reason": request.POST.get("reason", "")}
        return _page(modeladmin, request, operation, operation.form(initial=given), plan)
    form = operation.form(request.POST)
    if form.is_valid():
        _change(modeladmin, request, operation, form.cleaned_data)
        return None
    plan = _plan(tasks, form.cleaned_data.get("ids", []), operation)
    return _page(modeladmin, request, operation, form, plan)


def _plan(tasks: Tasks, ids: list[int], operation: Operation) -> Plan:
    plan = Plan()
    chapters: set[int] = set()
    for task in _each(tasks, ids):
        try:
            operation.check(task)
            if operation is RETRY and task.chapter_id in chapters:
                raise QueueConflict("already_queued", _("The chapter is already being analysed."))
        except QueueConflict as conflict:
            plan.left[str(conflict)] += 1
        else:
            plan.ids.append(task.pk)
            chapters.add(task.chapter_id)
    return plan


def _each(tasks: Tasks, ids: list[int]) -> Iterator[PendingAnalysis]:
    """The tasks with what ``check`` reads, a batch in memory at a time."""
    slim = tasks.select_related(None).select_related("chapter", "version")
    slim = slim.only("status", "chapter__version", "chapter__deleted_at", "version__number")
    for start in range(0, len(ids), BATCH):
        found = slim.order_by().in_bulk(ids[start : start + BATCH])
        yield from (found[pk] for pk in sorted(found))


def _page(
    modeladmin: Admin, request: HttpRequest, operation: Operation, form: ConfirmForm, plan: Plan
) -> HttpResponse:
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": operation.title,
        "opts": modeladmin.opts,
        "form": form,
        "action": operation.name,
        "count": len(plan.ids),
        "left": plan.left.most_common(),
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "selected": plan.ids[:1],  # Django does nothing where nothing is selected
    }
    return TemplateResponse(request, "admin/analysis/confirm.html", context)


def _change(
    modeladmin: Admin, request: HttpRequest, operation: Operation, given: dict[str, Any]
) -> None:
    """Change each task and log it in one transaction; say what came of it."""
    note = operation.note(given)
    entry = audit.Entry(
        request.user.get_username(), operation.name, given["reason"], {"note": note}
    )
    refused: Counter[str] = Counter()
    examples: dict[str, int] = {}

    def one(task: PendingAnalysis) -> None:
        operation.work(task.pk, given)
        modeladmin.log_change(request, task, note)

    for task in _each(modeladmin.get_queryset(request), given["ids"]):
        try:
            entry.step(
                lambda task=task: one(task),  # type: ignore[misc]
                lambda _done, pk=task.pk: [pk],  # type: ignore[misc]
            )
        except QueueConflict as conflict:
            refused[str(conflict)] += 1
            examples.setdefault(str(conflict), task.pk)
        except PendingAnalysis.DoesNotExist:
            refused[_("There is no such analysis.")] += 1
    entry.close()
    _tell(modeladmin, request, entry.count, note, refused, examples)


def _tell(
    modeladmin: Admin,
    request: HttpRequest,
    done: int,
    note: str,
    refused: Counter[str],
    examples: dict[str, int],
) -> None:
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
