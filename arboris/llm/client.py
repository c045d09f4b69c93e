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
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx2
from django.conf import settings

from arboris.backoff import back_off
from arboris.llm import endpoints, errors, response_limits
from arboris.llm.accounting import admission
from arboris.llm.accounting.admission import Payer, Usage
from arboris.llm.chunks import Chunks, Finish, Piece, count_reported, error_in, last_word, opened
from arboris.llm.client_errors import in_the_stream, typed
from arboris.llm.configured import missing_settings
from arboris.llm.endpoint_profile import Trial, profile_of
from arboris.llm.endpoints import Endpoint
from arboris.llm.event_stream import Done, Event, events
from arboris.llm.fallback import Turns
from arboris.llm.request_body import AnswerForm, Effort, build
from arboris.llm.routes import OWN, Route, Target

# Imported by the first call: it takes 0.6 s, and most processes ask no model.
if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletionMessageParam

Message: TypeAlias = "ChatCompletionMessageParam"

CONNECT_SECONDS = 10.0
# Seconds before a request that was refused for the moment is sent again within the same call.
BASE_SECONDS, LONGEST_BACKOFF = 0.5, 8.0
READ_OUT_SECONDS = 0.05
ADDRESSED = {"model", "messages", "stream"}  # what the library wants by name
# A longer wait is left to the queue, where no worker waits along.
LONGEST_WAIT = 30.0


@dataclass(frozen=True, slots=True)
class Call:
    """One question. What is None is left to its route, to the settings or to the endpoint.

    ``route``: None for that of the payer's purpose, as the settings have it.
    ``prompt``: the version of what it says, for the call log.
    """

    messages: list[Message]
    model: str | None = None
    temperature: float | None = None
    form: AnswerForm | None = None
    # How much the model is to think before it answers.
    effort: Effort | None = None
    payer: Payer = field(default_factory=Payer)
    # When the caller's own time is over, by time.monotonic(): no retry waits beyond it.
    ends: float | None = None
    route: Route | None = None
    prompt: str = ""
    # Set by ``Turns``: what is asked now, in whose place, and until when (by time.monotonic()).
    target: Target = OWN
    instead_of: str = ""
    until: float | None = None

    @property
    def model_name(self) -> str:
        return self.model or self.target.model or self.endpoint.model

    @property
    def endpoint(self) -> Endpoint:
        """Raises NotConfigured."""
        return endpoints.named(self.target.endpoint)


async def stream(
    messages: list[Message],
    *,
    model: str | None = None,
    temperature: float | None = None,
    payer: Payer | None = None,
    route: Route | None = None,
    prompt: str = "",
    effort: Effort | None = None,
    until: float | None = None,
) -> AsyncGenerator[str, None]:
    """Yield the pieces of the answer as they arrive. Raises LLMError; CutOff where the endpoint
    allows no longer answer: what came is the beginning of one.

    Until the first one another target of the route may be asked. ``until``: when the caller's time
    is over, by time.monotonic().

    Time limits, in seconds: ``settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT`` for the first piece,
    ``ARBORIS_LLM_TIMEOUT`` for each other, ``ARBORIS_LLM_TOTAL_TIMEOUT`` for the whole answer.
    """
    call = Call(messages, model, temperature, effort=effort, route=route, prompt=prompt)
    turns = Turns(replace(call, payer=payer or Payer()))
    began = False
    async with connect() as connection:
        while True:
            reason: Finish | None = None
            try:
                asked = replace(turns.call, until=until) if until else turns.call
                async with aclosing(pieces(connection, asked)) as answer:
                    async for piece in answer:
                        reason = last_word(reason, piece)
                        if piece.text:
                            began = True
                            yield piece.text
                break
            except errors.LLMError as error:
                if began:
                    raise
                turns.go_on(error)
    _check_end(reason, turns.call)


def _check_end(reason: Finish | None, call: Call) -> None:
    """Raise Truncated or CutOff where an answer that ends so is not whole."""
    if reason is None:
        raise errors.Truncated("the endpoint broke off its answer")
    if reason == "length":
        cut = errors.CutOff("the answer reached the length that the endpoint allows")
        cut.thinks = call.effort != "none"
        raise cut


