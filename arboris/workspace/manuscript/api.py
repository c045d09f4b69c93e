"""The novel as a file over HTTP: a manuscript, or its archive."""

from __future__ import annotations

import uuid

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.views import APIView

from arboris.novels.manuscript import FORMATS
from arboris.novels.models import NovelProject
from arboris.rest import AnyAccept
from arboris.storable import find_unstorable
from arboris.workspace.access import own_project
from arboris.workspace.archive.save import write_archive
from arboris.workspace.manuscript.files import download, file_name
from arboris.workspace.manuscript.service import DEFAULT_FRONT, FRONT, BadChoice, Wish, manuscript

ARCHIVE = "archive"
CHOICES = sorted([*FORMATS, ARCHIVE])
MEDIA_TYPES = [kind.partition(";")[0] for kind, _write in FORMATS.values()] + ["application/zip"]
MAX_WRITER = 200  # characters


class ExportNovel(APIView):
    content_negotiation_class = AnyAccept

    @extend_schema(
        parameters=[
            OpenApiParameter("format", enum=CHOICES, required=True),
            OpenApiParameter("chapters", description="Ids, or numbers and ranges: 3,5-8."),
            OpenApiParameter("volume", description="Its id, or its place from 1."),
            OpenApiParameter("front", description="title, writer, synopsis; none of them: none."),
            OpenApiParameter("writer", description="A pen name."),
        ],
        responses={(200, media): OpenApiTypes.BINARY for media in MEDIA_TYPES},
    )
    def get(self, request: Request, project_id: uuid.UUID) -> StreamingHttpResponse:
        project = own_project(request, project_id)
        suffix = request.query_params.get("format", "")
        if suffix == ARCHIVE:
            return self._archive(request, project)
        if suffix not in FORMATS:
            said = _("Must be one of: %(choices)s.") % {"choices": ", ".join(CHOICES)}
            raise exceptions.ValidationError({"format": [said]})
        content_type, write = FORMATS[suffix]
        try:
            novel = manuscript(project, _wish(request))
        except BadChoice as error:
            raise exceptions.ValidationError({error.field: [str(error)]}) from error
        name = file_name(project.title, suffix)
        return download(request._request, name, content_type, lambda file: write(novel, file))

    def _archive(self, request: Request, project: NovelProject) -> StreamingHttpResponse:
        for name in ("chapters", "volume", "front", "writer"):
            if request.query_params.get(name):
                raise exceptions.ValidationError({name: [_("An archive is of the whole novel.")]})
        name = file_name(project.title, "zip")
        return download(
            request._request, name, "application/zip", lambda file: write_archive(project, file)
        )


def _wish(request: Request) -> Wish:
    asked = request.query_params
    front = DEFAULT_FRONT
    if "front" in asked:
        front = frozenset(filter(None, (part.strip() for part in asked["front"].split(","))))
        front -= {"none"}
        if unknown := sorted(front - set(FRONT)):
            said = _("%(value)s is none of: %(known)s.") % {
                "value": unknown[0][:50],
                "known": ", ".join((*FRONT, "none")),
            }
            raise exceptions.ValidationError({"front": [said]})
    writer = asked.get("writer", "").strip()
    if len(writer) > MAX_WRITER or find_unstorable(writer):
        said = _("At most %(limit)d characters, and no control characters.")
        raise exceptions.ValidationError({"writer": [said % {"limit": MAX_WRITER}]})
    return Wish(
        chapters=asked.get("chapters", ""),
        volume=asked.get("volume", "").strip(),
        front=front,
        writer=writer,
    )
