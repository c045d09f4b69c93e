"""A chat with any OpenAI-compatible endpoint, streamed, with typed errors.

The official client library does the protocol; this module holds the settings, the bounds and
the translation of errors.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import openai
from django.conf import settings
from openai.types.chat import ChatCompletionMessageParam

from arboris.llm import errors

Message = ChatCompletionMessageParam


def missing_settings() -> list[str]:
    """Names of the settings without which no model can be asked."""
    needed = ("ARBORIS_LLM_BASE_URL", "ARBORIS_LLM_MODEL")
    return [name for name in needed if not getattr(settings, name)]


async def stream(
    messages: list[Message], *, model: str | None = None, temperature: float | None = None
) -> AsyncIterator[str]:
    """Pieces of the answer as they arrive; raises an ``LLMError`` of the fitting kind.

    ``settings.ARBORIS_LLM_TIMEOUT`` (seconds) bounds the wait for each piece.
    """
    if missing := missing_settings():
        raise errors.NotConfigured(", ".join(missing))
    client = openai.AsyncOpenAI(
        base_url=settings.ARBORIS_LLM_BASE_URL,
        # Endpoints on one's own machine take any key; the library insists on one.
        api_key=settings.ARBORIS_LLM_API_KEY or "none",
        timeout=settings.ARBORIS_LLM_TIMEOUT,
        max_retries=1,
    )
    try:
        async with client:
            answer = await client.chat.completions.create(
                model=model or settings.ARBORIS_LLM_MODEL,
                messages=messages,
                temperature=openai.omit if temperature is None else temperature,
                stream=True,
            )
            ended = False
            async for chunk in answer:
                for choice in chunk.choices:
                    if choice.delta.content:
                        yield choice.delta.content
                    ended = ended or choice.finish_reason is not None
    except openai.OpenAIError as error:
        raise typed(error) from error
    except ValueError as error:  # the library lets an event that is no JSON through
        raise errors.BadAnswer("the endpoint's answer cannot be read") from error
    if not ended:  # a connection that just closes looks like an end
        raise errors.BadAnswer("the endpoint's answer broke off")


def typed(error: openai.OpenAIError) -> errors.LLMError:
    """The library's error as ours; never with the key or the request in its text."""
    if isinstance(error, openai.APITimeoutError):
        return errors.TimedOut("the endpoint did not answer in time")
    if isinstance(error, openai.APIConnectionError):
        return errors.Unreachable("the endpoint cannot be reached")
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return errors.KeyRefused(f"the endpoint refused the key (HTTP {error.status_code})")
    if isinstance(error, openai.RateLimitError):
        return errors.RateLimited(
            "the endpoint asks to wait", retry_after=_seconds(error.response.headers)
        )
    if isinstance(error, openai.APIStatusError):
        return errors.BadAnswer(f"the endpoint answered HTTP {error.status_code}")
    return errors.BadAnswer(f"the endpoint's answer cannot be read ({type(error).__name__})")


def _seconds(headers: object) -> float | None:
    value = getattr(headers, "get", lambda _: None)("retry-after")
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None
