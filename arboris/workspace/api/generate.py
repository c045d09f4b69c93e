"""POST …/chapters/generate: written by the model, then saved like any other chapter."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from channels.db import database_sync_to_async
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris.llm.configured import missing_settings
from arboris.llm.errors import LLMError
from arboris.novels import services as novels
from arboris.novels.models import ChapterVersion, NovelProject
from arboris.novels.text import find_unstorable
from arboris.rest import Unavailable, as_api_error, first_sentence
from arboris.workspace import chapters, generation
from arboris.workspace.api.projects import own_project
from arboris.workspace.api.serializers import GenerateSerializer, SavedChapterSerializer

log = logging.getLogger(__name__)


class AnyAccept(DefaultContentNegotiation):
    """The view itself looks at Accept; errors are JSON whatever was asked for."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type or "application/json"


class GenerateChapter(APIView):
    content_negotiation_class = AnyAccept

    @extend_schema(request=GenerateSerializer, responses={201: SavedChapterSerializer})
    def post(self, request: Request, project_id: uuid.UUID) -> Response | StreamingHttpResponse:
        project = own_project(request, project_id)
        form = GenerateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        if missing := missing_settings():
            raise Unavailable(
                _("No language model is configured. Set %(names)s.")
                % {"names": ", ".join([*missing, "ARBORIS_LLM_API_KEY"])},
                "llm_not_configured",
            )
        number = form.validated_data["chapter_number"]
        if number and project.chapters.filter(chapter_number=number).exists():
            raise exceptions.ValidationError(
                {"chapter_number": [str(novels.ChapterExists(number))]}
            )
        work = Generation(project, form)
        if "text/event-stream" in request.headers.get("Accept", ""):
            response = StreamingHttpResponse(work.events(), content_type="text/event-stream")
            response.headers["Cache-Control"] = "no-cache"
            response.headers["X-Accel-Buffering"] = "no"
            return response
        try:
            text = async_to_sync(work.whole)()
        except LLMError as error:
            raise Unavailable(str(error), error.code) from error
        return Response(work.save(text), status=201)


class Generation:
    def __init__(self, project: NovelProject, form: GenerateSerializer) -> None:
        self.project = project
        self.data = form.validated_data
        self.wish = form.wish()
        self.messages = generation.messages_for(project, self.data["instructions"])
        self.saving: asyncio.Task[dict[str, Any]] | None = None

    def _pieces(self) -> AsyncIterator[str]:
        return generation.write(self.messages, self.wish.config or {})

    async def whole(self) -> str:
        return "".join([piece async for piece in self._pieces()])

    async def events(self) -> AsyncGenerator[bytes, None]:
        """``delta`` events with the text as it arrives, then ``saved`` (or ``error``).

        A reader who goes away in the middle finds what had arrived as the chapter.
        """
        text = ""
        try:
            async for piece in self._pieces():
                text += piece
                yield _event("delta", {"text": piece})
            yield _event("saved", await self._save_to_the_end(text))
        except LLMError as error:
            yield _event("error", {"detail": str(error), "code": error.code})
        except Exception as error:
            known = as_api_error(error)
            if not isinstance(known, exceptions.APIException):
                raise
            code = getattr(known.detail, "code", known.default_code)
            yield _event("error", {"detail": first_sentence(known.detail), "code": code})
        except (asyncio.CancelledError, GeneratorExit):
            # Cancelled while it waits for the model, closed while it hands out an event.
            await self._keep(text)
            raise

    async def _save_to_the_end(self, text: str) -> dict[str, Any]:
        """Save it; a reader who goes away meanwhile does not stop that."""
        self.saving = asyncio.create_task(sync_to_async(self.save)(text))
        return await asyncio.shield(self.saving)

    async def _keep(self, text: str) -> None:
        """Nobody is there any more to be told: the log is."""
        try:
            if self.saving is not None:
                await self.saving
            elif text.strip():
                # In a thread of its own: that of the request may be gone already.
                save = database_sync_to_async(self.save, thread_sensitive=False)
                saved = await asyncio.shield(asyncio.create_task(save(text)))
                log.info("The reader left; chapter %s is what had arrived", saved["id"])
        except Exception:
            log.exception("The reader left, and what had arrived could not be saved")

    def save(self, text: str) -> dict[str, Any]:
        if not text.strip():
            raise Unavailable(_("The language model gave an empty answer."), "llm_empty")
        if problem := find_unstorable(text):
            raise Unavailable(problem, "llm_bad_answer")
        draft = novels.Draft.of(text, ChapterVersion.Source.GENERATED)
        new = chapters.NewChapter(draft, self.data["title"], self.data["chapter_number"])
        try:
            (saved,) = chapters.add(self.project.pk, [new], self.wish)
        except novels.ChapterExists as error:
            raise exceptions.ValidationError({"chapter_number": [str(error)]}) from error
        return dict(SavedChapterSerializer(saved).data)


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False, default=str)}\n\n".encode()
