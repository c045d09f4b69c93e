"""The events of a streamed answer, also of servers that are careless about the protocol.

Read by ourselves, because the client library gives up at the first line that is no JSON: a
keep-alive in the data, an answer that is not streamed at all, events without a blank line between.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any

from arboris.llm import errors

DONE = "[DONE]"
_FIELDS = ("event:", "id:", "retry:")


class Done:
    """The end that the endpoint announces."""


Event = dict[str, Any] | Done


async def events(body: AsyncIterator[bytes]) -> AsyncGenerator[Event, None]:
    """Yield the JSON objects of an answer, and ``Done`` where it says that it is over.

    Raises BadAnswer where an event is broken, or where the answer holds none at all.
    """
    reader, any_came = _Reader(), False
    async for line in _lines(body):
        for event in reader.line(line):
            any_came = True
            yield event
    for event in reader.end():
        any_came = True
        yield event
    if not any_came:
        raise errors.BadAnswer("the endpoint's answer is no chat")


async def _lines(body: AsyncIterator[bytes]) -> AsyncIterator[str]:
    parts: list[bytes] = []
    async for piece in body:
        *whole, rest = piece.split(b"\n")
        for line in whole:
            yield b"".join([*parts, line]).decode(errors="replace").strip("\r\ufeff")
            parts = []
        parts.append(rest)
    if last := b"".join(parts):
        yield last.decode(errors="replace").strip("\r\ufeff")


class _Reader:
    """``line`` takes one line at a time, ``end`` is called after the last."""

    def __init__(self) -> None:
        self._data: list[str] = []  # of an event that goes over several lines
        self._plain: list[str] = []  # lines that belong to no event stream

    def line(self, line: str) -> Iterator[Event]:
        if line.startswith("data:"):
            yield from self._add(line[5:].strip())
        elif not line.strip():
            self._data = _given_up(self._data)
        elif line.lstrip()[:1] in ("{", "[") or self._plain:
            value = None if self._plain else _json(line)
            if value is None:
                self._plain.append(line)
            else:
                yield from _objects(value)
        elif not line.startswith((":", *_FIELDS)):
            self._plain.append(line)

    def _add(self, data: str) -> Iterator[Event]:
        if data.strip('"') == DONE:
            yield Done()
            return
        for text in ("\n".join([*self._data, data]), data) if self._data else (data,):
            if (value := _json(text)) is not None:
                self._data = []
                yield from _objects(value)
                return
        self._data.append(data)

    def end(self) -> Iterator[Event]:
        _given_up(self._data)
        if (value := _json("\n".join(self._plain))) is not None:
            yield from _objects(value)


def _given_up(data: list[str]) -> list[str]:
    """Nothing is left of an event that is no JSON, if it never meant to be: a keep-alive."""
    if data and data[0].startswith(("{", "[")):
        raise errors.BadAnswer("the endpoint's answer is no chat")
    return []


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield one
