"""What can go wrong between us and a language model, by kind."""

from __future__ import annotations


class LLMError(Exception):
    """Base: ``code`` is stable, ``retryable`` says whether the same call may work later."""

    code = "llm_error"
    retryable = True

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class NotConfigured(LLMError):
    code = "llm_not_configured"
    retryable = False


class KeyRefused(LLMError):
    code = "llm_key_refused"
    retryable = False


class RateLimited(LLMError):
    code = "llm_rate_limited"


class TimedOut(LLMError):
    code = "llm_timeout"


class Unreachable(LLMError):
    code = "llm_unreachable"


class BadAnswer(LLMError):
    code = "llm_bad_answer"
