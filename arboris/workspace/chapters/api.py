"""Chapters: list, save, read, change, and what was found in them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import OuterRef
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris.bible.decisions import record as bible_decisions
from arboris.bible.models import Finding, ForeshadowingEvent
from arboris.idempotency.views import creating, idempotent
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from arboris.novels.services import ChapterExists
from arboris.novels.working_copies import OutdatedChange
from arboris.rest import flag_parameter, whole_parameter
from arboris.workspace.access import own_chapter, own_project
from arboris.workspace.book import service as book
from arboris.workspace.chapters import service
from arboris.workspace.chapters.serializers import (
    ChangedChapterSerializer,
    ChapterRowSerializer,
    ConflictSerializer,
    FindingSerializer,
    NewChapterSerializer,
    SavedChapterSerializer,
)
from arboris.workspace.chapters.working import conflict
from arboris.workspace.trash import service as trash


def number_taken(error: ChapterExists) -> exceptions.ValidationError:
    return exceptions.ValidationError({"chapter_number": [str(error)]})


def check_number(project: NovelProject, number: int | None) -> None:
    """Refuse a number that is taken, before a model is asked. Raises ValidationError."""
    if number and project.chapters.filter(chapter_number=number).exists():
        raise number_taken(ChapterExists(number))


class ChapterList(APIView):
    @extend_schema(
        parameters=[
            OpenApiParameter("limit", int, description="1 to 5000; 1000."),
            OpenApiParameter("offset", int, description="Chapters to pass over."),
        ],
        responses={200: ChapterRowSerializer(many=True)},
    )
    def get(self, request: Request, project_id: uuid.UUID) -> Response:
        project = own_project(request, project_id)
        limit = whole_parameter(request, "limit", 1000, high=5000)
        offset = whole_parameter(request, "offset", 0, low=0, high=1_000_000)
        newest = ChapterVersion.objects.filter(chapter=OuterRef("pk"), number=OuterRef("version"))
        chapters = project.chapters.defer("notes").annotate(source=newest.values("source"))
        rows = list(chapters[offset : offset + limit])
        tasks = service.newest_tasks(project.pk, {row.pk for row in rows})
        items = [{"chapter": row, "task": tasks.get(row.pk), "source": row.source} for row in rows]
        return Response(ChapterRowSerializer(items, many=True).data)

    @idempotent
    @extend_schema(request=NewChapterSerializer, responses={201: SavedChapterSerializer})
    def post(self, request: Request, project_id: uuid.UUID) -> Response:
        project = own_project(request, project_id)
        form = NewChapterSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data, options = form.validated_data, form.options()
        check_number(project, data["chapter_number"])
        text = service.new_text(data["content"], options, project)
        new = service.NewChapter(text, data["title"], data["chapter_number"])

        def make() -> Response:
            after = data.get("after")
            if after is None:
                (saved,) = service.add(project.pk, [new], options)
            else:
                saved = book.insert(project.pk, new, after, options)
            return Response(SavedChapterSerializer(saved).data, status=201)

        try:
            return creating(make)
        except ChapterExists as error:
            raise number_taken(error) from error
        except Chapter.DoesNotExist as error:
            problem = _("The novel has no such chapter.")
            raise exceptions.ValidationError({"after": [problem]}) from error


class ChapterDetail(APIView):
    @extend_schema(responses={200: SavedChapterSerializer})
    def get(self, request: Request, chapter_id: int) -> Response:
        chapter = own_chapter(request, chapter_id)
        return Response(SavedChapterSerializer(service.SavedChapter.read(chapter)).data)

    @extend_schema(
        request=ChangedChapterSerializer,
        responses={200: SavedChapterSerializer, 409: ConflictSerializer},
    )
    def patch(self, request: Request, chapter_id: int) -> Response:
        chapter = own_chapter(request, chapter_id)
        form = ChangedChapterSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data, options = form.validated_data, form.options()
        content, base = data.get("content"), data.get("base_version")
        try:
            service.check_base(chapter, base)  # before a model is asked for a summary
            text = None if content is None else service.changed_text(chapter, content, options)
            saved = service.change(
                chapter.pk, text, data.get("title"), options, base, data.get("notes")
            )
        except OutdatedChange as error:
            return conflict(error)
        return Response(SavedChapterSerializer(saved).data)

    @extend_schema(responses={204: None}, description="Move it to the trash.")
    def delete(self, request: Request, chapter_id: int) -> Response:
        trash.discard_chapter(own_chapter(request, chapter_id).pk)
        return Response(status=204)


class ChapterFindings(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("outdated", OpenApiTypes.BOOL)],
        responses={200: FindingSerializer(many=True)},
    )
    def get(self, request: Request, chapter_id: int) -> Response:
        """What the newest text's analysis found.

        With ``outdated``, until that has ended, what was found in an older text: by ``version``.
        """
        chapter = own_chapter(request, chapter_id)
        rows = Finding.objects.filter(chapter=chapter, current=True)
        if not flag_parameter(request, "outdated"):
            # Findings of an older text would point at the wrong places of this one.
            rows = rows.filter(version__number=chapter.version)
        rows = rows.select_related("version").defer("version__content")
        rows = rows.order_by("start", "end", "pk")
        events = ForeshadowingEvent.objects.filter(chapter=chapter, certain=True)
        context: dict[str, Any] = {
            "linked_payoffs": set(events.values_list("quote", flat=True)),
            "rules": bible_decisions.rules(chapter.project_id),
        }
        return Response(FindingSerializer(rows, many=True, context=context).data)
