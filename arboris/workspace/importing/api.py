"""POST …/import: a file at once; with ``?preview=1`` a look at it first, and then its upload."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris.db import in_transaction
from arboris.idempotency.claims import Answer
from arboris.idempotency.views import as_json, creating, holding_on, idempotent_by, lease
from arboris.novels import import_jobs, uploads
from arboris.novels.importing import ImportedNovel, NovelImportError
from arboris.novels.importing.decode import ENCODINGS
from arboris.novels.models import ImportJob, ImportUpload, NovelProject
from arboris.rest import (
    BoundedJSONParser,
    Conflict,
    FormParser,
    TooLarge,
    TooMany,
    WriterRate,
    flag_parameter,
)
from arboris.storable import storable
from arboris.workspace.access import own_project
from arboris.workspace.archive.restore import is_empty
from arboris.workspace.chapters import service as chapters
from arboris.workspace.chapters.analysis_options import (
    DEFAULT_PRIORITY,
    AnalysisOptions,
    AnalysisOptionsSerializer,
)
from arboris.workspace.chapters.serializers import SavedChapterSerializer
from arboris.workspace.importing import service


class FileSerializer(AnalysisOptionsSerializer):
    file = serializers.FileField(error_messages={"required": gettext_lazy("Choose a file.")})
    encoding = serializers.ChoiceField(choices=list(ENCODINGS), default="", allow_blank=True)


class UploadSerializer(AnalysisOptionsSerializer):
    """``mode`` says what becomes of chapters that are there; ``analysis`` is mode elsewhere."""

    upload = serializers.UUIDField()
    mode = serializers.ChoiceField(choices=service.MODES)
    analysis = serializers.ChoiceField(choices=["enhanced", "basic"], default="enhanced")

    def options(self) -> AnalysisOptions:
        data = self.validated_data
        return AnalysisOptions(
            data["analysis"], data.get("priority", DEFAULT_PRIORITY), data.get("generation_config")
        )


class MatchSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    chapter_number = serializers.IntegerField()
    title = serializers.CharField()


class FoundChapterSerializer(serializers.Serializer[Any]):
    """``length`` in characters; ``matches`` the chapter of the novel that it corresponds to."""

    title = serializers.CharField()
    length = serializers.IntegerField()
    matches = MatchSerializer(allow_null=True)


class PreviewSerializer(serializers.Serializer[Any]):
    """``restores``: the file is an archive, and the novel is empty: it will be that novel."""

    upload = serializers.UUIDField()
    title = serializers.CharField()
    encoding = serializers.CharField(allow_null=True)
    restores = serializers.BooleanField()
    chapters = FoundChapterSerializer(many=True)
    set_aside = serializers.ListField(child=serializers.CharField())


class ImportErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class ImportJobSerializer(serializers.ModelSerializer[ImportJob]):
    """``done`` of ``total`` chapters are made; they appear all at once, when it is ``done``."""

    error = serializers.SerializerMethodField()

    class Meta:
        model = ImportJob
        fields = ("id", "state", "done", "total", "error", "created_at", "ended_at")

    @extend_schema_field(ImportErrorSerializer(allow_null=True))
    def get_error(self, job: ImportJob) -> dict[str, str] | None:
        return {"code": job.error_code, "detail": job.error} if job.error_code else None


class ImportState(APIView):
    @extend_schema(responses={200: ImportJobSerializer})
    def get(self, request: Request, project_id: uuid.UUID, import_id: uuid.UUID) -> Response:
        project = own_project(request, project_id)
        job = ImportJob.objects.filter(pk=import_id, upload__project=project).first()
        if job is None:
            raise Http404
        return Response(ImportJobSerializer(job).data)


def _again(request: Request, answer: Answer) -> HttpResponse:
    """A first answer anew: that of an import which was left to a worker has headers of its own."""
    response = as_json(request, answer)
    if answer.status == status.HTTP_202_ACCEPTED:
        project_id = request.parser_context["kwargs"]["project_id"]
        for name, value in _of_queued(project_id, json.loads(answer.body)["id"]).items():
            response.headers[name] = value
    return response


def _of_queued(project_id: uuid.UUID, job_id: uuid.UUID | str) -> dict[str, str]:
    """The headers of a 202."""
    location = f"/api/projects/{project_id}/imports/{job_id}"
    return {"Location": location, "Preference-Applied": "respond-async"}


class ImportNovel(APIView):
    throttle_classes = [WriterRate]
    throttle_scope = "import"
    parser_classes = [FormParser, BoundedJSONParser]

    @idempotent_by(_again, lease)
    @extend_schema(
        parameters=[
            OpenApiParameter("preview", bool),
            OpenApiParameter(
                "Prefer",
                str,
                OpenApiParameter.HEADER,
                description="respond-async: answer 202 at once, and import behind (RFC 7240)",
            ),
        ],
        request={"multipart/form-data": FileSerializer, "application/json": UploadSerializer},
        responses={
            201: SavedChapterSerializer(many=True),
            200: PreviewSerializer,
            202: ImportJobSerializer,
        },
    )
    def post(self, request: Request, project_id: uuid.UUID) -> Response:
        project = own_project(request, project_id)
        if flag_parameter(request, "preview"):
            return self._preview(request, project)
        if "upload" in request.data:
            return self._upload(request, project)
        form = FileSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        name, data = _file(form.validated_data["file"])
        encoding = form.validated_data["encoding"]
        if _behind(request):
            return _queued(
                request, lambda: uploads.keep(project, name, data, encoding), form.options()
            )
        novel = _parsed("file", name, data, encoding)
        return _imported("file", service.Job(project, novel, data, form.options()))

    def _preview(self, request: Request, project: NovelProject) -> Response:
        form = FileSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        name, data = _file(form.validated_data["file"])
        encoding = form.validated_data["encoding"]
        novel = _parsed("file", name, data, encoding)
        found = zip(novel.chapters, service.matches(project, novel), strict=True)
        rows = [
            {"title": item.title, "length": len(item.content), "matches": there}
            for item, there in found
        ]
        restores = novel.is_archive and is_empty(project.pk)
        if not (rows or restores):
            raise exceptions.ValidationError({"file": [_("The file contains no text.")]})

        def make() -> Response:
            upload = uploads.keep(project, name, data, encoding)
            preview = {
                "upload": upload.pk,
                "title": novel.title,
                "encoding": novel.encoding or None,
                "restores": restores,
                "chapters": rows,
                "set_aside": novel.set_aside,
            }
            return Response(PreviewSerializer(preview).data)

        return creating(make)

    def _upload(self, request: Request, project: NovelProject) -> Response:
        form = UploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        upload = uploads.find(project, form.validated_data["upload"])
        if upload is None:
            said = _("There is no such upload, or its time is over: choose the file again.")
            raise exceptions.ValidationError({"upload": [said]})
        mode = form.validated_data["mode"]
        if _behind(request):
            return _queued(request, lambda: upload, form.options(), mode)
        try:
            data = uploads.read(upload)
            novel = _parsed("upload", upload.name, data, upload.encoding)
            use = partial(uploads.use, upload)
            job = service.Job(project, novel, data, form.options(), mode, use)
            return _imported("upload", job)
        except uploads.AlreadyImported:
            raise Conflict(_("This file was imported already."), "already_imported") from None


def _behind(request: Request) -> bool:
    wishes = request.headers.get("Prefer", "").lower().replace(";", ",").split(",")
    return "respond-async" in [wish.strip() for wish in wishes]


def _queued(
    request: Request,
    kept: Callable[[], ImportUpload],
    options: AnalysisOptions,
    mode: service.Mode = "add",
) -> Response:
    """Leave the import to a worker; 202 with where to ask how far it is."""

    def make() -> Response:
        job = in_transaction(
            lambda: service.queue_import(kept(), mode, options, get_language() or "")
        )
        headers = _of_queued(job.upload.project_id, job.pk)
        return Response(ImportJobSerializer(job).data, status=202, headers=headers)

    try:
        return creating(make)
    except uploads.AlreadyImported:
        raise Conflict(_("This file was imported already."), "already_imported") from None
    except import_jobs.TooMany:
        said = _("%(limit)d of your imports are waiting already. Try again when one has ended.")
        values = {"limit": import_jobs.PER_WRITER}
        raise TooMany(said % values, "too_many_imports") from None


def _file(upload: UploadedFile[Any]) -> tuple[str, bytes]:
    limit = service.largest(upload.name or "")
    if (upload.size or 0) > limit:
        sentence = _("The file has %(size)d bytes; %(limit)d are allowed.")
        raise TooLarge("file: " + sentence % {"size": upload.size, "limit": limit})
    name = storable(upload.name or "")
    suffix = name[name.rfind(".") :] if "." in name else ""
    longest: int = ImportUpload._meta.get_field("name").max_length or 0
    if len(name) > longest:
        name = name[: longest - len(suffix)] + suffix
    return name, upload.read()


def _parsed(field: str, name: str, data: bytes, encoding: str) -> ImportedNovel:
    try:
        return service.parse(name, data, encoding)
    except NovelImportError as error:
        raise exceptions.ValidationError({field: [str(error)]}) from error


def _imported(field: str, job: service.Job) -> Response:
    def make() -> Response:
        saved, novel = job.run(), job.novel
        body = {"title": novel.title, "chapters": _rows(saved), "set_aside": novel.set_aside}
        return Response(body, status=201)

    try:
        job.prepare(holding_on())
        return creating(make)
    except NovelImportError as error:
        raise exceptions.ValidationError({field: [str(error)]}) from error
    except service.Changed as error:
        raise Conflict(str(error), "changed") from error
    except service.NoRoom as error:
        raise TooMany(f"{field}: {error}", "too_many_pending") from error
    finally:
        job.discard()


def _rows(saved: Sequence[chapters.SavedChapter]) -> list[dict[str, Any]]:
    rows = list(SavedChapterSerializer(saved, many=True).data)
    for row in rows:
        del row["content"]
    return rows
