"""The order of a book's chapters and its volumes; a chapter split, two joined."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris.fields import Text, WholeNumber
from arboris.idempotency.views import idempotent
from arboris.novels import order
from arboris.novels.models import NovelProject
from arboris.rest import Conflict
from arboris.workspace.access import own_chapter, own_project
from arboris.workspace.book import service
from arboris.workspace.chapters.serializers import ConflictSerializer, SavedChapterSerializer
from arboris.workspace.chapters.working import changing

MAX_VOLUMES = 500
MAX_CHAPTERS = 20_000


class VolumeSerializer(serializers.Serializer[Any]):
    title = Text(required=False, allow_blank=True, max_length=200, default="")
    chapters = serializers.ListField(
        child=WholeNumber(), max_length=MAX_CHAPTERS, help_text="ids, in order"
    )


class OrderSerializer(serializers.Serializer[Any]):
    volumes = VolumeSerializer(  # type: ignore[call-arg]  # of the list, which many=True makes
        many=True, allow_empty=False, max_length=MAX_VOLUMES
    )


class ChapterNameSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    chapter_number = serializers.IntegerField()
    title = serializers.CharField()
    word_count = serializers.IntegerField()


class BookSerializer(serializers.Serializer[Any]):
    """The order, and what names each chapter."""

    volumes = VolumeSerializer(many=True)
    chapters = ChapterNameSerializer(many=True)


def _book(project: NovelProject) -> Response:
    # With the project: Django sets it in each row, and would read it row by row.
    rows = project.chapters.only("project", "chapter_number", "title", "word_count")
    body = {"volumes": order.parts(project), "chapters": rows}
    return Response(BookSerializer(body).data)


class OrderView(APIView):
    @extend_schema(responses={200: BookSerializer})
    def get(self, request: Request, project_id: uuid.UUID) -> Response:
        return _book(own_project(request, project_id))

    @extend_schema(request=OrderSerializer, responses={200: BookSerializer})
    def put(self, request: Request, project_id: uuid.UUID) -> Response:
        """Each chapter of the novel once; ``chapter_number`` follows the order, from 1 on."""
        project = own_project(request, project_id)
        form = OrderSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = [
            order.Part(volume["title"], tuple(volume["chapters"]))
            for volume in form.validated_data["volumes"]
        ]
        try:
            return _book(service.arrange(project.pk, wanted))
        except order.NotTheNovel as error:
            raise exceptions.ValidationError({"volumes": [str(error)]}) from error


class SplitSerializer(serializers.Serializer[Any]):
    at = WholeNumber(min_value=1, help_text="The first character of the new chapter, from 0 on.")
    title = Text(required=False, allow_blank=True, max_length=200, default="")
    base_version = WholeNumber(min_value=1, required=False)


class JoinSerializer(serializers.Serializer[Any]):
    base_version = WholeNumber(min_value=1, required=False)
    next_version = WholeNumber(min_value=1, required=False)


class TwoChaptersSerializer(serializers.Serializer[Any]):
    first = SavedChapterSerializer()
    second = SavedChapterSerializer()


class SplitView(APIView):
    @idempotent
    @extend_schema(
        request=SplitSerializer, responses={201: TwoChaptersSerializer, 409: ConflictSerializer}
    )
    def post(self, request: Request, chapter_id: int) -> Response:
        """409 where the text was changed elsewhere, or typed and not yet made a version."""
        chapter = own_chapter(request, chapter_id)
        form = SplitSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data

        def make() -> Response:
            both = service.split(chapter.pk, data["at"], data["title"], data.get("base_version"))
            body = dict(zip(("first", "second"), both, strict=True))
            return Response(TwoChaptersSerializer(body).data, status=201)

        try:
            return changing(make)
        except service.NothingToSplit as error:
            problem = _("There has to be text before it and after it.")
            raise exceptions.ValidationError({"at": [problem]}) from error


class JoinView(APIView):
    @idempotent
    @extend_schema(
        request=JoinSerializer, responses={200: SavedChapterSerializer, 409: ConflictSerializer}
    )
    def post(self, request: Request, chapter_id: int) -> Response:
        """The next chapter goes to the trash. 409 as for a split, and where there is no next."""
        chapter = own_chapter(request, chapter_id)
        form = JoinSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        base, following = (form.validated_data.get(f"{of}_version") for of in ("base", "next"))

        def make() -> Response:
            saved = service.join(chapter.pk, base, following)
            return Response(SavedChapterSerializer(saved).data)

        try:
            return changing(make)
        except service.NothingToJoin as error:
            raise Conflict(_("There is no chapter after this one."), "no_next_chapter") from error
        except service.TooLong as error:
            raise exceptions.ValidationError(str(error)) from error
