"""What the calls about a whole novel take and give."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from arboris.fields import Text
from arboris.novels.models import NovelProject


class ProjectSerializer(serializers.ModelSerializer[NovelProject]):
    chapter_count = serializers.IntegerField(read_only=True, default=0)
    word_count = serializers.IntegerField(read_only=True, default=0)
    title = Text(max_length=200)
    genre = Text(required=False, allow_blank=True, max_length=100)
    synopsis = Text(required=False, allow_blank=True, max_length=20_000)

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
            "chapter_count",
            "word_count",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["id", "created_at", "updated_at"]
