"""Streamed chat with any OpenAI-compatible endpoint, with typed errors.

The official client library speaks the protocol. This module adds the settings, the limits and the
retries: a call may be several requests, because one that is refused for the moment is sent again
within the call's time. Each request is admitted and logged (``arboris.llm.accounting``), so a call
names its payer.
"""

from __future__ import annotations

import asyncio
import importlib
import random
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import httpx2
from django.conf import settings

from arboris.backoff import back_off
from arboris.llm import errors, response_limits
from arboris.llm.accounting import admission
from arboris.llm.accounting.admission import Payer, Usage
from arboris.llm.client_errors import typed
from arboris.llm.configured import missing_settings
from arboris.llm.endpoint_profile import TokenLimit, profile_of

# Imported by the first call: it takes 0.6 s, and most processes ask no model.
if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
    from openai.types.chat.completion_create_params import ResponseFormat

Message: TypeAlias = "ChatCompletionMessageParam"

CONNECT_SECONDS = 10.0
MOST_TOKENS = 1_000_000_000  # an endpoint that reports more is not believed
# Seconds before a request that was refused for the moment is sent again within the same call.
BASE_SECONDS, LONGEST_BACKOFF = 0.5, 8.0
# A longer wait is left to the queue, where no worker waits along.
LONGEST_WAIT = 30.0


@dataclass(frozen=True, slots=True)
class Call:
    """One question. What is None is left to the settings or to the endpoint."""

    messages: list[Message]
    model: str | None = None
    temperature: float | None = None
    response_format: ResponseFormat | None = None
    # Ask for the number of tokens used. A few endpoints refuse even that.
    report_usage: bool = False
    # Limit the tokens of the answer, where the settings have a limit.
    limit_tokens: bool = True
    payer: Payer = field(default_factory=Payer)
    # When the caller's own time is over, by time.monotonic(): no retry waits beyond it.
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
    payer: Payer | None = None,
) -> AsyncGenerator[str, None]:
    """Yield the pieces of the answer as they arrive. Raises LLMError.

    Time limits, in seconds: ``settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT`` for the first piece,
    ``ARBORIS_LLM_TIMEOUT`` for each other, ``ARBORIS_LLM_TOTAL_TIMEOUT`` for the whole answer.
    """
    call = Call(messages, model, temperature, payer=payer or Payer())
    reason = None
    async with connect() as connection, aclosing(_text(connection, call)) as answer:
        async for piece in answer:
            reason = piece.finish_reason or reason
            if piece.text:
                yield piece.text
    if reason is None:
        raise errors.Truncated("the endpoint broke off its answer")
    if reason == "length":
        raise errors.Truncated("the answer reached the length that the endpoint allows")


async def _text(connection: openai.AsyncOpenAI, call: Call) -> AsyncGenerator[Piece, None]:
    """Yield the pieces. A request that is refused is sent again with less in it."""
    accepted = profile_of(call.model_name).text
    for form in accepted.candidates():
        asking = replace(call, report_usage=form.report_usage, limit_tokens=form.limit_tokens)
        try:
            async with aclosing(pieces(connection, asking)) as answer:
                async for piece in answer:
                    accepted.accept(form)
                    yield piece
            return
        except errors.RequestRefused:  # before the answer began: nothing was yielded
            if accepted.is_last(form):
                raise


@asynccontextmanager
async def connect() -> AsyncIterator[openai.AsyncOpenAI]:
    """Open a client for the configured endpoint, to be shared by calls of one event loop."""
    if missing := missing_settings():
        raise errors.NotConfigured(", ".join(missing))
    # In a thread: nobody else on this event loop waits for it.
    openai = await asyncio.to_thread(importlib.import_module, "openai")
    wait = max(settings.ARBORIS_LLM_TIMEOUT, settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT)
    async with openai.AsyncOpenAI(
        base_url=settings.ARBORIS_LLM_BASE_URL,
        # Endpoints on one's own machine take any key; the library insists on one.
        api_key=settings.ARBORIS_LLM_API_KEY or "none",
        timeout=openai.Timeout(wait, connect=min(wait, CONNECT_SECONDS)),
        max_retries=0,  # we retry ourselves: every request is admitted and logged
        default_headers={"Accept-Encoding": "identity"},
        # Following a redirect would send the key to another server.
        http_client=openai.DefaultAsyncHttpxClient(
            follow_redirects=False,
            event_hooks={"response": [response_limits.limit_body]},
            verify=_trust(),
        ),
    ) as connection:
        yield connection


@cache
def _trust() -> ssl.SSLContext:
    """Load the trusted certificates, which takes 20 ms: once in the life of a process."""
    return httpx2.create_ssl_context()


