"""Turn what goes wrong at the endpoint into our errors, by its words and its status."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from time import time
from typing import TYPE_CHECKING, Any

from arboris.llm import endpoints, errors, refusals
from arboris.llm.request_body import named_parts

if TYPE_CHECKING:  # see client.py
    import openai

_WORD = re.compile(r"[A-Za-z][\w.-]{1,63}")
# A longer wait is an outage or a mistake, not a rate limit. The queue has pauses of its own.
MAX_RETRY_AFTER_SECONDS = 3600.0

# What each status means where the words say nothing clearer.
_OF_STATUS: dict[int, type[errors.LLMError]] = {
    401: errors.KeyRefused,
    402: errors.NoCredit,
    403: errors.KeyRefused,
    404: errors.ModelUnknown,
    408: errors.TimedOut,
    413: errors.PromptTooLong,
    429: errors.RateLimited,
    503: errors.Overloaded,
    504: errors.TimedOut,
    529: errors.Overloaded,
}
_UNKNOWN = re.compile(r"response_format|json_schema|grammar|guided|not support|unsupported", re.I)
# These say it so exactly that no words count.
_EXACT = {402, 413}


def typed(error: openai.OpenAIError) -> errors.LLMError:
    """Return our error for the library's. Its text never holds the key or the request."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return errors.TimedOut("the endpoint did not answer in time")
    if isinstance(error, openai.APIConnectionError):
        return errors.Unreachable("the endpoint cannot be reached")
    if isinstance(error, openai.APIStatusError):
        wait = retry_after(error.response.headers.get("retry-after"))
        return _by_status(error.status_code, error.body, wait)
    return errors.BadAnswer(f"the endpoint's answer cannot be read ({type(error).__name__})")


def _by_status(status: int, body: Any, wait: float | None) -> errors.LLMError:
    words = refusals.said(body)
    named = _named(body)
    told = f"the endpoint refused: HTTP {status}{f', {named}' if named else ''}"
    kind = None if status in _EXACT else refusals.kind_of(status, words)
    parts = named_parts(words)
    kind = kind or _OF_STATUS.get(status)
    if kind is None:
        failed = status >= 500 and status != 501
        # A server that fails because of what it does not know says so.
        failed = failed and not (parts and _UNKNOWN.search(words))
        kind = errors.ServerFailed if failed else errors.RequestRefused
    error = kind(told, retry_after=wait)
    error.parts = parts
    if isinstance(error, errors.RequestRefused):
        error.of_its_parts = status >= 400  # else it was sent elsewhere
    return error


def in_the_stream(error: Any) -> errors.LLMError:
    """Return our error for what an event of an answer says went wrong."""
    named, words = _named(error), refusals.said(error)
    told = f"the endpoint broke off its answer{f' ({named})' if named else ''}"
    status = error.get("code") if isinstance(error, dict) else None
    status = status if isinstance(status, int) and 400 <= status < 600 else None
    kind = refusals.kind_of(status, words) or _OF_STATUS.get(status or 0)
    parts = named_parts(words)
    if kind is None and (status in (400, 422) or (parts and _UNKNOWN.search(words))):
        kind = errors.RequestRefused
    found = (kind or errors.ServerFailed)(told)
    found.parts = parts
    return found


def _named(body: Any) -> str:
    """Return the endpoint's codes, if they are plain words. Its sentences may quote us."""
    if not isinstance(body, dict):
        return ""
    body = body["error"] if isinstance(body.get("error"), dict) else body
    words = [word for word in (body.get("code"), body.get("type")) if isinstance(word, str)]
    keys = endpoints.keys()
    plain = [word for word in words if _WORD.fullmatch(word) and not any(k in word for k in keys)]
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
