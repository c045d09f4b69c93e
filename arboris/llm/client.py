"""A chat with any OpenAI-compatible endpoint, streamed, with typed errors.

The official client library does the protocol; this module holds the settings, the bounds and
the way through one call. A call may be several requests: one that is refused for the moment is
made again within the call's time. Each request passes the gate, for whose sake a call names the
account that pays for it: see ``arboris.llm.account``.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

import httpx2
import openai
from django.conf import settings
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from openai.types.chat.completion_create_params import ResponseFormat

from arboris.llm import bounds, errors, gate, limits, retrying
from arboris.llm.account import Account
from arboris.llm.configured import missing_settings
from arboris.llm.translate import typed
from arboris.llm.usage import Usage

Message = ChatCompletionMessageParam

CONNECT_SECONDS = 10.0
MOST_TOKENS = 1_000_000_000  # whatever an endpoint says it has used
# What a plain stream asks for beside its text: the tokens used, and a bound on them. Not every
# endpoint takes either; how far one has to be spared is remembered as long as the process lives.
EXTRAS = ((True, True), (False, True), (False, False))
_extras: dict[tuple[str, str], int] = {}


@dataclass(frozen=True, slots=True)
class Call:
    """One question; what is None is left to the settings or to the endpoint."""

    messages: list[Message]
    model: str | None = None
    temperature: float | None = None
    response_format: ResponseFormat | None = None
    # Ask for the number of tokens used; a few endpoints refuse even the question.
    report_usage: bool = False
    # Bound the answer's tokens, where the settings say so.
    limited: bool = True
    account: Account = field(default_factory=Account)
    # When the caller's own time is over, by time.monotonic(): no new try waits beyond it.
    ends: float | None = None

    @property
    def model_name(self) -> str:
        name: str = self.model or settings.ARBORIS_LLM_MODEL
        return name


class Piece(NamedTuple):
    text: str
    finish_reason: str | None  # with the last piece, if the endpoint tells


async def stream(
    messages: list[Message],
    *,
    model: str | None = None,
    temperature: float | None = None,
    account: Account | None = None,
) -> AsyncGenerator[str, None]:
    """Pieces of the answer as they arrive; raises an ``LLMError`` of the fitting kind.

    ``settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT`` (seconds) bounds the wait for the first piece,
    ``ARBORIS_LLM_TIMEOUT`` that for each other, ``ARBORIS_LLM_TOTAL_TIMEOUT`` the whole answer.
    """
    call = Call(messages, model, temperature, account=account or Account())
    reason = None
    async with connect() as connection, aclosing(_plain(connection, call)) as answer:
        async for piece in answer:
            reason = piece.finish_reason or reason
            if piece.text:
                yield piece.text
    if reason is None:
        raise errors.Truncated("the endpoint broke off its answer")
    if reason == "length":
        raise errors.Truncated("the answer reached the length that the endpoint allows")


async def _plain(connection: openai.AsyncOpenAI, call: Call) -> AsyncGenerator[Piece, None]:
    """The pieces; a request that is refused is made again with less in it that may be left out."""
    endpoint = (settings.ARBORIS_LLM_BASE_URL, call.model_name)
    for extras in range(_extras.get(endpoint, 0), len(EXTRAS)):
        report_usage, limited = EXTRAS[extras]
        asking = replace(call, report_usage=report_usage, limited=limited)
        try:
            async with aclosing(pieces(connection, asking)) as answer:
                async for piece in answer:
                    _extras[endpoint] = extras
                    yield piece
            return
        except errors.RequestRefused:  # before it began: nothing was yielded
            if extras == len(EXTRAS) - 1:
                raise


@asynccontextmanager
async def connect() -> AsyncIterator[openai.AsyncOpenAI]:
    """A client for the configured endpoint, to be shared between calls of one event loop."""
    if missing := missing_settings():
        raise errors.NotConfigured(", ".join(missing))
    wait = max(settings.ARBORIS_LLM_TIMEOUT, settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT)
    async with openai.AsyncOpenAI(
        base_url=settings.ARBORIS_LLM_BASE_URL,
        # Endpoints on one's own machine take any key; the library insists on one.
        api_key=settings.ARBORIS_LLM_API_KEY or "none",
        timeout=openai.Timeout(wait, connect=min(wait, CONNECT_SECONDS)),
        max_retries=0,  # every request is one of ours: admitted, and entered in the ledger
        default_headers={"Accept-Encoding": "identity"},
        # An endpoint that sends us elsewhere would get the key sent there.
        http_client=openai.DefaultAsyncHttpxClient(
            follow_redirects=False, event_hooks={"response": [bounds.count]}, verify=_trust()
        ),
    ) as connection:
        yield connection


@cache
def _trust() -> ssl.SSLContext:
    """Reading the certificates that are trusted takes 20 ms: once in the life of a process."""
    return httpx2.create_ssl_context()


async def pieces(
    connection: openai.AsyncOpenAI, call: Call, usage: Usage | None = None
) -> AsyncGenerator[Piece, None]:
    """The answer to one call, piece by piece; raises LLMError. ``usage`` grows as it is spent.

    The end of this generator (``aclosing``) ends the request. Until the answer begins, a request
    that is refused for the moment is made again, as far as the call's time allows it.
    """
    clock = asyncio.get_running_loop().time  # time.monotonic
    ends = clock() + settings.ARBORIS_LLM_TOTAL_TIMEOUT
    patience = ends if call.ends is None else min(ends, call.ends)
    tries, began = 0, False
    while True:
        wait = 0.0
        limit = limits.parameter(call.model_name) if call.limited else None
        try:
            async with aclosing(_request(connection, call, limit, ends, usage)) as answer:
                async for piece in answer:
                    began = True
                    yield piece
            return
        except errors.LLMError as error:
            if limit is not None and isinstance(error, errors.TokenLimitRefused):
                limits.refused(call.model_name, limit)
                continue
            tries += 1
            again = None if began else retrying.pause(error, tries, patience - clock())
            if again is None:
                raise
            wait = again
        await asyncio.sleep(wait)


async def _request(
    connection: openai.AsyncOpenAI,
    call: Call,
    limit: limits.Parameter | None,
    ends: float,
    usage: Usage | None,
) -> AsyncGenerator[Piece, None]:
    """One request through the gate; whatever stops it, what it has used is told there."""
    clock = asyncio.get_running_loop().time
    entry = await gate.current().enter(call.account, ends)
    started, outcome = clock(), "llm_error"
    reported, taken = Usage(), ""
    began = False
    try:
        async with aclosing(_chunks(connection, call, limit, ends, entry)) as chunks:
            async for chunk in chunks:
                began = True
                _count_reported(chunk, reported)
                piece = _piece(chunk)
                taken += piece.text
                if len(taken) > bounds.MAX_REPLY_CHARACTERS:
                    raise errors.TooLarge(f"the answer goes on after {len(taken)} characters")
                yield piece
        outcome = gate.OK
    except errors.LLMError as error:
        outcome = error.code
        raise
    except (asyncio.CancelledError, GeneratorExit):
        outcome = gate.CANCELLED
        raise
    finally:
        # Whatever stopped it: what the endpoint has read and written is spent.
        if began and not reported.prompt:
            reported.estimate("".join(str(m.get("content")) for m in call.messages), taken)
        if usage is not None:
            usage.add(reported)
        ended = gate.Ended(call.model_name, reported, outcome, clock() - started)
        await gate.current().leave(entry, call.account, ended)


async def _chunks(
    connection: openai.AsyncOpenAI,
    call: Call,
    limit: limits.Parameter | None,
    ends: float,
    entry: gate.Entry,
) -> AsyncGenerator[ChatCompletionChunk, None]:
    """The library's chunks within the time-outs, with its errors as ours."""
    clock = asyncio.get_running_loop().time
    wait = settings.ARBORIS_LLM_TIMEOUT
    first = clock() + (settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT or wait)
    answer = None
    try:
        async with asyncio.timeout_at(min(ends, first)) as entry.waits:
            answer = await _create(connection, call, limit)
            chunk = await anext(answer, None)
        while chunk is not None:
            entry.waits = None
            yield chunk
            if entry.lost:
                break
            async with asyncio.timeout_at(min(ends, clock() + wait)) as entry.waits:
                chunk = await anext(answer, None)
    except openai.OpenAIError as error:
        # Without its cause: that one holds the request, and with it the key.
        raise typed(error) from None
    except TimeoutError:
        if not entry.lost:
            raise errors.TimedOut("the answer took longer than allowed") from None
    except (ValueError, RecursionError):
        raise errors.BadAnswer("the endpoint's answer is no chat") from None
    finally:
        entry.waits = None
        if answer is not None:
            await answer.close()
    if entry.lost:
        raise errors.Busy("the place at the endpoint was lost during the call")


async def _create(
    connection: openai.AsyncOpenAI, call: Call, limit: limits.Parameter | None
) -> openai.AsyncStream[ChatCompletionChunk]:
    most = settings.ARBORIS_LLM_MAX_TOKENS
    return await connection.chat.completions.create(
        model=call.model_name,
        messages=call.messages,
        temperature=openai.omit if call.temperature is None else call.temperature,
        response_format=call.response_format or openai.omit,
        max_tokens=most if limit == "max_tokens" else openai.omit,
        max_completion_tokens=most if limit == "max_completion_tokens" else openai.omit,
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
        usage.prompt = min(max(0, prompt), MOST_TOKENS)
        usage.completion = min(max(0, completion), MOST_TOKENS)


def forget() -> None:
    """Forget what was learnt about endpoints."""
    _extras.clear()
    limits.forget()
