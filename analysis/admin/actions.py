"""What operators do to selected analyses: told beforehand, confirmed, and done to exactly those.

An action notes what it would be about as a bulk operation (``analysis.bulk``), however many those
are, and shows how many will change, and how many are left and why. Once it is confirmed, a small
one is made at once; a larger one is the workers', and has a page that shows how far it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, ActionForm
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis import audit, bulk
from analysis.errors import CONFLICTS
from analysis.models import BulkOperation, PendingAnalysis

Admin = admin.ModelAdmin[PendingAnalysis]
Tasks = QuerySet[PendingAnalysis]
Kind = BulkOperation.Kind
HIGHEST_ID = 2**63 - 1


class ReasonForm(ActionForm):
    """Beside the choice of the action: why, for the record."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"size": 30}),
    )


class ConfirmForm(forms.Form):
    """``operation``: the one that is confirmed."""

    operation = forms.IntegerField(
        widget=forms.HiddenInput, min_value=1, max_value=HIGHEST_ID, localize=False
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=500)


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
class Words:
    """An operation on its pages, and the right that it takes."""

    title: Any
    right: str
    form: type[ConfirmForm] = ConfirmForm


KINDS: dict[str, Words] = {
    Kind.RETRY: Words(gettext_lazy("Retry analyses"), "analysis.retry_pendinganalysis"),
    Kind.CANCEL: Words(gettext_lazy("Cancel analyses"), "analysis.cancel_pendinganalysis"),
    Kind.SET_PRIORITY: Words(
        gettext_lazy("Set the priority of analyses"),
        "analysis.change_pendinganalysis",
        PriorityForm,
    ),
}


def may(request: HttpRequest, operation: BulkOperation) -> bool:
    """Whether who sent the request may begin, stop and resume it."""
    return request.user.has_perm(KINDS[operation.kind].right)


@admin.action(description=gettext_lazy("Retry…"), permissions=["retry"])
def retry(modeladmin: Admin, request: HttpRequest, queryset: Tasks) -> HttpResponse | None:
    return _asked(modeladmin, request, queryset, Kind.RETRY)


@admin.action(description=gettext_lazy("Cancel…"), permissions=["cancel"])
def cancel(modeladmin: Admin, request: HttpRequest, queryset: Tasks) -> HttpResponse | None:
    return _asked(modeladmin, request, queryset, Kind.CANCEL)


@admin.action(description=gettext_lazy("Set priority…"), permissions=["set_priority"])
def set_priority(modeladmin: Admin, request: HttpRequest, queryset: Tasks) -> HttpResponse | None:
    return _asked(modeladmin, request, queryset, Kind.SET_PRIORITY)


def _asked(
    modeladmin: Admin, request: HttpRequest, queryset: Tasks, kind: BulkOperation.Kind
) -> HttpResponse | None:
    """The page that tells and asks; once it is confirmed, the change itself."""
    if "apply" not in request.POST:
        return confirmation(modeladmin, request, prepared(request, queryset, kind))
    return confirmed(modeladmin, request, KINDS[kind].form(request.POST))


def prepared(
    request: HttpRequest,
    tasks: Tasks,
    kind: BulkOperation.Kind,
    criteria: dict[str, Any] | None = None,
) -> BulkOperation:
    """An operation of who sent the request, that waits to be confirmed."""
    if criteria is None:
        across = request.POST.get("select_across") == "1"
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)[: audit.NAMED]
        criteria = {"filter": request.GET.dict()} if across else {"selected": chosen}
    return bulk.prepare(
        kind,
        tasks,
        actor=request.user.get_username(),
        user_id=request.user.pk,
        reason=request.POST.get("reason", ""),
        criteria=criteria,
    )


def confirmation(
    modeladmin: admin.ModelAdmin[Any],
    request: HttpRequest,
    operation: BulkOperation,
    form: ConfirmForm | None = None,
    to: str = "",
) -> HttpResponse:
    """What the operation will do, and the button that begins it; its form goes ``to``."""
    words = KINDS[operation.kind]
    given = {"operation": operation.pk, "reason": operation.reason}
    first = operation.parts.order_by("number").first()
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": words.title,
        "opts": PendingAnalysis._meta,
        "form": form or words.form(initial=given),
        "form_url": to,
        "action": operation.kind,
        "operation": operation,
        "count": operation.planned,
        "may_change": operation.planned or operation.selected > bulk.FORESEEN,
        "left": bulk.sentences(operation.planned_left),
        "not_looked_at": max(0, operation.selected - bulk.FORESEEN),
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "selected": first.ids[:1] if first else [],  # Django does nothing where nothing is selected
        "behind": operation.size > 1,
    }
    return TemplateResponse(request, "admin/analysis/confirm.html", context)


def confirmed(
    modeladmin: admin.ModelAdmin[Any], request: HttpRequest, form: ConfirmForm, to: str = ""
) -> HttpResponse | None:
    """Begin it; None where it is done already, and who asked has been told."""
    form.is_valid()
    number = form.cleaned_data.get("operation", 0)
    operation = BulkOperation.objects.filter(pk=number).first()
    if operation is None or operation.user_id != request.user.pk:
        modeladmin.message_user(request, _("There is no such operation."), messages.ERROR)
        return None
    if not may(request, operation):
        raise PermissionDenied
    if type(form) is not KINDS[operation.kind].form:  # sent as another action than was asked for
        form = KINDS[operation.kind].form(form.data)
    if not form.is_valid():
        return confirmation(modeladmin, request, operation, form, to)
    changes = {
        name: form.cleaned_data[name] for name in ("reason", "priority") if name in form.data
    }
    steps: list[bulk.Step] = []
    if not bulk.begin(operation.pk, each=steps.append, **changes):
        text = _("This operation was confirmed before.")
        modeladmin.message_user(request, text, messages.WARNING)
    elif operation.size > 1:
        page = reverse("admin:analysis_bulkoperation_change", args=[operation.pk])
        return HttpResponseRedirect(page)
    operation.refresh_from_db()
    for step in steps:
        _tell(modeladmin, request, operation, step)
    return None


def _tell(
    modeladmin: admin.ModelAdmin[Any],
    request: HttpRequest,
    operation: BulkOperation,
    step: bulk.Step,
) -> None:
    if step.changed:
        count, note = len(step.changed), bulk.note(operation)
        text = ngettext("%(count)d analysis: %(note)s", "%(count)d analyses: %(note)s", count)
        modeladmin.message_user(request, text % {"count": count, "note": note}, messages.SUCCESS)
    ids: dict[str, list[int]] = {}
    for pk, code in step.left.items():
        ids.setdefault(code, []).append(pk)
    for code, left in ids.items():
        text = ngettext(
            "%(count)d analysis was left as it is (such as %(id)s): %(reason)s",
            "%(count)d analyses were left as they are (such as %(id)s): %(reason)s",
            len(left),
        )
        values = {"count": len(left), "id": left[0], "reason": _(CONFLICTS[code])}
        modeladmin.message_user(request, text % values, messages.WARNING)
