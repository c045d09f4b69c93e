"""Pausing and resuming: the queue's one control row, novels and writers, endpoints."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from analysis import audit, queue
from analysis.admin.actions import ReasonForm
from analysis.models import EndpointState, QueueControl, QueuePause
from analysis.queue import endpoints
from arboris.admin_base import BoundedAdmin, ReadOnlyAdmin, RecordAdmin

STATE = ("paused_at", "paused_by", "resumed_at", "claimed", "swept_at", "pruned_at")


class QueueControlForm(forms.ModelForm[QueueControl]):
    paused = forms.BooleanField(
        required=False,
        label=_("Paused"),
        help_text=_("Running analyses go on to their end; no new one begins."),
    )

    class Meta:
        model = QueueControl
        fields = ("paused", "paused_reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["paused"] = self.instance.paused_at is not None


@admin.register(QueueControl)
class QueueControlAdmin(RecordAdmin[QueueControl]):
    form = QueueControlForm
    list_display = ("__str__", "paused_at", "paused_reason", "claimed", "swept_at", "pruned_at")
    fields = ("paused", "paused_reason", *STATE)
    readonly_fields = STATE

    def save_model(
        self, request: HttpRequest, obj: QueueControl, form: forms.ModelForm[Any], change: bool
    ) -> None:
        """Pause or resume through the queue; nothing else of the row is written."""
        reason = form.cleaned_data["paused_reason"]
        if form.cleaned_data["paused"] and form.changed_data:
            pause = partial(queue.pause, reason, by=request.user.get_username())
            recorded(request, "pause", pause, reason=reason, all=True)
        elif not form.cleaned_data["paused"]:
            # The field still holds why it was paused, unless somebody wrote something else.
            why = reason if "paused_reason" in form.changed_data else ""
            recorded(request, "resume", queue.resume, reason=why, all=True)
        obj.refresh_from_db()


class QueuePauseForm(forms.ModelForm[QueuePause]):
    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if bool(cleaned.get("project")) == bool(cleaned.get("user")):
            self.add_error("project", gettext("Choose a novel or a writer, and not both."))
        return cleaned


@admin.register(QueuePause)
class QueuePauseAdmin(BoundedAdmin[QueuePause]):
    """Adding a row pauses a novel or a writer, deleting it ends the pause: both through the
    queue."""

    form = QueuePauseForm
    list_display = ("__str__", "project", "user", "reason", "paused_by", "paused_at")
    list_select_related = ("project", "user")
    fields = ("project", "user", "reason")
    autocomplete_fields = ("project", "user")
    ordering = ("-pk",)

    def has_change_permission(self, request: HttpRequest, obj: QueuePause | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: QueuePause, form: forms.ModelForm[Any], change: bool
    ) -> None:
        scope = queue.PauseTarget(obj.project_id, None if obj.project_id else obj.user_id)
        pause = partial(queue.pause, obj.reason, scope, by=request.user.get_username())
        recorded(request, "pause", pause, reason=obj.reason, **_named(obj))
        made = QueuePause.objects.get(**scope.row())
        obj.pk, obj.paused_at = made.pk, made.paused_at

    def delete_model(self, request: HttpRequest, obj: QueuePause) -> None:
        scope = queue.PauseTarget(obj.project_id, obj.user_id)
        recorded(request, "resume", partial(queue.resume, scope), **_named(obj))


def _named(pause: QueuePause) -> dict[str, Any]:
    if pause.project is not None:
        return {"project": str(pause.project.pk), "title": pause.project.title}
    return {"user": str(pause.user)}


@admin.action(description=_("Resume now"), permissions=["resume"])
def resume_now(modeladmin: Any, request: HttpRequest, states: QuerySet[EndpointState]) -> None:
    reason = request.POST.get("reason", "")
    resumed = 0
    for name in states.order_by("pk").values_list("pk", flat=True):
        resume = partial(endpoints.resume, name)
        resumed += recorded(request, "resume", resume, reason=reason, endpoint=name)
    text = ngettext(
        "%(count)d endpoint is asked again.", "%(count)d endpoints are asked again.", resumed
    )
    modeladmin.message_user(request, text % {"count": resumed})


@admin.register(EndpointState)
class EndpointStateAdmin(ReadOnlyAdmin[EndpointState]):
    list_display = ("name", "paused_at", "error_type", "probe_at", "probes")
    ordering = ("name",)
    action_form = ReasonForm
    actions = (resume_now,)

    def has_resume_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analysis.change_endpointstate")


def recorded(
    request: HttpRequest,
    action: str,
    work: Callable[[], bool | None],
    *,
    reason: str = "",
    **details: Any,
) -> bool:
    """``audit.recorded`` by whoever sent the request."""
    actor = request.user.get_username()
    return audit.recorded(actor, action, work, reason=reason, details=details)
