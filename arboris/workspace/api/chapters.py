"""Chapters: list, save, read, change, and what was found in them."""

from __future__ import annotations

import uuid
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris.bible import decisions as bible_decisions
from arboris.bible.models import Finding, ForeshadowingEvent
from arboris.novels import services as novels
from arboris.novels.models import Chapter
from arboris.rest import whole_parameter
from arboris.workspace import chapters, drafting
from arboris.workspace.api.projects import own_project
from arboris.workspace.api.serializers import (
    ChangedChapterSerializer,
    ChapterRowSerializer,
    ConflictSerializer,
    FindingSerializer,
    NewChapterSerializer,
    SavedChapterSerializer,
)


def own_chapter(request: Request, chapter_id: int) -> Chapter:
    return get_object_or_404(
        Chapter.objects.select_related("project"),
        pk=chapter_id,
        project__owner_id=request.user.pk,
    )


def save_new(
    request: Request, project_id: uuid.UUID, new: chapters.NewChapter, wish: chapters.Wish
) -> Response:
    """Save one new chapter and answer 201; a number that is taken is a fault of that field."""
    try:
        (saved,) = chapters.add(project_id, [new], wish)
    except novels.ChapterExists as error:
        raise taken(error) from error
    return Response(SavedChapterSerializer(saved).data, status=201)


def taken(error: novels.ChapterExists) -> exceptions.ValidationError:
    return exceptions.ValidationError({"chapter_number": [str(error)]})


class ChapterList(APIView):
    @extend_schema(responses={200: ChapterRowSerializer(many=True)})
    def get(self, request: Request, project_id: uuid.UUID) -> Response:
        project = own_project(request, project_id)
        limit = whole_parameter(request, "limit", 1000, high=5000)
        offset = whole_parameter(request, "offset", 0, low=0, high=1_000_000)
        rows = list(project.chapters.all()[offset : offset + limit])
        tasks = chapters.newest_tasks(project.pk, {row.pk for row in rows})
        items = [{"chapter": row, "task": tasks.get(row.pk)} for row in rows]
        return Response(ChapterRowSerializer(items, many=True).data)

    @extend_schema(request=NewChapterSerializer, responses={201: SavedChapterSerializer})
    def post(self, request: Request, project_id: uuid.UUID) -> Response:
        project = own_project(request, project_id)
        form = NewChapterSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        number = data["chapter_number"]
        if number and project.chapters.filter(chapter_number=number).exists():
            raise taken(novels.ChapterExists(number))  # before a model is asked for a summary
        draft = drafting.draft_of(data["content"], form.wish(), project)
        new = chapters.NewChapter(draft, data["title"], number)
        return save_new(request, project.pk, new, form.wish())


class ChapterDetail(APIView):
    @extend_schema(responses={200: SavedChapterSerializer})
    def get(self, request: Request, chapter_id: int) -> Response:
        chapter = own_chapter(request, chapter_id)
        return Response(SavedChapterSerializer(chapters.Saved.read(chapter)).data)

    @extend_schema(
        request=ChangedChapterSerializer,
        responses={200: SavedChapterSerializer, 409: ConflictSerializer},
    )
    def patch(self, request: Request, chapter_id: int) -> Response:
        chapter = own_chapter(request, chapter_id)
        form = ChangedChapterSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        base = data.get("base_version")
        try:
            chapters.check_base(chapter, base)  # before a model is asked for a summary
            draft = drafting.changed_draft(chapter, data.get("content"), form.wish())
            saved = chapters.change(chapter.pk, draft, data.get("title"), form.wish(), base)
        except chapters.Outdated as conflict:
            return Response(ConflictSerializer(conflict).data, status=409)
        return Response(SavedChapterSerializer(saved).data)


class ChapterFindings(APIView):
    @extend_schema(responses={200: FindingSerializer(many=True)})
    def get(self, request: Request, chapter_id: int) -> Response:
        chapter = own_chapter(request, chapter_id)
        # Findings of an older text would point at the wrong places of this one.
        rows = Finding.objects.filter(
            chapter=chapter, current=True, version__number=chapter.version
        ).order_by("start", "end", "pk")
        events = ForeshadowingEvent.objects.filter(chapter=chapter, certain=True)
        context: dict[str, Any] = {
            "linked_payoffs": set(events.values_list("quote", flat=True)),
            "rules": bible_decisions.rules(chapter.project_id),
        }
        return Response(FindingSerializer(rows, many=True, context=context).data)
