"""What is in the trash, and getting it back."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris.novels import trash
from arboris.novels.models import Chapter, NovelProject
from arboris.rest import HIGHEST_ID, Conflict, ErrorSerializer, whole_parameter
from arboris.workspace.trash import service


class RestoredSerializer(serializers.Serializer[Any]):
    """A chapter or a novel, and where it is now; of a novel, ``chapter_number`` is null."""

    kind = serializers.ChoiceField(choices=["chapter", "project"])
    id = serializers.SerializerMethodField()
    title = serializers.CharField()
    project_id = serializers.UUIDField()
    project_title = serializers.CharField()
    chapter_number = serializers.IntegerField(allow_null=True)

    def get_id(self, item: dict[str, Any]) -> int | uuid.UUID:
        """A number for a chapter, a UUID for a project."""
        key: int | uuid.UUID = item["id"]
        return key


class TrashSerializer(RestoredSerializer):
    """One in the trash; ``expires_at``: when it is deleted for good (null: never)."""

    deleted_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


def _named(item: Chapter | NovelProject) -> dict[str, Any]:
    chapter = item if isinstance(item, Chapter) else None
    project = item.project if isinstance(item, Chapter) else item
    return {
        "kind": "chapter" if chapter else "project",
        "id": item.pk,
        "title": item.title,
        "project_id": project.pk,
        "project_title": project.title,
        "chapter_number": chapter.chapter_number if chapter else None,
    }


def _discarded(item: Chapter | NovelProject) -> dict[str, Any]:
    assert item.deleted_at is not None
    times = {"deleted_at": item.deleted_at, "expires_at": trash.expires_at(item.deleted_at)}
    return {**_named(item), **times}


class TrashList(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("limit", int, description="1 to 5000")],
        responses={200: TrashSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """What can be restored, the last deleted first."""
        limit = whole_parameter(request, "limit", 1000, high=5000)
        user_id = request.user.pk or 0
        novels = map(_discarded, trash.novels_of(user_id)[:limit])
        chapters = map(_discarded, trash.chapters_of(user_id)[:limit])
        rows = sorted((*novels, *chapters), key=lambda row: row["deleted_at"], reverse=True)
        return Response(TrashSerializer(rows[:limit], many=True).data)


class TrashRestore(APIView):
    @extend_schema(request=None, responses={200: RestoredSerializer, 409: ErrorSerializer})
    def post(self, request: Request, kind: str, item_id: str) -> Response:
        """Back to its place, or after the last chapter where that is taken."""
        user_id = request.user.pk or 0
        if kind == "project":
            restored = _named(service.restore_novel(user_id, _uuid(item_id)))
        elif kind == "chapter":
            restored = _named(_restore_chapter(user_id, _number(item_id)))
        else:
            raise Http404
        return Response(RestoredSerializer(restored).data)


def _restore_chapter(user_id: int, chapter_id: int) -> Chapter:
    try:
        return service.restore_chapter(user_id, chapter_id)
    except NovelProject.DoesNotExist as error:
        text = _("Its novel is in the trash. Restore the novel first.")
        raise Conflict(text, "novel_in_trash") from error


def _number(text: str) -> int:
    # Its length first: Python reads no number of thousands of digits.
    if not text.isdecimal() or len(text) > len(str(HIGHEST_ID)) or int(text) > HIGHEST_ID:
        raise Http404
    return int(text)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None
