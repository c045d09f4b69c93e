"""What belongs to the writer who asks; somebody else's is as absent as none."""

from __future__ import annotations

import uuid

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from rest_framework.request import Request

from arboris.novels.models import Chapter, NovelProject


def own_project(request: Request | HttpRequest, project_id: uuid.UUID) -> NovelProject:
    """Return the writer's novel. Raises Http404."""
    return get_object_or_404(NovelProject, pk=project_id, owner_id=request.user.pk)


def own_chapter(request: Request | HttpRequest, chapter_id: int) -> Chapter:
    """Return the chapter of one of the writer's novels. Raises Http404."""
    query = Chapter.objects.select_related("project").filter(project__deleted_at=None)
    return get_object_or_404(query, pk=chapter_id, project__owner_id=request.user.pk)