@asynccontextmanager
async def connect() -> AsyncIterator[openai.AsyncOpenAI]:
    """Open a client, to be shared by calls of one event loop, whichever endpoint they ask."""
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
    is refused for what is in it is sent again with less, and one that is refused for the moment
    as it is, as far as the call's time allows it.
    """
    clock = asyncio.get_running_loop().time  # time.monotonic
    ends = clock() + settings.ARBORIS_LLM_TOTAL_TIMEOUT
    ends = ends if call.until is None else min(ends, call.until)
    retry_until = ends if call.ends is None else min(ends, call.ends)
    connection = _at(connection, call.endpoint)
    trial = Trial(profile_of(call))
    tries, began = 0, False
    while True:
        body, sent = build(call, trial.left_out)
        try:
            async with aclosing(_request(connection, call, body, ends, usage)) as answer:
                async for piece in answer:
                    if not began:
                        began = True
                        trial.accepted()
                    yield piece
            return
        except errors.LLMError as error:
            if not began and trial.refused(error, sent):
                continue
            tries += 1
            left = retry_until - clock()
            wait = None if began else wait_before_retry(error, tries, left)
            if wait is None:
                raise
        await asyncio.sleep(wait)


def _at(connection: openai.AsyncOpenAI, endpoint: Endpoint) -> openai.AsyncOpenAI:
    """The client for that endpoint; it shares the connections, which are kept by address."""
    if endpoint.name == endpoints.DEFAULT:
        return connection
    return connection.with_options(base_url=endpoint.base_url, api_key=endpoint.api_key or "none")


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
    body: dict[str, Any],
    ends: float,
    usage: Usage | None,
) -> AsyncGenerator[Piece, None]:
    """Send one request, once it is admitted. Whatever stops it, its usage is recorded."""
    clock = asyncio.get_running_loop().time
    permit = await admission.current().admit(call.payer, ends, call.endpoint.label)
    started, outcome = clock(), admission.FAILED
    reported, taken, thought = Usage(), "", ""
    began, chunks = False, Chunks()
    try:
        async with aclosing(_events(connection, body, ends, permit)) as answer:
            async for event in answer:
                began = True
                piece = _piece(event, chunks, reported)
                taken += piece.text
                thought += piece.thinking
                if len(taken) + len(thought) > response_limits.MAX_REPLY_CHARACTERS:
                    raise errors.TooLarge(f"the answer goes on after {len(taken)} characters")
                yield piece
                if response_limits.ends_in_blanks(taken):
                    yield Piece("", "length")
                    break
        if rest := chunks.end():
            taken, thought = taken + rest.text, thought + rest.thinking
            yield rest
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
            reported.estimate("".join(str(m.get("content")) for m in call.messages), taken, thought)
        if usage is not None:
            usage.add(reported)
        record = _record(call, reported, outcome, clock() - started)
        await admission.current().finish(permit, call.payer, record)


def _record(call: Call, usage: Usage, outcome: str, seconds: float) -> admission.RequestRecord:
    return admission.RequestRecord(
        call.model_name,
        usage,
        outcome,
        seconds,
        endpoint=call.endpoint.label,
        instead_of=call.instead_of,
        prompt=call.prompt,
    )


def _piece(event: Event, chunks: Chunks, reported: Usage) -> Piece:
    """What the event says; ``reported`` adopts the tokens that it counts. Raises LLMError."""
    if isinstance(event, Done):
        return Piece("", "done")
    event = opened(event)
    if (wrong := error_in(event)) is not None:
        raise in_the_stream(wrong)
    count_reported(event, reported)
    return chunks.piece(event)


async def _events(
    connection: openai.AsyncOpenAI, body: dict[str, Any], ends: float, permit: admission.Permit
) -> AsyncGenerator[Event, None]:
    """Yield the answer's events within the time-outs. Raises LLMError for the library's errors."""
    import openai

    clock = asyncio.get_running_loop().time
    wait = settings.ARBORIS_LLM_TIMEOUT
    first = clock() + (settings.ARBORIS_LLM_FIRST_TOKEN_TIMEOUT or wait)
    try:
        async with AsyncExitStack() as stack:
            async with asyncio.timeout_at(min(ends, first)) as permit.waits:
                answer = await stack.enter_async_context(_answer(connection, body))
                event = await anext(answer, None)
            while event is not None:
                permit.waits = None
                yield event
                if isinstance(event, Done):
                    await _read_out(answer)
                if permit.lost or isinstance(event, Done):
                    break
                async with asyncio.timeout_at(min(ends, clock() + wait)) as permit.waits:
                    event = await anext(answer, None)
    except openai.OpenAIError as error:
        # Without its cause, which holds the request and with it the key.
        raise typed(error) from None
    except httpx2.TimeoutException:
        raise errors.TimedOut("the endpoint did not answer in time") from None
    except httpx2.HTTPError:
        raise errors.Unreachable("the connection to the endpoint broke") from None
    except (ValueError, RecursionError):
        raise errors.BadAnswer("the endpoint's answer is no chat") from None
    except TimeoutError:
        if not permit.lost:
            raise errors.TimedOut("the answer took longer than allowed") from None
    finally:
        permit.waits = None
    if permit.lost:
        raise errors.Busy("the call slot was lost during the call")


async def _read_out(answer: AsyncIterator[Event]) -> None:
    """Read what follows the end, if it is there: only so can the next call use the connection."""
    with suppress(TimeoutError, httpx2.HTTPError, errors.LLMError):
        async with asyncio.timeout(READ_OUT_SECONDS):
            async for _event in answer:
                pass


@asynccontextmanager
async def _answer(
    connection: openai.AsyncOpenAI, body: dict[str, Any]
) -> AsyncIterator[AsyncIterator[Event]]:
    """The events of the answer to one request."""
    opened = connection.chat.completions.with_streaming_response.create(
        model=body["model"],
        messages=body["messages"],
        stream=body.get("stream", False),
        extra_body={name: value for name, value in body.items() if name not in ADDRESSED},
    )
    async with (
        opened as response,
        aclosing(response.iter_bytes()) as parts,
        aclosing(events(parts)) as answer,
    ):
        yield answer
