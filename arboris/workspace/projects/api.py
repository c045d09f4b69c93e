"""Novels: list, create, change, delete."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from arboris.db import in_transaction
from arboris.idempotency.views import creating, idempotent
from arboris.novels import services as novels
from arboris.novels.models import NovelProject
from arboris.workspace.projects import model_choice
from arboris.workspace.projects.serializers import ModelChoicesSerializer, ProjectSerializer
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


class ModelChoices(APIView):
    @extend_schema(responses=ModelChoicesSerializer)
    def get(self, request: Request) -> Response:
        """The models that a writer may choose for a novel."""
        return Response(ModelChoicesSerializer(model_choice.choices()).data)


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
