"""Novels: list, create, change, delete, import."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from arboris.db import in_transaction
from arboris.idempotency.views import creating, idempotent
from arboris.novels import services as novels
from arboris.novels.importing import NovelImportError, parse_novel
from arboris.novels.models import ChapterVersion, NovelProject
from arboris.rest import FormParser, TooLarge
from arboris.workspace.access import own_project
from arboris.workspace.chapters import service as chapters
from arboris.workspace.chapters.serializers import SavedChapterSerializer
from arboris.workspace.projects.serializers import ImportSerializer, ProjectSerializer
from arboris.workspace.trash import service as trash

KEPT = Q(chapters__deleted_at=None)


class _Projects(generics.GenericAPIView[NovelProject]):
    serializer_class = ProjectSerializer

    def get_queryset(self) -> QuerySet[NovelProject]:
        return (
            NovelProject.objects.filter(owner_id=self.request.user.pk)
            .annotate(
                chapter_count=Count("chapters", filter=KEPT),
                word_count=Coalesce(Sum("chapters__word_count", filter=KEPT), 0),
            )
            .order_by("-created_at")
        )


class ProjectList(_Projects, generics.ListCreateAPIView[NovelProject]):
    @idempotent
    def post(self, request: Request, *args: object, **kwargs: object) -> Response:
        return creating(lambda: self.create(request, *args, **kwargs))

    def perform_create(self, serializer: BaseSerializer[NovelProject]) -> None:
        serializer.save(owner=self.request.user)


class ProjectDetail(_Projects, generics.RetrieveUpdateDestroyAPIView[NovelProject]):
    http_method_names = ["get", "patch", "delete", "head", "options"]
    lookup_url_kwarg = "project_id"

    def perform_update(self, serializer: BaseSerializer[NovelProject]) -> None:
        project_id = self.kwargs["project_id"]

        def work() -> None:
            novels.lock_project(project_id)  # a save of a deleted row would write it anew
            serializer.save()

        in_transaction(work)

    def perform_destroy(self, instance: NovelProject) -> None:
        trash.discard_novel(instance.pk)


class ImportNovel(APIView):
    parser_classes = [FormParser]

    @idempotent
    @extend_schema(
        request={"multipart/form-data": ImportSerializer},
        responses={201: SavedChapterSerializer(many=True)},
    )
    def post(self, request: Request, project_id: uuid.UUID) -> Response:
        project = own_project(request, project_id)
        form = ImportSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        upload = form.validated_data["file"]
        limit = settings.ARBORIS_MAX_IMPORT_BYTES
        if upload.size > limit:
            sentence = _("The file has %(size)d bytes; %(limit)d are allowed.")
            raise TooLarge("file: " + sentence % {"size": upload.size, "limit": limit})
        try:
            novel = parse_novel(upload.name, upload.read())
        except NovelImportError as error:
            raise exceptions.ValidationError({"file": [str(error)]}) from error
        longest = max(len(item.content) for item in novel.chapters)
        if longest > settings.ARBORIS_MAX_CHAPTER_CHARS:
            raise exceptions.ValidationError(
                {
                    "file": [
                        _("A chapter has %(length)d characters; %(limit)d are allowed.")
                        % {"length": longest, "limit": settings.ARBORIS_MAX_CHAPTER_CHARS}
                    ]
                }
            )
        new = [
            chapters.NewChapter(
                novels.ChapterText.of(item.content, ChapterVersion.Source.IMPORTED),
                title=item.title[:200],
            )
            for item in novel.chapters
        ]

        def make() -> Response:
            saved = chapters.add(project.pk, new, form.options())
            rows = SavedChapterSerializer(saved, many=True).data
            for row in rows:
                del row["content"]
            body = {"title": novel.title, "chapters": rows, "set_aside": novel.set_aside}
            return Response(body, status=201)

        return creating(make)
