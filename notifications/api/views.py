"""Polling for notifications, and marking them as read."""

from __future__ import annotations

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris.rest import HIGHEST_ID, MessageSerializer, flag_parameter, whole_parameter
from notifications import queries
from notifications.models import AnalysisNotification


class NotificationSchema(serializers.ModelSerializer[AnalysisNotification]):
    """For the API description alone; ``AnalysisNotification.as_dict`` renders."""

    class Meta:
        model = AnalysisNotification
        fields = [
            "id",
            "pending_analysis_id",
            "project_id",
            "chapter_id",
            "chapter_number",
            "notification_type",
            "title",
            "message",
            "data",
            "is_read",
            "created_at",
        ]


class NotificationList(APIView):
    @extend_schema(
        parameters=[
            OpenApiParameter("unread_only", bool),
            OpenApiParameter("limit", int, description="1 to 100"),
            OpenApiParameter(
                "since", int, description="the next ones after this id; without it, the newest"
            ),
            OpenApiParameter("before", int, description="the newest ones below this id"),
        ],
        responses={200: NotificationSchema(many=True)},
    )
    def get(self, request: Request) -> Response:
        limit = whole_parameter(request, "limit", 20)
        since = whole_parameter(request, "since", 0, low=0, high=HIGHEST_ID)
        before = whole_parameter(request, "before", HIGHEST_ID, high=HIGHEST_ID)
        unread_only = flag_parameter(request, "unread_only")
        user_id = request.user.pk or 0
        if request.query_params.get("since"):
            # The oldest of them: who goes on from the highest id seen misses none.
            rows = queries.after(user_id, since, limit, unread_only=unread_only)[::-1]
        else:
            rows = queries.newest(user_id, limit, unread_only=unread_only, before=before)
        return Response([row.as_dict() for row in rows])


class MarkRead(APIView):
    @extend_schema(request=None, responses={200: MessageSerializer})
    def post(self, request: Request, notification_id: int) -> Response:
        if not queries.mark_read(request.user.pk or 0, notification_id):
            raise Http404
        return Response({"message": _("Marked as read")})


class MarkAllRead(APIView):
    @extend_schema(request=None, responses={200: MessageSerializer})
    def post(self, request: Request) -> Response:
        number = queries.mark_all_read(request.user.pk or 0)
        return Response(
            {"message": _("Marked %(number)d notifications as read") % {"number": number}}
        )
