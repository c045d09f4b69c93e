"""What can go wrong between us and a language model, by kind."""

from __future__ import annotations

from datetime import datetime
from typing import Literal


class LLMError(Exception):
    """Base: ``code`` is stable, ``retryable`` says whether the same call may work later.

    The text is for operators and may be shown: it never holds a key, a request or an answer.
    """

    code = "llm_error"
    retryable = True

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after  # seconds that the endpoint asks to wait


class NotConfigured(LLMError):
    code = "llm_not_configured"
    retryable = False


class KeyRefused(LLMError):
    code = "llm_key_refused"
    retryable = False


class NoCredit(LLMError):
    """The account behind the key is empty."""

    code = "llm_no_credit"
    retryable = False


class ModelUnknown(LLMError):
    """No such model, or no such address, at the endpoint."""

    code = "llm_model_unknown"
    retryable = False


class RequestRefused(LLMError):
    """The endpoint will not take the request as it is, now or later."""

    code = "llm_request_refused"
    retryable = False


class LimitRefused(RequestRefused):
    """The request named the most tokens of its answer in a way that the endpoint does not take."""


class PromptTooLong(RequestRefused):
    code = "llm_prompt_too_long"


class Filtered(LLMError):
    """A content filter or the model itself refused to answer."""

    code = "llm_filtered"
    retryable = False


class RateLimited(LLMError):
    code = "llm_rate_limited"


class Overloaded(LLMError):
    code = "llm_overloaded"


class ServerFailed(LLMError):
    code = "llm_server_error"


class TimedOut(LLMError):
    code = "llm_timeout"


class Unreachable(LLMError):
    code = "llm_unreachable"


class BadAnswer(LLMError):
    """What came back cannot be read, or is not what was asked for."""

    code = "llm_bad_answer"


class Empty(BadAnswer):
    code = "llm_empty"


class Truncated(BadAnswer):
    """The answer ends in the middle, beyond repair."""

    code = "llm_truncated"


class TooLarge(BadAnswer):
    """The answer went on past every sensible size and was cut off by us."""

    code = "llm_too_large"


class Busy(LLMError):
    """All places for calls at the endpoint were taken for as long as the call might wait."""

    code = "llm_busy"


class OverBudget(LLMError):
    """The month's budget of the novel or its writer is used up; ``until`` is when the next begins."""

    code = "over_budget"
    retryable = False

    def __init__(
        self, detail: str, *, scope: Literal["project", "writer"], until: datetime
    ) -> None:
        super().__init__(detail)
        self.scope = scope
        self.until = until
