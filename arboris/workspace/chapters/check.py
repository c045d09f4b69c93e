"""What a text contradicts in the story bible, while it is being written."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis.analyzers.local.passage import read_passage
from arboris.bible import check
from arboris.bible.types.entries import Notice
from arboris.fields import StorableText, WholeNumber
from arboris.novels.models import Chapter
from arboris.novels.text import guess_language
from arboris.workspace.access import own_chapter
from arboris.workspace.chapters.impact import ContradictionSerializer, contradiction

_LANGUAGE_OF = 4_000  # code points that say in which language a text is


class CheckInputSerializer(serializers.Serializer[Any]):
    content = StorableText(allow_blank=True)
    start = WholeNumber(min_value=0, required=False, help_text="In code points; else 0.")
    end = WholeNumber(min_value=0, required=False, help_text="Else the end of the text.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        length = len(attrs["content"])
        start, end = attrs.get("start", 0), attrs.get("end", length)
        if end > length:
            raise serializers.ValidationError({"end": [_("The text ends before that.")]})
        if start > end:
            raise serializers.ValidationError({"start": [_("This lies behind the end.")]})
        return {"content": attrs["content"], "start": start, "end": end}


class TextPlaceSerializer(ContradictionSerializer):
    """``start`` and ``end``: where the later passage stands in the text that was sent."""

    start = serializers.IntegerField()
    end = serializers.IntegerField()


class CheckSerializer(serializers.Serializer[Any]):
    contradictions = TextPlaceSerializer(many=True)


class ChapterCheck(APIView):
    @extend_schema(request=CheckInputSerializer, responses={200: CheckSerializer})
    def post(self, request: Request, chapter_id: int) -> Response:
        """Contradictions between a passage of the open text and the story bible, by patterns.

        ``start`` and ``end`` bound the passage; the text before it says whom a pronoun means.
        Nothing is saved, and no language model is asked.
        """
        chapter = own_chapter(request, chapter_id)
        form = CheckInputSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response({"contradictions": found_in_text(chapter, **form.validated_data)})


def found_in_text(chapter: Chapter, content: str, start: int, end: int) -> list[dict[str, Any]]:
    """Contradictions of ``content[start:end]``, as TextPlaceSerializer has them, by their place."""
    language = guess_language(content[max(0, end - _LANGUAGE_OF) : end])
    findings = read_passage(
        content, language, check.people(chapter), check.items(chapter), start, end
    )
    told = check.contradictions(chapter, list(findings))
    if not told:
        return []
    sources = {notice.data["earlier"]["chapter_id"] for notice in told} | {chapter.pk}
    rows = Chapter.objects.filter(pk__in=sources - {None})
    chapters = {
        pk: (number, title)
        for pk, number, title in rows.values_list("pk", "chapter_number", "title")
    }
    found = [contradiction(notice, chapters) | _place(notice, content, start) for notice in told]
    return sorted(found, key=lambda one: (one["start"], one["ref"]))


def _place(notice: Notice, content: str, start: int) -> dict[str, int]:
    quote = notice.data["later"]["quote"]
    at = content.find(quote, max(0, start - len(quote)))
    return {"start": at, "end": at + len(quote)}
