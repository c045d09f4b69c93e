"""JSON objects out of what models write around, before and in the middle of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_FENCED = re.compile(r"```[\w-]*[ \t]*\n(.*?)```", re.DOTALL)
_DECODER = json.JSONDecoder(strict=False)  # models put bare line breaks into strings
# Each start that leads nowhere may cost a reading of the whole rest.
_STARTS = 10


@dataclass(frozen=True, slots=True)
class Found:
    value: dict[str, Any]
    repaired: bool = False  # the end was missing: only what was complete is left


def objects(answer: str) -> Iterator[Found]:
    """JSON objects in an answer, the likeliest first; none if there is nothing to be read."""
    text = without_thoughts(answer)
    for block in _FENCED.findall(text):
        yield from _whole(block)
    yield from _whole(text)
    start = text.find("{")
    if start >= 0 and (value := _closed(text[start:])) is not None:
        yield Found(value, repaired=True)


def without_thoughts(answer: str) -> str:
    """The answer after a reasoning model's <think> block, whose start the endpoint may withhold."""
    text = answer.strip()
    if text.startswith(("{", "```")):
        return text
    _, ended, rest = text.rpartition("</think>")
    if ended:
        return rest.strip()
    return "" if text.startswith("<think>") else text


def _whole(text: str) -> Iterator[Found]:
    start, tries = text.find("{"), 0
    while start >= 0 and tries < _STARTS:
        tries += 1
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            start = text.find("{", start + 1)
            continue
        yield Found(value)
        start = text.find("{", end)


def open_ended(answer: str) -> bool:
    """Whether the object in the answer still had brackets or a string open when it ended."""
    text = without_thoughts(answer)
    start = text.find("{")
    return start >= 0 and bool(_scan(text[start:])[1])


def flaw(answer: str) -> str:
    """What keeps the first object in the answer from being read; empty if nothing does."""
    text = without_thoughts(answer)
    start = text.find("{")
    if start < 0:
        return "there is no JSON object in it"
    try:
        _DECODER.raw_decode(text, start)
    except RecursionError:
        return "the JSON is nested too deeply"
    except json.JSONDecodeError as error:
        return f"the JSON is broken: {error}"  # says where, not what
    except ValueError:
        return "the JSON holds a number that is too long"
    return ""


def _closed(text: str) -> dict[str, Any] | None:
    """A cut-off object up to its last complete inner object, with the open brackets closed."""
    end, still_open, depth = _scan(text)
    if not end or not still_open:
        return None  # nothing is complete, or nothing was cut off: it is broken in another way
    closers = "".join("}" if bracket == "{" else "]" for bracket in still_open[:depth][::-1])
    try:
        value = json.loads(text[:end] + closers, strict=False)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _scan(text: str) -> tuple[int, list[str], int]:
    """Where the last inner object or list ends, the brackets open at the very end, and how many
    of these were open there."""
    stack: list[str] = []
    in_string = escaped = False
    end = depth = 0
    for place, character in enumerate(text):
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "{[":
            stack.append(character)
        elif character in "}]" and stack:
            stack.pop()
            end, depth = place + 1, len(stack)
            if not stack:
                break  # whatever follows the object is talk
    return end, stack, depth
