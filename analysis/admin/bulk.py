"""Changes of many analyses at once: what is foreseen, how far they have come, who did them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import localize
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from analysis import bulk
from analysis.admin import actions
from analysis.models import BulkChange, BulkOperation, BulkPart, WorkerHeartbeat
from arboris.admin_base import ReadOnlyAdmin
from arboris.db import db_now

State = BulkOperation.State


@admin.register(BulkOperation)
class BulkOperationAdmin(ReadOnlyAdmin[BulkOperation]):
    list_display = ("id", "kind", "state", "actor", "changed", "refused", "created_at", "ended_at")
    list_filter = ("state", "kind")
    ordering = ("-id",)

    def get_urls(self) -> list[URLPattern]:
        def page(name: str, view: Any) -> URLPattern:
            route, full = f"<int:number>/{name}/", f"analysis_bulkoperation_{name}"
            url: URLPattern = path(route, self.admin_site.admin_view(view), name=full)
            return url

        return [
            page("state", require_GET(never_cache(self.state_view))),
            page("start", require_POST(self.start_view)),
            page("stop", require_POST(self.stop_view)),
            page("resume", require_POST(self.resume_view)),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        operation = self._seen(request, object_id)
        own = operation.user_id == request.user.pk and actions.may(request, operation)
        if operation.state == State.PREVIEWED and own:
            return actions.confirmation(self, request, operation, to=self._page(operation, "start"))
        context = {
            **self.admin_site.each_context(request),
            "title": actions.KINDS[operation.kind].title,
            "opts": self.opts,
            "operation": operation,
            "seen": progress(operation),
            "criteria": criteria(operation),
            "may": actions.may(request, operation),
        }
        return TemplateResponse(request, "admin/analysis/operation.html", context)

    def state_view(self, request: HttpRequest, number: int) -> HttpResponse:
        return JsonResponse(progress(self._seen(request, number)))

    def start_view(self, request: HttpRequest, number: int) -> HttpResponse:
        operation = self._mine(request, number)
        form = actions.KINDS[operation.kind].form(request.POST)
        to = self._page(operation, "start")
        answer = actions.confirmed(self, request, form, to)
        return answer or HttpResponseRedirect(self._page(operation))

    def stop_view(self, request: HttpRequest, number: int) -> HttpResponse:
        operation = self._mine(request, number)
        if not bulk.stop(operation.pk):
            self.message_user(request, _("It was not running any more."), messages.WARNING)
        return HttpResponseRedirect(self._page(operation))

    def resume_view(self, request: HttpRequest, number: int) -> HttpResponse:
        operation = self._mine(request, number)
        stopped = operation.state in (State.STOPPED, State.FAILED)
        if not stopped or not bulk.start(operation.pk):
            self.message_user(request, _("It is not stopped."), messages.WARNING)
        return HttpResponseRedirect(self._page(operation))

    def _seen(self, request: HttpRequest, number: int | str) -> BulkOperation:
        operation = self.get_object(request, str(number))
        if not self.has_view_permission(request, operation):
            raise PermissionDenied
        if operation is None:
            raise Http404
        return operation

    def _mine(self, request: HttpRequest, number: int) -> BulkOperation:
        operation = self._seen(request, number)
        if not actions.may(request, operation):
            raise PermissionDenied
        return operation

    def _page(self, operation: BulkOperation, name: str = "change") -> str:
        return reverse(f"admin:analysis_bulkoperation_{name}", args=[operation.pk])


def progress(operation: BulkOperation) -> dict[str, Any]:
    """How far it is, for the page and its script: numbers, and sentences in the active language."""
    come_to = operation.changed + operation.refused
    whole = max(operation.selected, come_to, 1)
    return {
        "state": operation.state,
        "ended": operation.state != State.RUNNING,
        "label": operation.get_state_display(),
        "percent": 100 if operation.state == State.DONE else min(99, 100 * come_to // whole),
        "line": _("%(done)s of %(all)s: %(changed)s changed, %(left)s left as they are")
        % {
            "done": localize(come_to),
            "all": localize(operation.selected),
            "changed": localize(operation.changed),
            "left": localize(operation.refused),
        },
        "left": [f"{localize(number)}: {why}" for why, number in bulk.sentences(operation.left)],
        "note": _waiting(operation),
    }


def _waiting(operation: BulkOperation) -> str:
    """Why it does not move, where that is known."""
    if operation.state == State.FAILED:
        return operation.error_message
    if operation.state != State.RUNNING or operation.lease_token:
        return ""
    seen = WorkerHeartbeat.objects.filter(seen_at__gt=db_now() - bulk.LEASE)
    if seen.exists():
        return _("A worker takes it up in a moment.")
    return _("No worker is running. It begins once one is started.")


def criteria(operation: BulkOperation) -> list[tuple[str, str]]:
    """What it was found by, a line for each condition."""
    found: list[tuple[str, str]] = []
    for name, value in operation.criteria.items():
        if isinstance(value, dict):
            found += [(key, _words(inner)) for key, inner in value.items()]
        else:
            found.append((name, _words(value)))
    return found


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@admin.register(BulkPart)
class BulkPartAdmin(ReadOnlyAdmin[BulkPart]):
    list_display = ("operation_id", "number")
    ordering = ("-id",)


@admin.register(BulkChange)
class BulkChangeAdmin(ReadOnlyAdmin[BulkChange]):
    list_display = ("operation_id", "task_id")
    search_fields = ("=task_id",)
    ordering = ("-id",)
