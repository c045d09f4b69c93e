"""Failures by their cause: the list of groups, and of each what it is, a canary and the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from analysis.admin import words
from analysis.admin.task_page import ReasonForm
from analysis.errors import QueueConflict
from analysis.groups import cost, look, retrying
from analysis.health import paused_endpoints
from analysis.models import AnalysisAttempt, ErrorGroup
from arboris.admin_base import ReadOnlyAdmin

NEWEST = 20  # analyses of a group that its page names


class RestForm(ReasonForm):
    """``sure``: asked for where no canary went well."""

    sure = forms.BooleanField(
        label=gettext_lazy("Retry them all the same, though no canary went well")
    )
    field_order = ("reason", "sure")

    def __init__(self, *args: Any, went_well: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if went_well:
            del self.fields["sure"]


@admin.register(ErrorGroup)
class ErrorGroupAdmin(ReadOnlyAdmin[ErrorGroup]):
    """The pages are of what the analyses say; a row there is only of a group that was retried."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = request.user.has_perm
        return may("analysis.view_pendinganalysis") or may("analysis.change_pendinganalysis")

    def get_urls(self) -> list[URLPattern]:
        def page(name: str, view: Callable[..., HttpResponse]) -> URLPattern:
            wrapped = self.admin_site.admin_view(view)
            return path(f"<str:fingerprint>/{name}/", wrapped, name=f"analysis_errorgroup_{name}")

        return [
            page("canary", require_POST(self.canary_view)),
            page("rest", self.rest_view),
            page("state", require_GET(never_cache(self.state_view))),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._check(request)
        context = {
            "title": _("Failures by cause"),
            "groups": [
                (one, words.of_error(request, one.error_type, one.error_message))
                for one in look.groups()
            ],
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
        said = words.of_error(request, one.error_type, one.error_message)
        context = {
            "title": one.error_type,
            "said": said,
            **self._state(request, object_id, row, group),
            **(self._details(request, group) if group else {}),
        }
        return self._page(request, "admin/analysis/group.html", context)

    def state_view(self, request: HttpRequest, fingerprint: str) -> HttpResponse:
        """The part of the page that changes by itself."""
        self._check(request)
        row = ErrorGroup.objects.filter(pk=fingerprint).first()
        state = self._state(request, fingerprint, row, look.group(fingerprint))
        return TemplateResponse(request, "admin/analysis/_group_state.html", state)

    def _state(
        self,
        request: HttpRequest,
        fingerprint: str,
        row: ErrorGroup | None,
        group: look.Group | None,
    ) -> dict[str, Any]:
        canary, drain = _canary(request, row), retrying.drain(row)
        return {
            "fingerprint": fingerprint,
            "group": group,
            "row": row,
            "canary": canary,
            "drain": drain,
            "over": not canary.is_under_way and (drain is None or drain.is_over),
            "one": cost.estimate(fingerprint, 1),
            "form": ReasonForm(),
            "may_retry": _may_retry(request),
        }

    def _details(self, request: HttpRequest, group: look.Group) -> dict[str, Any]:
        newest = look.failed(group.fingerprint).select_related("project", "chapter", "user")
        return {
            "whose": look.whose(group.fingerprint),
            "newest": newest.only(*SHOWN).order_by("-pk")[:NEWEST],
            "traceback": _traceback(group.sample) if _may_see_code(request) else "",
        }

    def canary_view(self, request: HttpRequest, fingerprint: str) -> HttpResponse:
        if not _may_retry(request):
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

    def rest_view(self, request: HttpRequest, fingerprint: str) -> HttpResponse:
        """Tell what it will change and cost, and how the canary does; sent, begin."""
        if not _may_retry(request):
            raise PermissionDenied
        row, group = ErrorGroup.objects.filter(pk=fingerprint).first(), look.group(fingerprint)
        if group is None and row is None:
            raise Http404
        page = reverse("admin:analysis_errorgroup_change", args=[fingerprint])
        canary = _canary(request, row)
        sent = request.POST if request.method == "POST" else None
        form = RestForm(sent, went_well=canary.went_well)
        if sent is not None and form.is_valid():
            self._retry_rest(request, fingerprint, form.cleaned_data["reason"])
            return HttpResponseRedirect(page)
        count = look.retryable(fingerprint).count()
        context = {
            "title": _("Retry the rest"),
            "page": page,
            "row": row,
            "canary": canary,
            "form": form,
            "count": count,
            "kept": (group.failed if group else 0) - count,
            "cost": cost.estimate(fingerprint, count),
        }
        return self._page(request, "admin/analysis/group_rest.html", context)

    def _retry_rest(self, request: HttpRequest, fingerprint: str, reason: str) -> None:
        actor, user_id = request.user.get_username(), request.user.pk
        try:
            operation = retrying.retry_rest(fingerprint, actor, user_id, reason)
        except QueueConflict as conflict:
            self.message_user(request, str(conflict), messages.ERROR)
            return
        text = _("%(count)d analyses are put back into the queue.") % {"count": operation.selected}
        self.message_user(request, text, messages.SUCCESS)

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


def _may_retry(request: HttpRequest) -> bool:
    return request.user.has_perm("analysis.retry_pendinganalysis")


def _may_see_code(request: HttpRequest) -> bool:
    return request.user.has_perm("analysis.view_traceback")


def _canary(request: HttpRequest, row: ErrorGroup | None) -> retrying.Canary:
    canary = retrying.canary(row)
    if not canary.error_type:
        return canary
    said = words.of_error(request, canary.error_type, canary.why)
    return replace(canary, why=": ".join(filter(None, (canary.error_type, said))))


def _traceback(task_id: int) -> str:
    attempts = AnalysisAttempt.objects.filter(task_id=task_id).exclude(traceback="")
    return attempts.order_by("-number").values_list("traceback", flat=True).first() or ""
