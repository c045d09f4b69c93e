"""The sample novel of the first run: made with its chapters and their analyses, once a writer."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris.db import in_transaction
from arboris.idempotency.views import creating, idempotent
from arboris.novels.importing import parse_novel
from arboris.novels.models import ChapterVersion, NovelProject
from arboris.novels.services import ChapterText
from arboris.workspace.chapters import service as chapters
from arboris.workspace.chapters.analysis_options import AnalysisOptions
from arboris.workspace.projects.serializers import ProjectSerializer
from arboris.workspace.trash import service as trash

SAMPLES = Path(settings.BASE_DIR) / "arboris" / "novels" / "sample"
NAMESPACE = uuid.UUID("6b0e3f64-2c0f-4f0c-9a43-1d1c4f1f6f0a")


class SampleNovel(APIView):
    @idempotent
    @extend_schema(request=None, responses={200: ProjectSerializer, 201: ProjectSerializer})
    def post(self, request: Request) -> Response:
        """The sample novel in the reader's language: 201 where it is made now, else 200."""
        user_id = request.user.pk
        assert user_id is not None
        language = "en" if (get_language() or "").startswith("en") else "zh"

        def make() -> Response:
            project, is_new = begin(user_id, language)
            return Response(ProjectSerializer(project).data, status=201 if is_new else 200)

        return creating(make)


def begin(user_id: int, language: str) -> tuple[NovelProject, bool]:
    """Make the novel, or return the one that is there, out of the trash too; True: it is new."""
    # The same for each request: the primary key lets only one of them make it.
    pk = uuid.uuid5(NAMESPACE, f"{user_id} {language}")
    novel = parse_novel(f"{language}.md", (SAMPLES / f"{language}.md").read_bytes())
    new = [
        chapters.NewChapter(
            ChapterText.of(item.content, ChapterVersion.Source.IMPORTED), item.title
        )
        for item in novel.chapters
    ]

    def work() -> tuple[NovelProject, bool]:
        try:
            with transaction.atomic():
                project = NovelProject.objects.create(
                    pk=pk, owner_id=user_id, title=novel.title, language=language
                )
        except IntegrityError:
            return _found(user_id, pk), False
        chapters.add(pk, new, AnalysisOptions())
        return project, True

    return in_transaction(work)


def _found(user_id: int, pk: uuid.UUID) -> NovelProject:
    project = NovelProject.everything.get(pk=pk)
    return project if project.deleted_at is None else trash.restore_novel(user_id, pk)
