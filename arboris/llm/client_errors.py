"""Turn the client library's errors into ours, by status and by the endpoint's own code."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from time import time
from typing import TYPE_CHECKING

from django.conf import settings

from arboris.llm import errors

if TYPE_CHECKING:  # see client.py
    import openai

_NO_CREDIT = re.compile(r"quota|balance|billing|credit|payment", re.IGNORECASE)
# Many endpoints say this only in their sentence.
_TOO_LONG = re.compile(r"context.{0,10}(length|size|window)|too_long|too_large", re.IGNORECASE)
_FILTERED = re.compile(r"content_filter|content_policy|moderation|data_inspection", re.IGNORECASE)
_LIMIT = re.compile(r"max_(completion_)?tokens")
_WORD = re.compile(r"[A-Za-z][\w.-]{1,63}")
# A longer wait is an outage or a mistake, not a rate limit. The queue has pauses of its own.
MAX_RETRY_AFTER_SECONDS = 3600.0


def typed(error: openai.OpenAIError) -> errors.LLMError:
    """Return our error for the library's. Its text never holds the key or the request."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return errors.TimedOut("the endpoint did not answer in time")
    if isinstance(error, openai.APIConnectionError):
        return errors.Unreachable("the endpoint cannot be reached")
    if isinstance(error, openai.APIStatusError):
        return _by_status(error)
    if isinstance(error, openai.APIError):
        return _in_the_stream(error)
    return errors.BadAnswer(f"the endpoint's answer cannot be read ({type(error).__name__})")


def _by_status(error: openai.APIStatusError) -> errors.LLMError:
    status, named = error.status_code, _named(error)
    said = f"HTTP {status}{f', {named}' if named else ''}"
    wait = retry_after(error.response.headers.get("retry-after"))
    if kind := _by_name(named, error.message, status):
        return kind(f"the endpoint refused: {said}")
    if status in (401, 403):
        return errors.KeyRefused(f"the endpoint refused the key ({said})")
    if status == 429:
        return errors.RateLimited(f"the endpoint asks to wait ({said})", retry_after=wait)
    if status in (503, 529):
        return errors.Overloaded(f"the endpoint is overloaded ({said})", retry_after=wait)
    if status in (408, 504):
        return errors.TimedOut(f"the endpoint gave up waiting ({said})", retry_after=wait)
    if status == 404:
        return errors.ModelUnknown(f"the endpoint does not know the model ({said})")
    if status >= 500 and status != 501:
        return errors.ServerFailed(f"the endpoint failed ({said})", retry_after=wait)
    refused = errors.TokenLimitRefused if _refuses_token_limit(error) else errors.RequestRefused
    return refused(f"the endpoint refused the request ({said})")


def _refuses_token_limit(error: openai.APIStatusError) -> bool:
    """Whether the endpoint refuses the token limit: then it names the parameter."""
    return bool(_LIMIT.search(f"{error.param} {error.message}"))


def _by_name(named: str, message: str, status: int) -> type[errors.LLMError] | None:
    """Return the class that the endpoint's own code names more exactly than the status does."""
    if status == 402 or (status in (403, 429) and _NO_CREDIT.search(named)):
        return errors.NoCredit
    if status == 413 or (status in (400, 422) and _TOO_LONG.search(f"{named} {message}")):
        return errors.PromptTooLong
    if status in (400, 403, 422) and _FILTERED.search(named):
        return errors.Filtered
    return None


def _in_the_stream(error: openai.APIError) -> errors.LLMError:
    """Return our error for an error event in the middle of an answer, which has no status."""
    named = _named(error)
    said = f"the endpoint broke off its answer{f' ({named})' if named else ''}"
    if _NO_CREDIT.search(named):
        return errors.NoCredit(said)
    if "rate_limit" in named:
        return errors.RateLimited(said)
    if "overloaded" in named:
        return errors.Overloaded(said)
    if _FILTERED.search(named):
        return errors.Filtered(said)
    return errors.ServerFailed(said)


def _named(error: openai.APIError) -> str:
    """Return the endpoint's codes, if they are plain words. Its sentences may quote us."""
    words = [word for word in (error.code, error.type) if isinstance(word, str)]
    key = settings.ARBORIS_LLM_API_KEY
    plain = [word for word in words if _WORD.fullmatch(word) and not (key and key in word)]
    return " ".join(dict.fromkeys(plain))


def retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header (number or date), 0 to MAX_RETRY_AFTER_SECONDS."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time()
        except ValueError:
            return None
    if seconds != seconds:  # NaN
        return None
    return min(max(0.0, seconds), MAX_RETRY_AFTER_SECONDS)
