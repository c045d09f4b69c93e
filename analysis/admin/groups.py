"""Failures by their cause: the list of groups, and of each what it is, a canary and the rest."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from analysis.errors import QueueConflict
from analysis.groups import cost, look, retrying
from analysis.health import paused_endpoints
from analysis.models import AnalysisAttempt, ErrorGroup
from arboris.admin_base import ReadOnlyAdmin

NEWEST = 20  # analyses of a group that its page names


class ReasonForm(forms.Form):
    """Why, for the record."""

    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=500)


@admin.register(ErrorGroup)
class ErrorGroupAdmin(ReadOnlyAdmin[ErrorGroup]):
    """The pages are of what the analyses say; a row there is only of a group that was retried."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = request.user.has_perm
        return may("analysis.view_pendinganalysis") or may("analysis.change_pendinganalysis")

    def get_urls(self) -> list[URLPattern]:
        canary = self.admin_site.admin_view(require_POST(self.canary_view))
        return [
            path("<str:fingerprint>/canary/", canary, name="analysis_errorgroup_canary"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._check(request)
        context = {
            "title": _("Failures by cause"),
            "groups": look.groups(),
            "most": look.MOST,
            "endpoints": paused_endpoints(),
        }
        return self._page(request, "admin/analysis/groups.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        self._check(request)
        row = ErrorGroup.objects.filter(pk=object_id).first()
        group = look.group(object_id)
        one = group or row
        if one is None:
            raise Http404
        context = {
            "title": one.error_type,
            "fingerprint": object_id,
            "group": group,
            "row": row,
            "canary": retrying.canary(row),
            "form": ReasonForm(),
            "may_retry": request.user.has_perm("analysis.retry_pendinganalysis"),
            **(self._details(request, group) if group else {}),
        }
        return self._page(request, "admin/analysis/group.html", context)

    def _details(self, request: HttpRequest, group: look.Group) -> dict[str, Any]:
        newest = look.failed(group.fingerprint).select_related("project", "chapter", "user")
        return {
            "whose": look.whose(group.fingerprint),
            "newest": newest.only(*SHOWN).order_by("-pk")[:NEWEST],
            "one": cost.estimate(group.fingerprint, 1),
            "cost": cost.estimate(group.fingerprint, group.failed),
            "traceback": _traceback(group.sample) if _may_see_code(request) else "",
        }

    def canary_view(self, request: HttpRequest, fingerprint: str) -> HttpResponse:
        if not request.user.has_perm("analysis.retry_pendinganalysis"):
            raise PermissionDenied
        form = ReasonForm(request.POST)
        reason = form.cleaned_data["reason"] if form.is_valid() else ""
        try:
            number = retrying.retry_canary(fingerprint, request.user.get_username(), reason)
        except QueueConflict as conflict:
            self.message_user(request, str(conflict), messages.ERROR)
        else:
            text = _("Analysis %(id)d is retried as the canary.") % {"id": number}
            self.message_user(request, text, messages.SUCCESS)
        page = reverse("admin:analysis_errorgroup_change", args=[fingerprint])
        return HttpResponseRedirect(page if look.is_known(fingerprint) else "../../")

    def _check(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, shared | context)


SHOWN = (
    *("completed_at", "attempt_count", "endpoint", "status"),
    *("project__title", "chapter__chapter_number", "user__username"),
)


def _may_see_code(request: HttpRequest) -> bool:
    return request.user.has_perm("analysis.view_traceback")


def _traceback(task_id: int) -> str:
    attempts = AnalysisAttempt.objects.filter(task_id=task_id).exclude(traceback="")
    return attempts.order_by("-number").values_list("traceback", flat=True).first() or ""
