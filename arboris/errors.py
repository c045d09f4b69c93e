"""The base of errors that say themselves what the queue, the API and the writer do with them.

Whoever handles one reads its attributes and never asks for its class: a new error is its class,
with its sentence, and the translations of that.
"""

from __future__ import annotations

from arboris.storable import storable


class ServiceError(Exception):
    """An error with a stable ``code`` (stored as error_type, sent as ``code`` by the API).

    ``sentence`` is for the writer: marked with gettext_noop, translated when it is shown.
    ``str(error)`` is for operators and the logs; it holds no key, no request and no answer.
    ``retry_after``: seconds to wait at least before the next try, as the other side asks; or None.
    """

    code: str
    sentence: str
    # Whether the same work may succeed later.
    retryable = True
    # Whether another try within the same call, seconds later, may succeed.
    passes_soon = False
    # The endpoint takes no request of ours at all: it is paused, and the task keeps its retries.
    refuses_us = False
    # The endpoint has accepted our key and answered, whatever is wrong with this task.
    answers_us = False
    # It is about one answer alone: what other questions about the same text found can be kept.
    one_answer = False
    # There is no money for the work this month: the task waits, and keeps its retries.
    parks = False
    # Its detail is whatever a library or an analyzer said: it may quote the text it was given.
    may_quote = False
    # It is an endpoint's doing: the same words from another one have another cause.
    of_endpoint = False
    # What those of one cause have in common where their details read differently; see
    # ``analysis.errors.fingerprint``.
    cause = ""

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        # What a model or an endpoint said may stand in it.
        super().__init__(storable(detail) or self.sentence)
        self.retry_after = retry_after
