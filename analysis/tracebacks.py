"""Where an error was raised, in lines of code alone: no message, for that may hold anything.

A library's message may quote what it was given: a request, an answer, a chapter.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

LONGEST = 8_000  # characters; the end is kept, where the error was raised
_LIBRARIES = ("/site-packages/", "/dist-packages/")


def text_of(error: BaseException) -> str:
    """The calls that led to it and to what caused it, oldest first, as Python writes them."""
    parts = []
    for one in reversed(list(_chain(error))):
        frames = [
            f"  {_short(frame.filename)}:{frame.lineno} {frame.name}: {frame.line or ''}".rstrip()
            for frame in traceback.extract_tb(one.__traceback__)
        ]
        kind = type(one)
        parts.append("\n".join([*frames, f"{kind.__module__}.{kind.__qualname__}"]))
    text = "\n".join(parts)
    return text if len(text) <= LONGEST else f"…{text[-LONGEST:]}"


def place(error: BaseException) -> str:
    """The innermost function of ours that it came through, which stays where lines are moved."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if not _is_foreign(frame.filename)]
    for last in [*frames[-1:], *ours[-1:]][-1:]:
        return f"{_short(last.filename)} {last.name}"
    return ""  # it was never raised


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it was raised from; never one twice."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _is_foreign(filename: str) -> bool:
    inside = Path(filename).is_relative_to(settings.BASE_DIR)
    return not inside or any(part in filename for part in _LIBRARIES)


def _short(filename: str) -> str:
    """From the project's or the library's directory on."""
    for part in _LIBRARIES:
        if part in filename:
            return filename.rsplit(part, 1)[1]
    path = Path(filename)
    if path.is_relative_to(settings.BASE_DIR):
        return str(path.relative_to(settings.BASE_DIR))
    return path.name
