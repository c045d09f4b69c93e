"""What the writers' calls take and give."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError as ConfigError
from rest_framework import serializers

from analysis.errors import sentence_for
from analysis.models import PendingAnalysis
from analysis.pipeline import GenerationConfig
from arboris.bible.models import Finding
from arboris.novels.models import NovelProject
from arboris.novels.text import find_unstorable
from arboris.workspace.chapters import Saved, Wish

MAX_CONFIG_BYTES = 64 * 1024
MAX_CONFIG_DEPTH = 20  # MariaDB takes no JSON that is nested more than 32 levels deep


class ProjectSerializer(serializers.ModelSerializer[NovelProject]):
    chapter_count = serializers.IntegerField(read_only=True, default=0)
    word_count = serializers.IntegerField(read_only=True, default=0)
    synopsis = serializers.CharField(required=False, allow_blank=True, max_length=20_000)

    class Meta:
        model = NovelProject
        fields = [
            "id",
            "title",
            "genre",
            "synopsis",
            "language",
            "chapter_count",
            "word_count",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["id", "created_at", "updated_at"]


class StorableText(serializers.CharField):
    """Text of any length up to the limit, kept to the letter; NUL and half characters refused."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str) and (problem := find_unstorable(data)):
            raise serializers.ValidationError(problem)
        if isinstance(data, int | float):  # CharField would take a number for its digits
            self.fail("invalid")
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if text and not text.strip():
            self.fail("blank")
        if len(text) > settings.ARBORIS_MAX_CHAPTER_CHARS:
            raise serializers.ValidationError(
                _("The text has %(length)d characters; %(limit)d are allowed.")
                % {"length": len(text), "limit": settings.ARBORIS_MAX_CHAPTER_CHARS}
            )
        return text


def check_config(value: Any) -> dict[str, Any]:
    """A valid generation_config as it was given; unknown keys stay. ValidationError names the key."""
    if not isinstance(value, dict):
        raise serializers.ValidationError(_("Must be a JSON object."))
    plain = json.dumps(value, ensure_ascii=False)
    if len(plain.encode("utf-8", "surrogatepass")) > MAX_CONFIG_BYTES:
        raise serializers.ValidationError(
            _("Larger than %(limit)d bytes.") % {"limit": MAX_CONFIG_BYTES}
        )
    for text in _texts(value):
        if problem := find_unstorable(text):
            raise serializers.ValidationError(problem)
    try:
        GenerationConfig.model_validate(value)
    except ConfigError as error:
        raise serializers.ValidationError(
            [
                f"{'.'.join(str(part) for part in item['loc'] if not _is_branch(part))}: {item['msg']}"
                for item in error.errors()
            ]
        ) from error
    return value


def _is_branch(part: str | int) -> bool:
    """Pydantic names the branch of a union in a location (``float``, ``constrained-int``)."""
    return isinstance(part, str) and part.split("[")[0] in {"float", "int", "constrained-float"}


def _texts(value: Any, depth: int = 1) -> Iterator[str]:
    """Every key and text in a JSON value. ValidationError where it is nested too deeply."""
    if depth > MAX_CONFIG_DEPTH:
        raise serializers.ValidationError(
            _("Nested more than %(limit)d levels deep.") % {"limit": MAX_CONFIG_DEPTH}
        )
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from _texts(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, depth + 1)


class WishSerializer(serializers.Serializer[Wish]):
    mode = serializers.ChoiceField(choices=["enhanced", "basic"], default="enhanced")
    priority = serializers.IntegerField(min_value=1, max_value=10, default=5)
    generation_config = serializers.JSONField(required=False)

    def validate_priority(self, value: int) -> int:
        if isinstance(self.initial_data.get("priority"), bool):
            raise serializers.ValidationError(_("A valid integer is required."))
        return value

    def validate_generation_config(self, value: Any) -> dict[str, Any]:
        return check_config(value)

    def wish(self) -> Wish:
        data = self.validated_data
        return Wish(data["mode"], data["priority"], data.get("generation_config", {}))


class NewChapterSerializer(WishSerializer):
    content = StorableText()
    title = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")
    chapter_number = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=1_000_000, default=None
    )


class ChangedChapterSerializer(WishSerializer):
    content = StorableText(required=False)
    title = serializers.CharField(required=False, allow_blank=True, max_length=200)


class GenerateSerializer(WishSerializer):
    instructions = StorableText(required=False, allow_blank=True, default="", max_length=20_000)
    title = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")
    chapter_number = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=1_000_000, default=None
    )


class ImportSerializer(WishSerializer):
    file = serializers.FileField(
        error_messages={"required": gettext_lazy("Choose a .txt, .md or .epub file.")}
    )


class AnalysisBriefSerializer(serializers.ModelSerializer[PendingAnalysis]):
    progress = serializers.JSONField(read_only=True)
    error_message = serializers.SerializerMethodField()

    def get_error_message(self, task: PendingAnalysis) -> str | None:
        return sentence_for(task.error_type) if task.error_type else None

    class Meta:
        model = PendingAnalysis
        fields = ["id", "status", "priority", "progress", "error_type", "error_message"]


class ChapterRowSerializer(serializers.Serializer[Any]):
    """A chapter in a list: ``instance`` is (chapter, newest task or None)."""

    id = serializers.IntegerField(source="chapter.pk")
    project_id = serializers.UUIDField(source="chapter.project_id")
    chapter_number = serializers.IntegerField(source="chapter.chapter_number")
    title = serializers.CharField(source="chapter.title")
    summary = serializers.CharField(source="chapter.summary")
    word_count = serializers.IntegerField(source="chapter.word_count")
    version = serializers.IntegerField(source="chapter.version")
    created_at = serializers.DateTimeField(source="chapter.created_at")
    updated_at = serializers.DateTimeField(source="chapter.updated_at")
    analysis = AnalysisBriefSerializer(source="task", allow_null=True)


class SavedChapterSerializer(ChapterRowSerializer):
    """A chapter that was just saved, or is read whole: ``instance`` is a Saved."""

    content = serializers.CharField()
    analysis_note = serializers.SerializerMethodField()

    def get_analysis_note(self, saved: Saved) -> str | None:
        return saved.note or None


class FindingSerializer(serializers.ModelSerializer[Finding]):
    label = serializers.SerializerMethodField()  # type: ignore[assignment]  # a field, not Field.label
    description = serializers.SerializerMethodField()
    applied = serializers.SerializerMethodField()

    class Meta:
        model = Finding
        fields = [
            "id",
            "type",
            "feature",
            "label",
            "description",
            "quote",
            "start",
            "end",
            "confidence",
            "basic",
            "verified",
            "applied",
            "payload",
        ]

    def get_label(self, finding: Finding) -> str:
        payload = finding.payload
        if finding.type == "relationship":
            return f"{payload['source']} · {payload['relation']} · {payload['target']}"
        return str(payload.get("name") or payload.get("character") or payload.get("kind") or "")

    def get_description(self, finding: Finding) -> str:
        return str(finding.payload.get("description", ""))

    def get_applied(self, finding: Finding) -> bool:
        if finding.type == "payoff":
            return finding.verified and finding.quote in self.context["linked_payoffs"]
        return finding.verified
