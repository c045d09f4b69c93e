"""The queue's one control row: pausing and resuming."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from analysis import queue
from analysis.models import QueueControl
from arboris.admin_base import RecordAdmin


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
    list_display = ("__str__", "paused_at", "paused_reason", "swept_at")
    fields = ("paused", "paused_reason", "paused_at", "swept_at")
    readonly_fields = ("paused_at", "swept_at")

    def save_model(
        self, request: HttpRequest, obj: QueueControl, form: forms.ModelForm[Any], change: bool
    ) -> None:
        """Pause or resume through the queue; nothing else of the row is written."""
        if form.cleaned_data["paused"]:
            queue.pause(form.cleaned_data["paused_reason"])
        else:
            queue.resume()
        obj.refresh_from_db()