async def pieces(
    connection: openai.AsyncOpenAI, call: Call, usage: Usage | None = None
) -> AsyncGenerator[Piece, None]:
    """Yield the answer to one call. Raises LLMError. ``usage`` grows by the tokens used.

    Closing this generator (``aclosing``) ends the request. Until the answer begins, a request that
    is refused for the moment is sent again, as far as the call's time allows it.
    """
    clock = asyncio.get_running_loop().time  # time.monotonic
    ends = clock() + settings.ARBORIS_LLM_TOTAL_TIMEOUT
    retry_until = ends if call.ends is None else min(ends, call.ends)
    profile = profile_of(call.model_name)
    tries, began = 0, False
    while True:
        limit = profile.token_limit if call.limit_tokens else None
        try:
            async with aclosing(_request(connection, call, limit, ends, usage)) as answer:
                async for piece in answer:
                    began = True
                    yield piece
            return
        except errors.LLMError as error:
            if limit is not None and isinstance(error, errors.TokenLimitRefused):
                profile.refuse_token_limit(limit)
                continue
            tries += 1
            left = retry_until - clock()
            wait = None if began else wait_before_retry(error, tries, left)
            if wait is None:
                raise
        await asyncio.sleep(wait)


def wait_before_retry(error: errors.LLMError, tries: int, left: float) -> float | None:
    """Return the seconds to wait before the next try, after ``tries`` of them; None to give up.

    The wait is what the endpoint asks for at least, else exponential with full jitter. It never
    reaches the end of the call, which has ``left`` seconds.
    """
    if tries > settings.ARBORIS_LLM_RETRIES or not error.passes_soon:
        return None
    if error.retry_after is None:
        wait = back_off(tries, BASE_SECONDS, LONGEST_BACKOFF)
    else:  # requests that were refused together must not come back together
        wait = error.retry_after * random.uniform(1, 1.1)
    return wait if wait < min(left, LONGEST_WAIT) else None


async def _request(
    connection: openai.AsyncOpenAI,
    call: Call,
    limit: TokenLimit | None,
    ends: float,
    usage: Usage | None,
) -> AsyncGenerator[Piece, None]:
    """Send one request, once it is admitted. Whatever stops it, its usage is recorded."""
    clock = asyncio.get_running_loop().time
    permit = await admission.current().admit(call.payer, ends)
    started, outcome = clock(), admission.FAILED
    reported, taken = Usage(), ""
    began = False
    try:
        async with aclosing(_chunks(connection, call, limit, ends, permit)) as chunks:
            async for chunk in chunks:
                began = True
                _count_reported(chunk, reported)
                piece = _piece(chunk)
                taken += piece.text
                if len(taken) > response_limits.MAX_REPLY_CHARACTERS:
                    raise errors.TooLarge(f"the answer goes on after {len(taken)} characters")
                yield piece
        outcome = admission.OK
    except errors.LLMError as error:
        outcome = error.code
        raise
    except (asyncio.CancelledError, GeneratorExit):
        outcome = admission.CANCELLED
        raise
    finally:
        # Whatever stopped it, the endpoint charges for what it has read and written.
        if began and not reported.prompt:
            reported.estimate("".join(str(m.get("content")) for m in call.messages), taken)
        if usage is not None:
            usage.add(reported)
        seconds = clock() - started
        record = admission.RequestRecord(call.model_name, reported, outcome, seconds)
        await admission.current().finish(permit, call.payer, record)


async def _chunks(
    connection: openai.AsyncOpenAI,
    call: Call,
    limit: TokenLimit | None,
    ends: float,
    permit: admission.Permit,
) -> AsyncGenerator[ChatCompletionChunk, None]:
    """Yield the library's chunks within the time-outs. Raises LLMError in place of its errors."""
    import openai

    clock = asyncio.get_running_loop().time
    wait = settings.ARBORIS_LLM_TIMEOUT
    first = clock() + (settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT or wait)
    answer = None
    try:
        async with asyncio.timeout_at(min(ends, first)) as permit.waits:
            answer = await _create(connection, call, limit)
            chunk = await anext(answer, None)
        while chunk is not None:
            permit.waits = None
            yield chunk
            if permit.lost:
                break
            async with asyncio.timeout_at(min(ends, clock() + wait)) as permit.waits:
                chunk = await anext(answer, None)
    except openai.OpenAIError as error:
        # Without its cause, which holds the request and with it the key.
        raise typed(error) from None
    except TimeoutError:
        if not permit.lost:
            raise errors.TimedOut("the answer took longer than allowed") from None
    except (ValueError, RecursionError):
        raise errors.BadAnswer("the endpoint's answer is no chat") from None
    finally:
        permit.waits = None
        if answer is not None:
            await answer.close()
    if permit.lost:
        raise errors.Busy("the call slot was lost during the call")


async def _create(
    connection: openai.AsyncOpenAI, call: Call, limit: TokenLimit | None
) -> openai.AsyncStream[ChatCompletionChunk]:
    import openai

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
    """Return the text of a chunk. The library checks none, so any part may be missing."""
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
    """Adopt the endpoint's own count, which comes with the last chunk or grows with each."""
    told = getattr(chunk, "usage", None)
    prompt = getattr(told, "prompt_tokens", None)
    completion = getattr(told, "completion_tokens", None)
    if isinstance(prompt, int) and isinstance(completion, int):
        usage.prompt = min(max(0, prompt), MOST_TOKENS)
        usage.completion = min(max(0, completion), MOST_TOKENS)
