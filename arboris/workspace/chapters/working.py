"""The working copy of a chapter: keep what is typed, and cut a version from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris.fields import StorableText, Text, WholeNumber
from arboris.idempotency.views import creating, idempotent
from arboris.novels import working_copies
from arboris.novels.models import Chapter, ChapterVersion, WorkingCopy
from arboris.novels.working_copies import OutdatedChange, Typed
from arboris.workspace.access import own_chapter
from arboris.workspace.chapters import service
from arboris.workspace.chapters.serializers import ConflictSerializer, SavedChapterSerializer

HIGHEST_SEQ = 2**53 - 1  # the whole numbers of JavaScript


class TypedSerializer(serializers.Serializer[Any]):
    content = StorableText(allow_blank=True)
    title = Text(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="Only where the writer has changed it.",
    )
    base_version = WholeNumber(min_value=1, help_text="The version that the writer works on.")
    client = Text(
        max_length=64,
        help_text="A random name for one open page; two pages never share one.",
    )
    seq = WholeNumber(
        min_value=0,
        max_value=HIGHEST_SEQ,
        help_text="Grows with each text of the client; one that is not newer changes nothing.",
    )
    seen = serializers.DateTimeField(
        required=False,
        allow_null=True,
        help_text="saved_at of the other client's copy that this text takes the place of.",
    )

    def typed(self) -> Typed:
        data = self.validated_data
        return Typed(
            content=data["content"],
            title=data.get("title"),
            base_version=data["base_version"],
            client=data["client"],
            seq=data["seq"],
            seen=data.get("seen"),
        )


class SavedCopySerializer(serializers.Serializer[WorkingCopy]):
    saved_at = serializers.DateTimeField()
    seq = serializers.IntegerField()


class WorkingCopySerializer(serializers.Serializer[Any]):
    """The text to go on with: ``instance`` is (chapter, version, copy or None)."""

    content = serializers.SerializerMethodField()
    title = serializers.SerializerMethodField()
    base_version = serializers.IntegerField(source="chapter.version")
    client = serializers.CharField(source="copy.client", default=None, allow_null=True)
    seq = serializers.IntegerField(source="copy.seq", default=None, allow_null=True)
    saved_at = serializers.DateTimeField(
        source="copy.saved_at",
        default=None,
        allow_null=True,
        help_text="null: nothing but the version is saved.",
    )

    def get_content(self, found: dict[str, Any]) -> str:
        copy: WorkingCopy | None = found["copy"]
        text: WorkingCopy | ChapterVersion = found["version"] if copy is None else copy
        return text.content

    def get_title(self, found: dict[str, Any]) -> str:
        copy: WorkingCopy | None = found["copy"]
        chapter: Chapter = found["chapter"]
        return chapter.title if copy is None or copy.title is None else copy.title


class CutSerializer(serializers.Serializer[Any]):
    name = Text(required=False, allow_blank=True, max_length=200, default="")


def conflict(error: OutdatedChange) -> Response:
    """The answer to a change of an older text: 409 with all that there is now."""
    return Response(ConflictSerializer(error).data, status=409)


def changing(make: Callable[[], Response]) -> Response:
    """``creating``, with ``conflict`` where ``make`` finds that the text was changed elsewhere."""
    try:
        return creating(make)
    except OutdatedChange as error:
        return conflict(error)


class WorkingCopyView(APIView):
    @extend_schema(responses={200: WorkingCopySerializer})
    def get(self, request: Request, chapter_id: int) -> Response:
        chapter = own_chapter(request, chapter_id)
        copy = working_copies.copy_of(chapter)
        found = {"chapter": chapter, "version": chapter.current, "copy": copy}
        return Response(WorkingCopySerializer(found).data)

    @extend_schema(
        request=TypedSerializer, responses={200: SavedCopySerializer, 409: ConflictSerializer}
    )
    def put(self, request: Request, chapter_id: int) -> Response:
        chapter = own_chapter(request, chapter_id)
        form = TypedSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            copy = working_copies.save(chapter.pk, form.typed())
        except OutdatedChange as error:
            return conflict(error)
        return Response(SavedCopySerializer(copy).data)


class CutVersion(APIView):
    @idempotent
    @extend_schema(request=CutSerializer, responses={200: SavedChapterSerializer})
    def post(self, request: Request, chapter_id: int) -> Response:
        """A version of the working copy, and its analysis; without one the newest version as it is.

        ``name`` is given to the version that the chapter has then.
        """
        chapter = own_chapter(request, chapter_id)
        form = CutSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        text = service.copied_text(chapter)

        def make() -> Response:
            saved = service.cut(chapter, text, form.validated_data["name"])
            return Response(SavedChapterSerializer(saved).data)

        try:
            return creating(make)
        except service.NothingWritten as error:
            problem = _("The chapter is empty: there is nothing to make a version of.")
            raise serializers.ValidationError({"content": [problem]}) from error
