"""Tasks as the API shows them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from analysis.api.eta import Eta
from analysis.api.waiting import WaitingSerializer, blocked_reason_of, shown
from analysis.errors import sentence_for
from analysis.models import AnalysisAttempt, PendingAnalysis
from analysis.queue.blocked import PAUSES, BlockedReason
from arboris.llm.accounting import call_log


class _WithError(serializers.Serializer[Any]):
    """``error_type`` and its sentence for the writer; what exactly went wrong is for staff, in the
    admin."""

    error_type = serializers.SerializerMethodField()
    error_message = serializers.SerializerMethodField()

    def get_error_type(self, row: PendingAnalysis | AnalysisAttempt) -> str | None:
        return row.error_type or None

    def get_error_message(self, row: PendingAnalysis | AnalysisAttempt) -> str | None:
        return sentence_for(row.error_type) if row.error_type else None


class TaskSerializer(_WithError, serializers.ModelSerializer[PendingAnalysis]):
    chapter_number = serializers.IntegerField(source="chapter.chapter_number", read_only=True)
    progress = serializers.JSONField(read_only=True)

    class Meta:
        model = PendingAnalysis
        fields = [
            "id",
            "project_id",
            "chapter_id",
            "chapter_number",
            "status",
            "priority",
            "retry_count",
            "max_retries",
            "created_at",
            "started_at",
            "completed_at",
            "duration_seconds",
            "error_type",
            "error_message",
            "progress",
        ]


class AttemptSerializer(_WithError, serializers.ModelSerializer[AnalysisAttempt]):
    class Meta:
        model = AnalysisAttempt
        fields = [
            "number",
            "started_at",
            "ended_at",
            "outcome",
            "error_type",
            "error_message",
            "token_usage",
        ]


class TaskDetailSerializer(TaskSerializer):
    """One task, whole; some of its fields come from one look at the queue."""

    attempts = AttemptSerializer(many=True, read_only=True, source="attempts_so_far")
    queue_position = serializers.SerializerMethodField()
    eta_seconds = serializers.SerializerMethodField()
    waiting = serializers.SerializerMethodField()
    token_usage = serializers.SerializerMethodField()

    class Meta(TaskSerializer.Meta):
        fields = [
            *TaskSerializer.Meta.fields,
            "generation_config",
            "attempts",
            "result",
            "token_usage",
            "queue_position",
            "eta_seconds",
            "waiting",
        ]

    @cached_property
    def _eta(self) -> Eta:
        return Eta.of(self._task)

    @cached_property
    def _blocked(self) -> BlockedReason | None:
        return blocked_reason_of(self._task)

    @property
    def _task(self) -> PendingAnalysis:
        assert isinstance(self.instance, PendingAnalysis)
        return self.instance

    def get_queue_position(self, task: PendingAnalysis) -> int | None:
        return self._eta.position

    def get_eta_seconds(self, task: PendingAnalysis) -> float | None:
        """None too while a pause holds it back: nobody knows when that ends."""
        if self._blocked is not None and self._blocked.code in PAUSES:
            return None
        return self._eta.eta_seconds

    @extend_schema_field(serializers.JSONField(allow_null=True))
    def get_token_usage(self, task: PendingAnalysis) -> dict[str, Any] | None:
        """With ``cost`` (a decimal number in a string) and ``currency``, where there is a price."""
        cost = call_log.cost_of_task(task.pk)
        if cost is None:
            return task.token_usage
        money = {"cost": f"{cost.normalize():f}", "currency": settings.ARBORIS_LLM_CURRENCY}
        return {**(task.token_usage or {}), **money}

    @extend_schema_field(WaitingSerializer(allow_null=True))
    def get_waiting(self, task: PendingAnalysis) -> dict[str, Any] | None:
        return shown(self._blocked)


class StatusSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    pending = serializers.IntegerField()
    processing = serializers.IntegerField()
    completed = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    recent_tasks = TaskSerializer(many=True)
