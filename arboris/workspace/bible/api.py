"""The bible over HTTP: as it stands, what waits for the writer, decisions, and the export."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris.bible.decisions import kinds
from arboris.bible.decisions.base import Refused
from arboris.bible.models import Decision
from arboris.idempotency.views import creating, idempotent
from arboris.rest import Conflict, ErrorSerializer, whole_parameter
from arboris.workspace.access import own_project
from arboris.workspace.bible import content, export, questions, service


class DecisionSerializer(serializers.Serializer[Any]):
    """``type`` and ``id`` name an entry as GET …/bible gives it, ``ref`` one fact or notice."""

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "action": serializers.ChoiceField(choices=[kind.action for kind in kinds.KINDS])
        }
        for kind in kinds.KINDS:
            fields |= kind.inputs()
        return fields

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return kinds.kind_of(attrs["action"]).validated(attrs)


class DecisionRowSerializer(serializers.ModelSerializer[Decision]):
    by = serializers.CharField(source="user.username", default=None)

    class Meta:
        model = Decision
        fields = ["id", "action", "params", "by", "created_at", "undone_at"]


class DecisionList(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("limit", int, description="1 to 1000; 100.")],
        responses={200: DecisionRowSerializer(many=True)},
    )
    def get(self, request: Request, project_id: uuid.UUID) -> Response:
        """The history, newest first."""
        project = own_project(request, project_id)
        limit = whole_parameter(request, "limit", 100, high=1000)
        rows = Decision.objects.filter(project=project).select_related("user").order_by("-pk")
        return Response(DecisionRowSerializer(rows[:limit], many=True).data)

    @idempotent
    @extend_schema(request=DecisionSerializer, responses={201: DecisionRowSerializer})
    def post(self, request: Request, project_id: uuid.UUID) -> Response:
        project = own_project(request, project_id)
        form = DecisionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user_id = request.user.pk
        assert user_id is not None

        def make() -> Response:
            made = service.decide(project.pk, user_id, form.validated_data)
            return Response(DecisionRowSerializer(made).data, status=201)

        try:
            return creating(make)
        except Refused as refused:
            raise _as_api_error(refused) from refused


class DecisionUndo(APIView):
    @extend_schema(
        request=None,
        responses={200: DecisionRowSerializer, 400: ErrorSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request, project_id: uuid.UUID, decision_id: int) -> Response:
        project = own_project(request, project_id)
        try:
            undone = service.undo(project.pk, decision_id)
        except Refused as refused:
            raise _as_api_error(refused) from refused
        return Response(DecisionRowSerializer(undone).data)


class QuestionsView(APIView):
    @extend_schema(responses={200: dict[str, Any]})
    def get(self, request: Request, project_id: uuid.UUID) -> Response:
        """What waits for the writer: findings, questions, and contradictions."""
        return Response(questions.as_dict(own_project(request, project_id)))


class ReadAgainView(APIView):
    @extend_schema(request=None, responses={200: dict[str, int]})
    def post(self, request: Request, project_id: uuid.UUID) -> Response:
        """Analyse the chapters of ``to_read_again``, in their order: ``{queued}`` says how many."""
        return Response({"queued": service.read_again(own_project(request, project_id).pk)})


class ExportView(APIView):
    @extend_schema(
        responses={(200, "application/json"): dict[str, Any], (200, "text/markdown"): str}
    )
    def get(self, request: Request, project_id: uuid.UUID, kind: str) -> HttpResponse:
        project = own_project(request, project_id)
        body, content_type = export.FORMATS[kind](project)
        response = HttpResponse(body, content_type=content_type)
        response.headers["Content-Disposition"] = f'attachment; filename="bible.{kind}"'
        return response


def _as_api_error(refused: Refused) -> exceptions.APIException:
    if refused.conflict:
        return Conflict(str(refused))
    return exceptions.ValidationError({refused.field: [str(refused)]})


class BibleView(APIView):
    @extend_schema(responses={200: dict[str, Any]})
    def get(self, request: Request, project_id: uuid.UUID) -> Response:
        return Response(content.as_shown(own_project(request, project_id)))
