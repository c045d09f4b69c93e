"""What can end an analysis other than success: one place says whether trying again can help.

Each error has a stable ``code`` (stored as error_type), says whether it is ``retryable``, and
carries a sentence for the writer. Adapters raise these; only ``queue.fail`` decides.
"""

from __future__ import annotations

import hashlib
import re

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop


class AnalysisError(Exception):
    """Base of everything that ends an attempt.

    ``detail`` is for operators and the logs; ``sentence`` for the writer, translated when shown.
    ``retry_after`` (seconds) overrides the computed back-off.
    """

    code = "analyzer_error"
    retryable = True
    sentence = gettext_noop("The analysis ran into an unexpected error.")

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
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
