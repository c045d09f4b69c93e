"""Everything that can go wrong between us and a language model, one class a kind.

A class says all there is to say about its kind: see ``arboris.errors.ServiceError``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.utils.translation import gettext_noop

from arboris.errors import ServiceError


class LLMError(ServiceError):
    """Base class; every error that is raised is of a class below.

    ``parts``: of the request, which the endpoint's words name; see ``request_body``.
    """

    of_endpoint = True
    parts: frozenset[str] = frozenset()
    # Another model or endpoint may well do it: the next one of the route is asked.
    elsewhere = False


class NotConfigured(LLMError):
    code = "llm_not_configured"
    elsewhere = True
    retryable = False
    sentence = gettext_noop("No language model is configured.")


class KeyRefused(LLMError):
    code = "llm_key_refused"
    elsewhere = True
    refuses_us = True
    sentence = gettext_noop("The language model refused our key.")


class NoCredit(LLMError):
    """The account behind the key is empty."""

    code = "llm_no_credit"
    elsewhere = True
    refuses_us = True
    sentence = gettext_noop("The account for the language model is empty.")


class ModelUnknown(LLMError):
    """The endpoint has no such model, or no such address."""

    code = "llm_model_unknown"
    elsewhere = True
    retryable = False
    sentence = gettext_noop("The chosen language model does not exist.")


class RequestRefused(LLMError):
    """The endpoint does not take the request as it is, now or later.

    ``of_its_parts``: with less in it, it may.
    """

    code = "llm_request_refused"
    elsewhere = True
    of_its_parts = True
    retryable = False
    answers_us = True
    one_answer = True
    sentence = gettext_noop("The language model refused the request.")


class PromptTooLong(LLMError):
    code = "llm_prompt_too_long"
    one_answer = True
    retryable = False
    answers_us = True
    sentence = gettext_noop("The text is too long for the language model.")


class Filtered(LLMError):
    """A content filter or the model itself refused to answer."""

    code = "llm_filtered"
    one_answer = True
    retryable = False
    answers_us = True
    sentence = gettext_noop("The language model declined to answer.")


class RateLimited(LLMError):
    code = "llm_rate_limited"
    elsewhere = True
    passes_soon = True
    answers_us = True
    sentence = gettext_noop("The language model was asked too often.")


class Overloaded(LLMError):
    code = "llm_overloaded"
    elsewhere = True
    passes_soon = True
    sentence = gettext_noop("The language model is overloaded.")


class ServerFailed(LLMError):
    code = "llm_server_error"
    elsewhere = True
    passes_soon = True
    sentence = gettext_noop("The language model's server failed.")


class TimedOut(LLMError):
    code = "llm_timeout"
    elsewhere = True
    sentence = gettext_noop("The language model did not answer in time.")


class Unreachable(LLMError):
    code = "llm_unreachable"
    elsewhere = True
    passes_soon = True
    sentence = gettext_noop("The language model cannot be reached.")


class BadAnswer(LLMError):
    """The answer cannot be read, or is not what was asked for."""

    code = "llm_bad_answer"
    one_answer = True
    answers_us = True
    sentence = gettext_noop("The language model gave an answer that cannot be used.")


class Empty(BadAnswer):
    code = "llm_empty"
    sentence = gettext_noop("The language model gave an empty answer.")


class Truncated(BadAnswer):
    """The answer ends in the middle, beyond repair."""

    code = "llm_truncated"
    sentence = gettext_noop("The language model's answer broke off.")


class CutOff(Truncated):
    """The answer reached its greatest length; the same question would be cut off again.

    ``thinks``: less thinking would leave more room for the answer.
    """

    retryable = False
    thinks = False


class TooLarge(BadAnswer):
    """The answer was larger than any answer may be, and we stopped reading it."""

    code = "llm_too_large"
    sentence = gettext_noop("The language model's answer would not end.")


class Busy(LLMError):
    """Every call slot of the endpoint was taken for as long as the call could wait."""

    code = "llm_busy"
    sentence = gettext_noop("The language model is busy with other chapters.")


class OverBudget(LLMError):
    """The month's budget of the novel or of its writer (``scope``) is used up.

    ``until``: when the next month begins, where whoever raises it says so.
    """

    code = "over_budget"
    parks = True
    sentence = gettext_noop("The month's budget for the language model is used up.")

    def __init__(
        self,
        detail: str = "",
        *,
        scope: Literal["project", "writer"] = "project",
        until: datetime | None = None,
    ) -> None:
        super().__init__(detail)
        self.scope = scope
        self.until = until
