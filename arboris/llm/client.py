"""A chat with any OpenAI-compatible endpoint, streamed, with typed errors.

The official client library does the protocol; this module holds the settings, the bounds and
the way through one call.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

import openai
from django.conf import settings
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from openai.types.chat.completion_create_params import ResponseFormat

from arboris.llm import bounds, errors
from arboris.llm.configured import missing_settings
from arboris.llm.translate import typed
from arboris.llm.usage import Usage

Message = ChatCompletionMessageParam

CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request; what is None is left to the settings or to the endpoint."""

    messages: list[Message]
    model: str | None = None
    temperature: float | None = None
    response_format: ResponseFormat | None = None
    # Ask for the number of tokens used; a few endpoints refuse even the question.
    report_usage: bool = False


class Piece(NamedTuple):
    text: str
    finish_reason: str | None  # with the last piece, if the endpoint tells


async def stream(
    messages: list[Message], *, model: str | None = None, temperature: float | None = None
) -> AsyncGenerator[str, None]:
    """Pieces of the answer as they arrive; raises an ``LLMError`` of the fitting kind.

    ``settings.ARBORIS_LLM_TIMEOUT`` (seconds) bounds the wait for each piece,
    ``ARBORIS_LLM_TOTAL_TIMEOUT`` the whole answer.
    """
    call = Call(messages, model=model, temperature=temperature)
    reason = None
    async with connect(retries=1) as connection, aclosing(pieces(connection, call)) as answer:
        async for piece in answer:
            reason = piece.finish_reason or reason
            if piece.text:
                yield piece.text
    if reason is None:
        raise errors.Truncated("the endpoint broke off its answer")
    if reason == "length":
        raise errors.Truncated("the answer reached the length that the endpoint allows")


@asynccontextmanager
async def connect(*, retries: int = 0) -> AsyncIterator[openai.AsyncOpenAI]:
    """A client for the configured endpoint; takes 20 ms to make, so share it between calls."""
    if missing := missing_settings():
        raise errors.NotConfigured(", ".join(missing))
    wait = settings.ARBORIS_LLM_TIMEOUT
    async with openai.AsyncOpenAI(
        base_url=settings.ARBORIS_LLM_BASE_URL,
        # Endpoints on one's own machine take any key; the library insists on one.
        api_key=settings.ARBORIS_LLM_API_KEY or "none",
        timeout=openai.Timeout(wait, connect=min(wait, CONNECT_SECONDS)),
        max_retries=retries,
        default_headers={"Accept-Encoding": "identity"},
        # An endpoint that sends us elsewhere would get the key sent there.
        http_client=openai.DefaultAsyncHttpxClient(
            follow_redirects=False, event_hooks={"response": [bounds.count]}
        ),
    ) as connection:
        yield connection


async def pieces(
    connection: openai.AsyncOpenAI, call: Call, usage: Usage | None = None
) -> AsyncGenerator[Piece, None]:
    """The answer to one call, piece by piece; raises LLMError. ``usage`` grows as it is spent.

    The end of this generator (``aclosing``) ends the request.
    """
    reported, taken = Usage(), ""
    began = False
    try:
        async with aclosing(_chunks(connection, call)) as chunks:
            async for chunk in chunks:
                began = True
                _count_reported(chunk, reported)
                piece = _piece(chunk)
                taken += piece.text
                if len(taken) > bounds.MAX_REPLY_CHARACTERS:
                    raise errors.TooLarge(f"the answer goes on after {len(taken)} characters")
                yield piece
    finally:
        # Whatever stopped it: what the endpoint has read and written is spent.
        if began and not reported.prompt:
            reported.estimate("".join(str(m.get("content")) for m in call.messages), taken)
        if usage is not None:
            usage.add(reported)


async def _chunks(
    connection: openai.AsyncOpenAI, call: Call
) -> AsyncGenerator[ChatCompletionChunk, None]:
    """The library's chunks within the time-outs, with its errors as ours."""
    clock = asyncio.get_running_loop().time
    ends = clock() + settings.ARBORIS_LLM_TOTAL_TIMEOUT
    answer = None
    try:
        async with asyncio.timeout_at(ends):
            answer = await _create(connection, call)
        while True:
            async with asyncio.timeout_at(min(ends, clock() + settings.ARBORIS_LLM_TIMEOUT)):
                chunk = await anext(answer, None)
            if chunk is None:
                return
            yield chunk
    except openai.OpenAIError as error:
        # Without its cause: that one holds the request, and with it the key.
        raise typed(error) from None
    except TimeoutError:
        raise errors.TimedOut("the answer took longer than allowed") from None
    except (ValueError, RecursionError):
        raise errors.BadAnswer("the endpoint's answer is no chat") from None
    finally:
        if answer is not None:
            await answer.close()


async def _create(
    connection: openai.AsyncOpenAI, call: Call
) -> openai.AsyncStream[ChatCompletionChunk]:
    return await connection.chat.completions.create(
        model=call.model or settings.ARBORIS_LLM_MODEL,
        messages=call.messages,
        temperature=openai.omit if call.temperature is None else call.temperature,
        response_format=call.response_format or openai.omit,
        stream_options={"include_usage": True} if call.report_usage else openai.omit,
        stream=True,
    )


def _piece(chunk: ChatCompletionChunk) -> Piece:
    """The text in a chunk. The library builds chunks unchecked: nothing in one is certain."""
    try:
        choices = chunk.choices or []
        text = "".join(choice.delta.content or "" for choice in choices if choice.delta)
        refused = any(choice.delta.refusal for choice in choices if choice.delta)
        ends = [choice.finish_reason for choice in choices if choice.finish_reason]
    except (AttributeError, TypeError):
        raise errors.BadAnswer("the endpoint's answer is no chat") from None
    if refused or "content_filter" in ends:
        raise errors.Filtered("the model or its filter refused to answer")
    return Piece(text, ends[0] if ends else None)


def _count_reported(chunk: ChatCompletionChunk, usage: Usage) -> None:
    """Take over the endpoint's own count, which comes with the last chunk or grows with each."""
    told = getattr(chunk, "usage", None)
    prompt = getattr(told, "prompt_tokens", None)
    completion = getattr(told, "completion_tokens", None)
    if isinstance(prompt, int) and isinstance(completion, int):
        usage.prompt, usage.completion = max(0, prompt), max(0, completion)
