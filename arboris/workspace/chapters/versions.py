"""The versions of a chapter: list, read, compare, restore."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris.fields import WholeNumber
from arboris.idempotency.views import creating, idempotent
from arboris.novels import comparing
from arboris.novels import services as novels
from arboris.novels.models import Chapter, ChapterVersion
from arboris.novels.working_copies import OutdatedChange
from arboris.rest import whole_parameter
from arboris.workspace.access import own_chapter
from arboris.workspace.chapters import service
from arboris.workspace.chapters.analysis_options import AnalysisOptions
from arboris.workspace.chapters.serializers import ConflictSerializer, SavedChapterSerializer
from arboris.workspace.chapters.working import CutVersion, conflict

HIGHEST_NUMBER = 2**31 - 1


class VersionRowSerializer(serializers.ModelSerializer[ChapterVersion]):
    class Meta:
        model = ChapterVersion
        fields = ["number", "name", "source", "created_at", "word_count"]


class VersionSerializer(VersionRowSerializer):
    class Meta(VersionRowSerializer.Meta):
        fields = [*VersionRowSerializer.Meta.fields, "content"]


class EditSerializer(serializers.Serializer[comparing.Edit]):
    """Characters ``[start, end)`` of both versions; of an insertion or deletion one is empty."""

    kind = serializers.CharField(help_text="equal, insert or delete")
    old_start = serializers.IntegerField()
    old_end = serializers.IntegerField()
    new_start = serializers.IntegerField()
    new_end = serializers.IntegerField()


class HunkSerializer(EditSerializer):
    """Paragraphs with their line ends."""

    kind = serializers.CharField(help_text="equal, changed, added or removed")
    edits = EditSerializer(many=True, help_text="Of a changed paragraph; else empty.")


class DiffSerializer(serializers.Serializer[Any]):
    """What became of version ``against`` in version ``number``; hunks cover both texts."""

    number = serializers.IntegerField()
    against = serializers.IntegerField()
    added = serializers.IntegerField(help_text="Characters.")
    removed = serializers.IntegerField(help_text="Characters.")
    coarse = serializers.BooleanField(
        help_text="The texts differ in so much that some passages count as replaced whole."
    )
    hunks = HunkSerializer(many=True)


class RestoreSerializer(serializers.Serializer[Any]):
    base_version = WholeNumber(
        min_value=1,
        required=False,
        help_text="The newest version that you know. Older than the chapter's: 409.",
    )


class VersionList(CutVersion):
    @extend_schema(
        parameters=[
            OpenApiParameter("limit", int, description="1 to 200; 50."),
            OpenApiParameter("before", int, description="Those with a lower number."),
        ],
        responses={200: VersionRowSerializer(many=True)},
    )
    def get(self, request: Request, chapter_id: int) -> Response:
        """Newest first. ``limit`` of them, ``before`` a number."""
        chapter = own_chapter(request, chapter_id)
        limit = whole_parameter(request, "limit", 50, high=200)
        before = whole_parameter(request, "before", HIGHEST_NUMBER, high=HIGHEST_NUMBER)
        rows = chapter.versions.filter(number__lt=before).order_by("-number").defer("content")
        page = list(rows[:limit])
        novels.count_words(page)
        return Response(VersionRowSerializer(page, many=True).data)


class VersionDetail(APIView):
    @extend_schema(responses={200: VersionSerializer})
    def get(self, request: Request, chapter_id: int, number: int) -> Response:
        version = own_chapter(request, chapter_id).versions.get(number=number)
        novels.count_words([version])
        return Response(VersionSerializer(version).data)


class VersionDiff(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("against", int, description="the number of a version")],
        responses={200: DiffSerializer},
    )
    def get(self, request: Request, chapter_id: int, number: int) -> Response:
        """How the version differs from ``against``; without it, from the one before."""
        chapter = own_chapter(request, chapter_id)
        version = chapter.versions.get(number=number)
        other = _against(request, chapter, number)
        compared = comparing.compare(other.content, version.content)
        return Response(
            {
                "number": number,
                "against": other.number,
                "added": compared.added,
                "removed": compared.removed,
                "coarse": compared.coarse,
                "hunks": [_hunk(one) for one in compared.hunks],
            }
        )


class VersionRestore(APIView):
    @idempotent
    @extend_schema(
        request=RestoreSerializer,
        responses={200: SavedChapterSerializer, 409: ConflictSerializer},
    )
    def post(self, request: Request, chapter_id: int, number: int) -> Response:
        """The version's text as a new version, analysed as any change."""
        chapter = own_chapter(request, chapter_id)
        version = chapter.versions.get(number=number)
        form = RestoreSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        base_version = form.validated_data.get("base_version")

        def make() -> Response:
            saved = service.restore(chapter, text, base_version)
            return Response(SavedChapterSerializer(saved).data)

        try:
            service.check_base(chapter, base_version)  # before a model is asked for a summary
            text = service.changed_text(chapter, version.content, AnalysisOptions())
            return creating(make)
        except OutdatedChange as error:
            return conflict(error)


def _against(request: Request, chapter: Chapter, number: int) -> ChapterVersion:
    """The version that the query names, else the one before. Raises ValidationError."""
    if "against" not in request.query_params and number == 1:
        said = _("The first version has none before it: say which one to compare it with.")
        raise exceptions.ValidationError({"against": [said]})
    wanted = whole_parameter(request, "against", number - 1, high=HIGHEST_NUMBER)
    found = chapter.versions.filter(number=wanted).first()
    if found is None:
        said = _("There is no version %(number)d.") % {"number": wanted}
        raise exceptions.ValidationError({"against": [said]})
    return found


def _hunk(hunk: comparing.Hunk) -> dict[str, Any]:
    """As HunkSerializer has it: of thousands, which a serializer takes seconds for."""
    return {**_place(hunk), "edits": [_place(edit) for edit in hunk.edits]}


def _place(one: comparing.Hunk | comparing.Edit) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "old_start": one.old_start,
        "old_end": one.old_end,
        "new_start": one.new_start,
        "new_end": one.new_end,
    }
