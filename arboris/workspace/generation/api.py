"""POST …/chapters/generate: written by the model, then saved like any other chapter."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis.errors import sentence_for
from arboris.db import RETRY_SECONDS, release_connection
from arboris.idempotency.claims import Answer, Claim
from arboris.idempotency.views import as_json, current_claim, idempotent_by, rendered
from arboris.llm.accounting import budget
from arboris.llm.configured import missing_settings
from arboris.llm.errors import LLMError, OverBudget
from arboris.rest import (
    AnyAccept,
    ErrorSerializer,
    PaymentRequired,
    Unavailable,
    WriterRate,
    as_api_error,
    first_sentence,
)
from arboris.web_threads import aside
from arboris.workspace.access import own_project
from arboris.workspace.chapters.api import check_number
from arboris.workspace.chapters.service import SavedChapter
from arboris.workspace.generation.draft import OnSaved
from arboris.workspace.generation.serializers import (
    GeneratedChapterSerializer,
    GenerateSerializer,
)
from arboris.workspace.generation.service import Generation

log = logging.getLogger(__name__)


def longest() -> timedelta:
    """How long a generation may hold its Idempotency-Key: answer, summary, and saving both."""
    waits = settings.ARBORIS_LLM_TOTAL_TIMEOUT + settings.ARBORIS_SUMMARY_TIMEOUT
    return timedelta(seconds=waits + 2 * RETRY_SECONDS)


def replay(request: Request, answer: Answer) -> HttpResponse:
    """The chapter that was made under the key: as JSON, or as the last event of a stream."""
    if not wants_stream(request):
        return as_json(request, answer)
    return HttpResponse(_event("saved", json.loads(answer.body)), content_type="text/event-stream")


def wants_stream(request: Request) -> bool:
    return "text/event-stream" in request.headers.get("Accept", "")


class GenerateChapter(APIView):
    throttle_classes = [WriterRate]
    throttle_scope = "generate"
    content_negotiation_class = AnyAccept

    @idempotent_by(replay, longest)
    @extend_schema(
        request=GenerateSerializer,
        responses={201: GeneratedChapterSerializer, 402: ErrorSerializer},
    )
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
            raise PaymentRequired(_error_body(error)["detail"], error.code) from error
        check_number(project, data["chapter_number"])
        claim = current_claim()
        generation = Generation(
            project,
            form.options(),
            instructions=data["instructions"],
            title=data["title"],
            number=data["chapter_number"],
            claim=claim,
            on_saved=answering(claim),
        )
        release_connection()  # a model takes its time
        if wants_stream(request):
            if claim is not None:
                claim.taken_over = True
            response = StreamingHttpResponse(events(generation), content_type="text/event-stream")
            response.headers["Cache-Control"] = "no-cache"
            response.headers["X-Accel-Buffering"] = "no"
            return response
        with aside():
            return async_to_sync(_answer)(generation)


def answering(claim: Claim | None) -> OnSaved:
    """Keep each text that is saved as the answer to the request's key, in the same transaction."""

    def on_saved(saved: SavedChapter, number_note: str, whole: bool) -> None:
        if claim is None:
            return
        if not claim.answer(201, rendered(_body(saved, number_note)), final=whole):
            # Only where this took longer than ``longest``: two texts are better than none.
            log.warning("Chapter %s was written under a key that was given up", saved.chapter.pk)

    return on_saved


async def _answer(generation: Generation) -> Response:
    """Answer with the whole chapter, or with the error and the draft of what had arrived."""
    try:
        async for _piece in generation.pieces():
            pass
        saved = await generation.finish()
    except Exception as error:
        fault = await _rescued_error(generation, error)
        if not isinstance(error, LLMError):
            raise
        kind = PaymentRequired if isinstance(error, OverBudget) else Unavailable
        return Response(fault, status=kind.status_code)
    return Response(await _chapter_body(generation, saved), status=201)


async def events(generation: Generation) -> AsyncGenerator[bytes, None]:
    """Yield ``delta`` events with the text as it arrives, then ``saved`` or ``error``.

    ``restart``: all deltas so far were the model's thoughts and are to be thrown away. A reader
    who goes away in the middle finds what had arrived as the chapter's draft.
    """
    try:
        async with aclosing(generation.pieces()) as pieces:
            async for piece in pieces:
                yield _event("restart", {}) if piece is None else _event("delta", {"text": piece})
        yield _event("saved", await _chapter_body(generation, await generation.finish()))
    except Exception as error:
        fault = await _rescued_error(generation, error)
        if not fault:
            raise
        yield _event("error", fault)
    except (asyncio.CancelledError, GeneratorExit):
        # Cancelled while it waits for the model, closed while it hands out an event.
        await _save_for_absent_reader(generation)
        raise


async def _save_for_absent_reader(generation: Generation) -> None:
    """Save what had arrived; the reader has gone, so that only the log can say how it went."""
    try:
        saved = await generation.rescue(left=True)
    except Exception:
        log.exception("The reader left, and what had arrived could not be saved")
    else:
        if saved is not None:
            log.info("The reader left; chapter %s is what had arrived", saved.chapter.pk)


async def _rescued_error(generation: Generation, error: Exception) -> dict[str, Any]:
    """Save what had arrived, and return the error's body with that chapter.

    The body is empty for an error that is not known; what had arrived is saved all the same.
    """
    fault = _error_body(error)
    if isinstance(error, LLMError):
        log.warning("A chapter could not be written: %s: %s", error.code, error)
    try:
        saved = await generation.rescue()
    except Exception as lost:
        if lost is not error:
            log.exception("What had arrived of a chapter could not be saved")
        return fault
    if fault and saved is not None:
        fault["chapter"] = await _chapter_body(generation, saved)
    return fault


def _error_body(error: Exception) -> dict[str, Any]:
    """Return ``{detail, code}`` of a known error, {} for any other; in the reader's language."""
    if isinstance(error, LLMError):  # what the endpoint said of it is for the log
        return {"detail": sentence_for(error.code), "code": error.code}
    known = as_api_error(error)
    if not isinstance(known, exceptions.APIException):
        return {}
    code = getattr(known.detail, "code", known.default_code)
    return {"detail": first_sentence(known.detail), "code": code}


async def _chapter_body(generation: Generation, saved: SavedChapter) -> dict[str, Any]:
    return await sync_to_async(_body)(saved, generation.number_note)


def _body(saved: SavedChapter, number_note: str) -> dict[str, Any]:
    return {**GeneratedChapterSerializer(saved).data, "number_note": number_note or None}


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False, default=str)}\n\n".encode()
