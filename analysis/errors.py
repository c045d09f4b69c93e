"""What can end an analysis other than success: one place says whether trying again can help.

Each error has a stable ``code`` (stored as error_type), says whether it is ``retryable``, and
carries a sentence for the writer. Adapters raise these; only ``queue.fail`` decides.
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from arboris.novels.text import storable


class AnalysisError(Exception):
    """Base of everything that ends an attempt.

    ``detail`` is for operators and the logs; ``sentence`` for the writer, translated when shown.
    ``retry_after`` (seconds) overrides the computed back-off. ``refuses_us``: the endpoint will
    take no task at all, so it is paused and the task keeps its retries. ``answers_us``: whatever
    is wrong with this task, the endpoint has read our key and answered. ``parks``: there is no
    money for it this month, so it waits and keeps its retries.
    """

    code = "analyzer_error"
    retryable = True
    refuses_us = False
    answers_us = False
    parks = False
    sentence = gettext_noop("The analysis ran into an unexpected error.")

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        detail = storable(detail)  # it may quote what a model or an endpoint said
        super().__init__(detail or self.sentence)
        self.detail = detail
        self.retry_after = retry_after


class AnalyzerFailed(AnalysisError):
    """An analyzer raised something that nobody foresaw."""


class ProcessingTimeout(AnalysisError):
    code = "timeout"
    retryable = False
    sentence = gettext_noop("The analysis took longer than allowed.")


class WorkerLost(AnalysisError):
    code = "worker_lost"
    sentence = gettext_noop("The worker that ran the analysis has died.")


class InvalidResult(AnalysisError):
    code = "invalid_result"
    sentence = gettext_noop("The analyzer gave an answer that cannot be used.")


class AnalyzerUnavailable(AnalysisError):
    code = "analyzer_unavailable"
    retryable = False
    sentence = gettext_noop("The configured analyzer cannot be used.")


class LLMNotConfigured(AnalysisError):
    code = "llm_not_configured"
    retryable = False
    sentence = gettext_noop("No language model is configured.")


class LLMKeyRefused(AnalysisError):
    code = "llm_key_refused"
    refuses_us = True
    sentence = gettext_noop("The language model refused our key.")


class LLMNoCredit(AnalysisError):
    code = "llm_no_credit"
    refuses_us = True
    sentence = gettext_noop("The account for the language model is empty.")


class LLMModelUnknown(AnalysisError):
    code = "llm_model_unknown"
    retryable = False
    sentence = gettext_noop("The chosen language model does not exist.")


class LLMRequestRefused(AnalysisError):
    code = "llm_request_refused"
    retryable = False
    answers_us = True
    sentence = gettext_noop("The language model refused the request.")


class LLMPromptTooLong(LLMRequestRefused):
    code = "llm_prompt_too_long"
    sentence = gettext_noop("The chapter's pieces are too long for the language model.")


class LLMFiltered(AnalysisError):
    code = "llm_filtered"
    retryable = False
    answers_us = True
    sentence = gettext_noop("The language model declined to read this chapter.")


class LLMRateLimited(AnalysisError):
    code = "llm_rate_limited"
    answers_us = True
    sentence = gettext_noop("The language model was asked too often.")


class LLMOverloaded(AnalysisError):
    code = "llm_overloaded"
    sentence = gettext_noop("The language model is overloaded.")


class LLMServerFailed(AnalysisError):
    code = "llm_server_error"
    sentence = gettext_noop("The language model's server failed.")


class LLMTimedOut(AnalysisError):
    code = "llm_timeout"
    sentence = gettext_noop("The language model did not answer in time.")


class LLMUnreachable(AnalysisError):
    code = "llm_unreachable"
    sentence = gettext_noop("The language model cannot be reached.")


class LLMBadAnswer(InvalidResult):
    code = "llm_bad_answer"
    answers_us = True
    sentence = gettext_noop("The language model gave an answer that cannot be used.")


class LLMEmpty(LLMBadAnswer):
    code = "llm_empty"
    sentence = gettext_noop("The language model gave an empty answer.")


class LLMTruncated(LLMBadAnswer):
    code = "llm_truncated"
    sentence = gettext_noop("The language model's answer broke off.")


class LLMTooLarge(LLMBadAnswer):
    code = "llm_too_large"
    sentence = gettext_noop("The language model's answer would not end.")


class LLMBusy(AnalysisError):
    code = "llm_busy"
    sentence = gettext_noop("The language model is busy with other chapters.")


class OverBudget(AnalysisError):
    """A novel's or its writer's, as ``scope`` says."""

    code = "over_budget"
    parks = True
    sentence = gettext_noop("The month's budget for the language model is used up.")

    def __init__(
        self, detail: str = "", *, scope: Literal["project", "writer"] = "project"
    ) -> None:
        super().__init__(detail)
        self.scope = scope


class LeaseLost(Exception):
    """The task is no longer this worker's (cancelled, superseded, rescued): drop the work."""


class QueueConflict(Exception):
    """The task is in a state that does not allow what was asked (HTTP 409)."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


ERRORS: dict[str, type[AnalysisError]] = {
    kind.code: kind
    for kind in (
        AnalyzerFailed,
        ProcessingTimeout,
        WorkerLost,
        InvalidResult,
        AnalyzerUnavailable,
        LLMNotConfigured,
        LLMKeyRefused,
        LLMNoCredit,
        LLMModelUnknown,
        LLMRequestRefused,
        LLMPromptTooLong,
        LLMFiltered,
        LLMRateLimited,
        LLMOverloaded,
        LLMServerFailed,
        LLMTimedOut,
        LLMUnreachable,
        LLMBadAnswer,
        LLMEmpty,
        LLMTruncated,
        LLMTooLarge,
        LLMBusy,
        OverBudget,
    )
}
SUPERSEDED = "superseded"


def sentence_for(code: str) -> str:
    """What the writer reads about an error code, in the active language."""
    if code == SUPERSEDED:
        return str(_("A newer version of the chapter replaced this one."))
    return str(_(ERRORS.get(code, AnalysisError).sentence))


def fingerprint(code: str, detail: str) -> str:
    """16 hex digits, alike for errors that differ only in numbers, ids and quoted values."""
    plain = re.sub(r"0x[0-9a-f]+|\d+|'[^']*'|\"[^\"]*\"", "#", detail.lower())
    return hashlib.sha256(f"{code}:{plain}".encode()).hexdigest()[:16]
