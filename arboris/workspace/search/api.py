"""Search and replace over a novel, and the palette's questions."""

from __future__ import annotations

import uuid

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris.idempotency.views import creating, idempotent
from arboris.rest import flag_parameter, whole_parameter
from arboris.workspace.access import own_project
from arboris.workspace.search import replacing, service
from arboris.workspace.search.serializers import (
    FoundSerializer,
    GoToSerializer,
    OutcomeSerializer,
    QuerySerializer,
    WishSerializer,
)

Q = OpenApiParameter("q", required=True, description="Letters of either case and width.")


def query_of(request: Request) -> str:
    form = QuerySerializer(data=request.query_params)
    form.is_valid(raise_exception=True)
    return str(form.validated_data["q"])


class SearchNovel(APIView):
    @extend_schema(
        parameters=[
            Q,
            OpenApiParameter("plain", OpenApiTypes.BOOL, description="Without other names."),
            OpenApiParameter("limit", OpenApiTypes.INT, description="1 to 500; 50."),
            OpenApiParameter("offset", OpenApiTypes.INT, description="Hits to pass over."),
        ],
        responses={200: FoundSerializer},
    )
    def get(self, request: Request, project_id: uuid.UUID) -> Response:
        """Find words in all chapters; a name also by the other names of whom it calls."""
        project, query = own_project(request, project_id), query_of(request)
        limit = whole_parameter(request, "limit", 50, high=500)
        offset = whole_parameter(request, "offset", 0, low=0, high=10_000_000)
        aliases = not flag_parameter(request, "plain")
        found = service.search(project, query, aliases=aliases, offset=offset, limit=limit)
        return Response(FoundSerializer(found).data)


class ReplaceInNovel(APIView):
    @idempotent
    @extend_schema(request=WishSerializer, responses={200: OutcomeSerializer})
    def post(self, request: Request, project_id: uuid.UUID) -> Response:
        """Replace words; one version a chapter. With ``preview`` nothing is saved.

        With an Idempotency-Key all chapters of the call are replaced, or none where it fails.
        """
        project = own_project(request, project_id)
        form = WishSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        work = replacing.preview if form.validated_data["preview"] else replacing.replace
        wish = form.wish()
        return creating(lambda: Response(OutcomeSerializer(work(project, wish)).data))


class GoTo(APIView):
    @extend_schema(parameters=[Q], responses={200: GoToSerializer})
    def get(self, request: Request, project_id: uuid.UUID) -> Response:
        """A few chapters, people, things and passages of that name or with these words."""
        project, query = own_project(request, project_id), query_of(request)
        return Response(GoToSerializer(service.go_to(project, query)).data)
