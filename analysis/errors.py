"""What can end an analysis other than success: errors of the analysis, and those of the model.

Analyzers raise them, and the queue alone decides by their attributes
(``arboris.errors.ServiceError``) what becomes of the task.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from arboris.errors import ServiceError
from arboris.llm.errors import LLMError


class AnalysisError(ServiceError):
    """Base class of the errors that the analysis itself raises."""


class AnalyzerFailed(AnalysisError):
    """An analyzer raised something that nobody foresaw."""

    code = "analyzer_error"
    may_quote = True
    sentence = gettext_noop("The analysis ran into an unexpected error.")


class ProcessingTimeout(AnalysisError):
    code = "timeout"
    retryable = False
    sentence = gettext_noop("The analysis took longer than allowed.")


class WorkerLost(AnalysisError):
    code = "worker_lost"
    cause = "lease"  # whichever worker it was
    sentence = gettext_noop("The worker that ran the analysis has died.")


class InvalidResult(AnalysisError):
    code = "invalid_result"
    may_quote = True
    sentence = gettext_noop("The analyzer gave an answer that cannot be used.")


class AnalyzerUnavailable(AnalysisError):
    code = "analyzer_unavailable"
    retryable = False
    sentence = gettext_noop("The configured analyzer cannot be used.")


class LeaseLost(Exception):
    """The task is no longer this worker's (cancelled, superseded, rescued): drop the work."""


# Why a task is left as it is, by code.
CONFLICTS = {
    "not_retryable": gettext_noop("Only a failed or cancelled analysis can be retried."),
    "in_trash": gettext_noop("The chapter is in the trash."),
    "text_changed": gettext_noop("The chapter has a newer text; this analysis is out of date."),
    "already_queued": gettext_noop("The chapter is already being analysed."),
    "already_ended": gettext_noop("This analysis has already ended."),
    "not_pending": gettext_noop("Only a pending analysis can be reordered."),
    "not_found": gettext_noop("There is no such analysis."),
}


class QueueConflict(Exception):
    """The task is in a state that does not allow what was asked (HTTP 409)."""

    def __init__(self, code: str, sentence: str = "") -> None:
        """``sentence``: where it is not the code's own."""
        super().__init__(sentence or str(_(CONFLICTS[code])))
        self.code = code


SUPERSEDED = "superseded"


def _kinds(base: type[ServiceError]) -> Iterator[type[ServiceError]]:
    for kind in base.__subclasses__():
        if "code" in vars(kind):
            yield kind
        yield from _kinds(kind)


# Every error that can end an attempt, by its code.
ERRORS: dict[str, type[ServiceError]] = {
    kind.code: kind for base in (AnalysisError, LLMError) for kind in _kinds(base)
}


def sentence_for(code: str) -> str:
    """What the writer reads about an error code, in the active language."""
    if code == SUPERSEDED:
        return str(_("A newer version of the chapter replaced this one."))
    return str(_(ERRORS.get(code, AnalyzerFailed).sentence))


# Codes whose details never hold words of a text.
PLAIN = (SUPERSEDED, *(code for code, kind in ERRORS.items() if not kind.may_quote))
_KIND = re.compile(r"\w+(?:Error|Exception)(?=: )", re.ASCII)


def without_text(code: str, detail: str) -> str:
    """The detail of an error for those who may not read texts.

    Where it may quote one, our own sentence stands for it, after the name of Python's class.
    """
    if not detail or code in PLAIN:
        return detail
    kind = _KIND.match(detail)
    return ": ".join([*([kind[0]] if kind else []), sentence_for(code)])


# What differs from one error to the next of the same cause: quoted values, ids, addresses, numbers.
_VALUES = re.compile(
    r"(\bhttp \d{3}\b)|(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"|“[^”]*”|「[^」]*」|《[^》]*》"
    r"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\b0x[0-9a-f]+|\b(?=[a-f]*\d)[0-9a-f]{8,}\b"
    r"|\d+(?:[.,]\d+)*"
)


def fingerprint(error: ServiceError, endpoint: str = "") -> str:
    """16 hex digits, alike for errors of one cause: those of a code that differ only in values.

    A status of HTTP is none of those. What endpoints do goes by the ``endpoint``, too.
    """
    where = endpoint if error.of_endpoint else ""
    return _hashed(error.code, where, error.cause or str(error))


def fingerprint_of_row(code: str, detail: str, endpoint: str) -> str:
    """The same for an error of which nothing is left but what its row says."""
    kind = ERRORS.get(code)
    where = endpoint if kind is not None and kind.of_endpoint else ""
    return _hashed(code, where, (kind.cause if kind else "") or detail)


def _hashed(code: str, where: str, detail: str) -> str:
    plain = _VALUES.sub(lambda found: found[1] or "#", detail[:4000].lower())
    return hashlib.sha256(f"{code}:{where}:{plain}".encode()).hexdigest()[:16]
