"""POST …/chapters/generate: written by the model, then saved like any other chapter."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis.errors import sentence_for
from arboris.db import let_go
from arboris.llm.accounting import budget
from arboris.llm.configured import missing_settings
from arboris.llm.errors import LLMError, OverBudget
from arboris.rest import PaymentRequired, Unavailable, as_api_error, first_sentence
from arboris.workspace.access import own_project
from arboris.workspace.chapters.api import check_number
from arboris.workspace.chapters.service import SavedChapter
from arboris.workspace.generation.serializers import (
    GeneratedChapterSerializer,
    GenerateSerializer,
)
from arboris.workspace.generation.service import Generation

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

    @extend_schema(request=GenerateSerializer, responses={201: GeneratedChapterSerializer})
    def post(self, request: Request, project_id: uuid.UUID) -> Response | StreamingHttpResponse:
        project = own_project(request, project_id)
        form = GenerateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        if missing := missing_settings():
            raise Unavailable(
                _("No language model is configured. Set %(names)s.")
                % {"names": ", ".join([*missing, "ARBORIS_LLM_API_KEY"])},
                "llm_not_configured",
            )
        try:  # before anything is answered: a stream could say so in an event alone
            budget.check(project.pk, project.owner_id)
        except OverBudget as error:
            raise PaymentRequired(_told(error)["detail"], error.code) from error
        check_number(project, data["chapter_number"])
        work = Generation(
            project,
            form.options(),
            instructions=data["instructions"],
            title=data["title"],
            number=data["chapter_number"],
        )
        let_go()  # a model takes its time
        if "text/event-stream" in request.headers.get("Accept", ""):
            response = StreamingHttpResponse(events(work), content_type="text/event-stream")
            response.headers["Cache-Control"] = "no-cache"
            response.headers["X-Accel-Buffering"] = "no"
            return response
        return async_to_sync(_answer)(work)


async def _answer(work: Generation) -> Response:
    """The whole chapter at once; where the model breaks off, what there is beside the error."""
    try:
        async for _piece in work.pieces():
            pass
        saved = await work.finish()
    except Exception as error:
        fault = await _broken(work, error)
        if not isinstance(error, LLMError):
            raise
        kind = PaymentRequired if isinstance(error, OverBudget) else Unavailable
        return Response(fault, status=kind.status_code)
    return Response(await _shown(work, saved), status=201)


async def events(work: Generation) -> AsyncGenerator[bytes, None]:
    """``delta`` events with the text as it arrives, then ``saved`` (or ``error``).

    ``restart``: all deltas so far were the model's thoughts and are to be thrown away.

    A reader who goes away in the middle finds what had arrived as the chapter's draft.
    """
    try:
        async with aclosing(work.pieces()) as pieces:
            async for piece in pieces:
                yield _event("restart", {}) if piece is None else _event("delta", {"text": piece})
        yield _event("saved", await _shown(work, await work.finish()))
    except Exception as error:
        fault = await _broken(work, error)
        if not fault:
            raise
        yield _event("error", fault)
    except (asyncio.CancelledError, GeneratorExit):
        # Cancelled while it waits for the model, closed while it hands out an event.
        await _left(work)
        raise


async def _left(work: Generation) -> None:
    """Nobody is there any more to be told: the log is."""
    try:
        saved = await work.rescue(left=True)
    except Exception:
        log.exception("The reader left, and what had arrived could not be saved")
    else:
        if saved is not None:
            log.info("The reader left; chapter %s is what had arrived", saved.chapter.pk)


async def _broken(work: Generation, error: Exception) -> dict[str, Any]:
    """What the caller is told, with the chapter that was saved of what had arrived.

    Empty for an error that nobody foresaw; what had arrived is saved all the same.
    """
    fault = _told(error)
    try:
        saved = await work.rescue()
    except Exception as lost:
        if lost is not error:
            log.exception("What had arrived of a chapter could not be saved")
        return fault
    if fault and saved is not None:
        fault["chapter"] = await _shown(work, saved)
    return fault


def _told(error: Exception) -> dict[str, Any]:
    """``{detail, code}`` of an error that we know; empty for any other."""
    if isinstance(error, OverBudget):
        return {"detail": sentence_for(error.code), "code": error.code}
    if isinstance(error, LLMError):
        return {"detail": str(error), "code": error.code}
    known = as_api_error(error)
    if not isinstance(known, exceptions.APIException):
        return {}
    code = getattr(known.detail, "code", known.default_code)
    return {"detail": first_sentence(known.detail), "code": code}


async def _shown(work: Generation, saved: SavedChapter) -> dict[str, Any]:
    def show() -> dict[str, Any]:
        return {**GeneratedChapterSerializer(saved).data, "number_note": work.number_note or None}

    return await sync_to_async(show)()


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False, default=str)}\n\n".encode()
