"""The program's log: one line an event, plain or as JSON, with what it belongs to.

What a piece of work belongs to (a request, an analysis) is bound with ``bound`` and stands in every
line that is written meanwhile, whoever writes it. Chapter texts and keys have no place in a log.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import uuid
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

FORMATS = ["plain", "json"]
LONGEST_ID = 64
_ID = re.compile(rf"[A-Za-z0-9._-]{{1,{LONGEST_ID}}}")
_bound: ContextVar[Mapping[str, Any] | None] = ContextVar("log_fields", default=None)


@contextlib.contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """Every line meanwhile carries these fields; what is None or empty is left out."""
    token = _bound.set({**(_bound.get() or {}), **_filled(fields)})
    try:
        yield
    finally:
        _bound.reset(token)


def request_id() -> str:
    """The id of the request that is worked on, at most LONGEST_ID characters; "" outside of one."""
    return str((_bound.get() or {}).get("request", ""))


def id_of(given: str | None) -> str:
    """The id that a caller or a proxy gave to a request (X-Request-ID), or a new one."""
    return given if given and _ID.fullmatch(given) else uuid.uuid4().hex


def event(log: logging.Logger, level: int, message: str, **fields: Any) -> None:
    """Write one line: ``message`` is constant, what differs stands in the fields."""
    log.log(level, message, extra={"fields": _filled(fields)}, stacklevel=2)


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "")}


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {**(_bound.get() or {}), **getattr(record, "fields", {})}


class Plain(logging.Formatter):
    """``time LEVEL logger message name=value …``; a traceback follows."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={_word(value)}" for name, value in _fields(record).items())
        return super().formatMessage(record) + fields


def _word(value: Any) -> str:
    text = str(value)
    return text if re.fullmatch(r"[^\s\"=]+", text) else json.dumps(text, ensure_ascii=False)


class Json(logging.Formatter):
    """One JSON object a line; ``time`` in UTC, a traceback as ``exception``."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
