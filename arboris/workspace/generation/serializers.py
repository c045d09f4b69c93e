"""What the call that has a chapter written takes and gives."""

from __future__ import annotations

from rest_framework import serializers

from arboris.fields import StorableText, Text
from arboris.llm.routes import GENERATION
from arboris.workspace.chapters.analysis_options import AnalysisOptionsSerializer
from arboris.workspace.chapters.serializers import SavedChapterSerializer


class GenerateSerializer(AnalysisOptionsSerializer):
    model_for = GENERATION

    instructions = StorableText(required=False, allow_blank=True, default="", max_length=20_000)
    title = Text(required=False, allow_blank=True, max_length=200, default="")
    chapter_number = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=1_000_000, default=None
    )


class GeneratedChapterSerializer(SavedChapterSerializer):
    number_note = serializers.CharField(
        default=None,
        allow_null=True,
        help_text="Why the chapter did not get the number that was asked for.",
    )
