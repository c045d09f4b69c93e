"""Find JSON objects in what models write: between thoughts, fences and talk, or cut off."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from arboris.llm.thoughts import without_thoughts

_FENCED = re.compile(r"```[\w-]*[ \t]*\n(.*?)```", re.DOTALL)
_DECODER = json.JSONDecoder(strict=False)  # models put bare line breaks into strings
# Each start that leads nowhere may cost a reading of all the rest.
_MOST_STARTS = 10
# A string, also one without its end, or a bracket.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[][{}]', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class Found:
    value: dict[str, Any]
    cut_off: bool = False  # its end was missing; ``value`` holds only what was complete


def objects(answer: str) -> Iterator[Found]:
    """Yield the JSON objects in an answer, the likeliest first."""
    text = without_thoughts(answer)
    for block in _FENCED.findall(text):
        yield from _whole(block)
    yield from _whole(text)
    if (value := _complete_part(text)) is not None:
        yield Found(value, cut_off=True)


def _whole(text: str) -> Iterator[Found]:
    start, tries = text.find("{"), 0
    while start >= 0 and tries < _MOST_STARTS:
        tries += 1
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            start = text.find("{", start + 1)
            continue
        yield Found(value)
        start = text.find("{", end)


def ends_open(answer: str) -> bool:
    """Whether the first object in the answer has no end."""
    return _last_closer(without_thoughts(answer))[1]


def flaw(answer: str) -> str:
    """Why the first object in the answer cannot be read; empty where it can."""
    text = without_thoughts(answer)
    start = text.find("{")
    if start < 0:
        return "there is no JSON object in it"
    match _error(text[start:]):
        case None:
            return ""
        case RecursionError():
            return "the JSON is nested too deeply"
        case json.JSONDecodeError() as error:
            return f"the JSON is broken: {error}"  # says where, not what
        case _:
            return "the JSON holds a number that is too long"


def _error(text: str) -> Exception | None:
    try:
        _DECODER.raw_decode(text)
    except (ValueError, RecursionError) as error:
        return error
    return None


def _complete_part(text: str) -> dict[str, Any] | None:
    """The first object, if it has no end, up to its last inner object or list that is complete.

    What follows that one is left out: the beginning of an entry is no entry.
    """
    end, ends_open = _last_closer(text)
    if not end or not ends_open:
        return None
    part = text[text.find("{") : end]
    error = _error(part)
    if not isinstance(error, json.JSONDecodeError) or error.pos < len(part):
        return None  # broken before its end, which from_json would take for the end
    try:
        value = from_json(_TOKEN.sub(_escaped, part), allow_partial=True)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _escaped(token: re.Match[str]) -> str:
    """The token without bare line breaks, which from_json does not take in a string."""
    return _CONTROL.sub(lambda sign: f"\\u{ord(sign[0]):04x}", token[0])


def _last_closer(text: str) -> tuple[int, bool]:
    """Where the first object's last closing bracket ends, and whether the object has no end."""
    start, end, depth = text.find("{"), 0, 0
    if start < 0:
        return 0, False
    for token in _TOKEN.finditer(text, start):
        if token[0] in ("{", "["):
            depth += 1
        elif token[0] in ("}", "]") and depth:
            end, depth = token.end(), depth - 1
            if not depth:
                break  # what follows the object is talk
    return end, depth > 0
