"""What the calls about chapters take and give."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from analysis.errors import sentence_for
from analysis.models import PendingAnalysis, Status
from arboris.bible.models import Finding
from arboris.bible.types.entries import ref_of
from arboris.bible.types.findings import parse
from arboris.fields import StorableText, Text, WholeNumber
from arboris.novels.manuscript.blocks import unmarked
from arboris.novels.models import Chapter, ChapterVersion, WorkingCopy
from arboris.novels.working_copies import OutdatedChange
from arboris.workspace.chapters.analysis_options import AnalysisOptionsSerializer
from arboris.workspace.chapters.service import SavedChapter


class NewChapterSerializer(AnalysisOptionsSerializer):
    content = StorableText(required=False, help_text="May be left out with ``after`` alone.")
    title = Text(required=False, allow_blank=True, max_length=200, default="")
    chapter_number = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=1_000_000, default=None
    )
    after = WholeNumber(
        min_value=0,
        required=False,
        help_text="In place of a number: the id of the chapter before it; 0: before the first.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "after" in attrs and attrs["chapter_number"] is not None:
            problem = _("Give the number or the chapter before it, not both.")
            raise serializers.ValidationError({"after": problem})
        if "content" not in attrs and "after" not in attrs:
            raise serializers.ValidationError(
                {"content": [self.fields["content"].error_messages["required"]]}, "required"
            )
        attrs.setdefault("content", "")  # a page to write on, put in between
        return attrs


class ChangedChapterSerializer(AnalysisOptionsSerializer):
    content = StorableText(required=False)
    title = Text(required=False, allow_blank=True, max_length=200)
    notes = Text(required=False, allow_blank=True, max_length=20_000, trim_whitespace=False)
    priority = serializers.IntegerField(
        min_value=1,
        max_value=10,
        required=False,
        help_text="Left out, it and generation_config are as in the chapter's last analysis.",
    )
    base_version = WholeNumber(
        min_value=1,
        required=False,
        help_text="The version that was changed. Older than the chapter's: 409, nothing is saved.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not {"content", "title", "notes"}.intersection(attrs):
            raise serializers.ValidationError(_("Give the content or the title that is to change."))
        return attrs


class AnalysisBriefSerializer(serializers.ModelSerializer[PendingAnalysis]):
    progress = serializers.JSONField(read_only=True)
    error_type = serializers.SerializerMethodField()
    error_message = serializers.SerializerMethodField()
    missing = serializers.SerializerMethodField(
        help_text="Features without which the analysis has ended; a retry asks for these alone."
    )

    def get_error_type(self, task: PendingAnalysis) -> str | None:
        return task.error_type or None

    def get_error_message(self, task: PendingAnalysis) -> str | None:
        return sentence_for(task.error_type) if task.error_type else None

    def get_missing(self, task: PendingAnalysis) -> list[str]:
        ended = task.status == Status.COMPLETED
        return list((task.result or {}).get("missing", ())) if ended else []

    class Meta:
        model = PendingAnalysis
        fields = ["id", "status", "priority", "progress", "error_type", "error_message", "missing"]


class PlainField(serializers.CharField):
    """Without Markdown's marks: a model may mark words, and so did earlier versions."""

    def to_representation(self, value: str) -> str:
        return unmarked(super().to_representation(value))


class ChapterRowSerializer(serializers.Serializer[Any]):
    """A chapter in a list: ``instance`` has its chapter, newest task or None, and source."""

    id = serializers.IntegerField(source="chapter.pk")
    project_id = serializers.UUIDField(source="chapter.project_id")
    chapter_number = serializers.IntegerField(source="chapter.chapter_number")
    title = serializers.CharField(source="chapter.title")
    summary = PlainField(source="chapter.summary")
    word_count = serializers.IntegerField(source="chapter.word_count")
    version = serializers.IntegerField(source="chapter.version")
    created_at = serializers.DateTimeField(source="chapter.created_at")
    updated_at = serializers.DateTimeField(source="chapter.updated_at")
    source = serializers.ChoiceField(  # type: ignore[assignment]  # a field, not Field.source
        choices=ChapterVersion.Source.choices,
        help_text="draft: the text broke off while it was being written; it is not analysed.",
    )
    analysis = AnalysisBriefSerializer(source="task", allow_null=True)


class SavedChapterSerializer(ChapterRowSerializer):
    """A chapter that was just saved, or is read whole: ``instance`` is a SavedChapter."""

    content = serializers.CharField()
    notes = serializers.CharField(source="chapter.notes")
    analysis_note = serializers.SerializerMethodField()

    def get_analysis_note(self, saved: SavedChapter) -> str | None:
        return saved.note or None


class CurrentTextSerializer(serializers.Serializer[Chapter]):
    version = serializers.IntegerField()
    content = serializers.CharField(source="current.content")
    title = serializers.CharField()


class OtherCopySerializer(serializers.Serializer[WorkingCopy]):
    content = serializers.CharField()
    title = serializers.SerializerMethodField()
    saved_at = serializers.DateTimeField()

    def get_title(self, copy: WorkingCopy) -> str:
        return copy.chapter.title if copy.title is None else copy.title


class ConflictSerializer(serializers.Serializer[OutdatedChange]):
    """What a writer is told whose change was made to an older text."""

    detail = serializers.CharField(source="__str__")
    code = serializers.CharField(default="conflict")
    current = CurrentTextSerializer()
    working = OtherCopySerializer(allow_null=True)


class FindingSerializer(serializers.ModelSerializer[Finding]):
    label = serializers.SerializerMethodField()  # type: ignore[assignment]  # a field, not Field.label
    description = serializers.SerializerMethodField()
    applied = serializers.SerializerMethodField()
    ref = serializers.SerializerMethodField()
    version = serializers.IntegerField(source="version.number")

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
            "tier",
            "ref",
            "version",
            "payload",
        ]

    def get_label(self, finding: Finding) -> str:
        payload = finding.payload
        if finding.type == "relationship":
            return f"{payload['source']} · {payload['relation']} · {payload['target']}"
        return str(payload.get("name") or payload.get("character") or payload.get("kind") or "")

    def get_description(self, finding: Finding) -> str:
        return str(finding.payload.get("description", ""))

    def get_ref(self, finding: Finding) -> str:
        """What a decision calls it."""
        return ref_of(finding.chapter_id, parse(finding.payload))

    def get_applied(self, finding: Finding) -> bool:
        """Whether it is in the bible: in the text, sure or accepted, and not rejected."""
        rules, ref = self.context["rules"], self.get_ref(finding)
        if not finding.verified or ref in rules.rejected_refs:
            return False
        if finding.tier == "waiting" and ref not in rules.accepted_refs:
            return False
        if finding.type == "payoff":
            return finding.quote in self.context["linked_payoffs"]
        return not rules.bars(finding.type, finding.payload)
