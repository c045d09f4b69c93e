"""What the calls about a whole novel take and give."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from arboris.fields import Text
from arboris.llm.routes import ANALYSIS, GENERATION
from arboris.novels.models import NovelProject
from arboris.workspace.projects.model_choice import check_model


class ProjectSerializer(serializers.ModelSerializer[NovelProject]):
    chapter_count = serializers.IntegerField(read_only=True, default=0)
    word_count = serializers.IntegerField(read_only=True, default=0)
    title = Text(max_length=200)
    genre = Text(required=False, allow_blank=True, max_length=100)
    synopsis = Text(required=False, allow_blank=True, max_length=20_000)
    writing_model = Text(required=False, allow_blank=True, max_length=200)
    analysis_model = Text(required=False, allow_blank=True, max_length=200)

    def validate_writing_model(self, value: str) -> str:
        return check_model(value, GENERATION)

    def validate_analysis_model(self, value: str) -> str:
        return check_model(value, ANALYSIS)

    def update(self, instance: NovelProject, validated_data: dict[str, Any]) -> NovelProject:
        """Named columns only: another call may change the others at the same moment."""
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save(update_fields=[*validated_data, "updated_at"])
        return instance

    class Meta:
        model = NovelProject
        fields = [
            "id",
            "title",
            "genre",
            "synopsis",
            "language",
            "muted",
            "writing_model",
            "analysis_model",
            "chapter_count",
            "word_count",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["id", "created_at", "updated_at"]


class ModelChoicesSerializer(serializers.Serializer[dict[str, Any]]):
    """Of each column of a novel, the models that may stand there; null: any that there is."""

    writing_model = serializers.ListField(child=serializers.CharField(), allow_null=True)
    analysis_model = serializers.ListField(child=serializers.CharField(), allow_null=True)
