"""Tasks as the API shows them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from analysis.api.outlook import Outlook
from analysis.errors import sentence_for
from analysis.models import AnalysisAttempt, PendingAnalysis


class TaskSerializer(serializers.ModelSerializer[PendingAnalysis]):
    chapter_number = serializers.IntegerField(source="chapter.chapter_number", read_only=True)
    progress = serializers.JSONField(read_only=True)
    error_type = serializers.SerializerMethodField()
    error_message = serializers.SerializerMethodField()

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

    def get_error_type(self, task: PendingAnalysis) -> str | None:
        return task.error_type or None

    def get_error_message(self, task: PendingAnalysis) -> str | None:
        """The writer's sentence; what exactly went wrong is for staff, in the admin."""
        return sentence_for(task.error_type) if task.error_type else None


class AttemptSerializer(serializers.ModelSerializer[AnalysisAttempt]):
    error_type = serializers.SerializerMethodField()
    error_message = serializers.SerializerMethodField()

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

    def get_error_type(self, attempt: AnalysisAttempt) -> str | None:
        return attempt.error_type or None

    def get_error_message(self, attempt: AnalysisAttempt) -> str | None:
        return sentence_for(attempt.error_type) if attempt.error_type else None


class TaskDetailSerializer(TaskSerializer):
    """One task, whole; two of its fields come from one look at the queue."""

    _known: Outlook | None = None
    attempts = AttemptSerializer(many=True, read_only=True)
    queue_position = serializers.SerializerMethodField()
    eta_seconds = serializers.SerializerMethodField()

    class Meta(TaskSerializer.Meta):
        fields = [
            *TaskSerializer.Meta.fields,
            "generation_config",
            "attempts",
            "result",
            "token_usage",
            "queue_position",
            "eta_seconds",
        ]

    def _outlook(self, task: PendingAnalysis) -> Outlook:
        if self._known is None:
            self._known = Outlook.of(task)
        return self._known

    def get_queue_position(self, task: PendingAnalysis) -> int | None:
        return self._outlook(task).position

    def get_eta_seconds(self, task: PendingAnalysis) -> float | None:
        return self._outlook(task).eta_seconds


class StatusSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    pending = serializers.IntegerField()
    processing = serializers.IntegerField()
    completed = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    recent_tasks = TaskSerializer(many=True)


class MessageSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
