"""The async-analysis API: status, tasks, retry, cancel. Writers see their own tasks only."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis import queue
from analysis.api.serializers import (
    StatusSerializer,
    TaskDetailSerializer,
    TaskSerializer,
)
from analysis.errors import QueueConflict
from analysis.models import PendingAnalysis, Status
from arboris.novels import trash
from arboris.novels.models import NovelProject
from arboris.rest import (
    HIGHEST_ID,
    Conflict,
    ErrorSerializer,
    MessageSerializer,
    WriterRate,
    uuid_parameter,
    whole_parameter,
)

LIMIT = OpenApiParameter("limit", int, description="1 to 100")
PROJECT = OpenApiParameter("project_id", str)
HEAVY = ("result", "checkpoint", "generation_config", "token_usage")


def own_tasks(request: Request) -> QuerySet[PendingAnalysis]:
    mine = PendingAnalysis.objects.filter(user_id=request.user.pk or 0)
    return trash.outside(mine, request.user.pk or 0).select_related("chapter")


def scoped_tasks(request: Request) -> QuerySet[PendingAnalysis]:
    """The caller's tasks, of one novel where ``project_id`` is given (404 if it is not theirs)."""
    project_id = uuid_parameter(request, "project_id")
    if project_id is None:
        return own_tasks(request)
    if not NovelProject.objects.filter(pk=project_id, owner_id=request.user.pk).exists():
        raise Http404
    return own_tasks(request).filter(project_id=project_id)


class StatusView(APIView):
    @extend_schema(parameters=[PROJECT, LIMIT], responses={200: StatusSerializer})
    def get(self, request: Request) -> Response:
        limit = whole_parameter(request, "limit", 10)
        tasks = scoped_tasks(request)
        counts = dict(tasks.order_by().values_list("status").annotate(number=Count("pk")))
        body: dict[str, Any] = {status: counts.get(status, 0) for status in Status.values}
        recent = tasks.defer(*HEAVY).order_by("-pk")[:limit]
        return Response(
            {
                "total": sum(body.values()),
                **body,
                "recent_tasks": TaskSerializer(recent, many=True).data,
            }
        )


class TaskList(APIView):
    @extend_schema(
        parameters=[PROJECT, LIMIT, OpenApiParameter("status", str, enum=Status.values)],
        responses={200: TaskSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        limit = whole_parameter(request, "limit", 20)
        tasks = scoped_tasks(request)
        status = request.query_params.get("status")
        if status:
            if status not in Status.values:
                choices = ", ".join(Status.values)
                raise exceptions.ValidationError(
                    {"status": [_("Must be one of: %(choices)s.") % {"choices": choices}]}
                )
            tasks = tasks.filter(status=status)
        return Response(TaskSerializer(tasks.defer(*HEAVY).order_by("-pk")[:limit], many=True).data)


def own_task(request: Request, task_id: int) -> PendingAnalysis:
    task = own_tasks(request).filter(pk=task_id).first()
    if task is None:
        raise Http404
    return task


class TaskDetail(APIView):
    @extend_schema(responses={200: TaskDetailSerializer})
    def get(self, request: Request, task_id: int) -> Response:
        return Response(TaskDetailSerializer(own_task(request, task_id)).data)


class LatestTask(APIView):
    @extend_schema(responses={200: TaskDetailSerializer})
    def get(self, request: Request, chapter_id: int) -> Response:
        if chapter_id > HIGHEST_ID:  # more than SQLite's driver takes for a foreign key
            raise Http404
        task = own_tasks(request).filter(chapter_id=chapter_id).order_by("-pk").first()
        if task is None:
            raise Http404
        return Response(TaskDetailSerializer(task).data)


class RetryTask(APIView):
    throttle_classes = [WriterRate]
    throttle_scope = "retry"

    @extend_schema(request=None, responses={200: MessageSerializer, 409: ErrorSerializer})
    def post(self, request: Request, task_id: int) -> Response:
        own_task(request, task_id)
        try:
            queue.retry(task_id)
        except QueueConflict as error:
            raise Conflict(str(error), error.code) from error
        return Response({"message": _("The task is back in the queue")})


class CancelTask(APIView):
    @extend_schema(request=None, responses={200: MessageSerializer, 409: ErrorSerializer})
    def post(self, request: Request, task_id: int) -> Response:
        own_task(request, task_id)
        try:
            queue.cancel(task_id)
        except QueueConflict as error:
            raise Conflict(str(error), error.code) from error
        return Response({"message": _("The task was cancelled")})
