"""Find JSON in what models write: between thoughts, fences and talk, cut off, or broken."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from arboris.llm.thoughts import without_thoughts

_FENCED = re.compile(r"```[\w-]*[ \t]*\n(.*?)```", re.DOTALL)
_DECODER = json.JSONDecoder(strict=False)  # models put bare line breaks into strings
_OPENER = re.compile(r"[{\[]")
# Each start that leads nowhere may cost a reading of all the rest.
_MOST_STARTS = 10
# The time that a repair takes may grow with the square of the length.
_MOST_REPAIRED = 200_000
_DEEPEST = 60
# A string, also one without its end, or a bracket.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[][{}]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Found:
    value: Any  # an object, or a list with one in it
    fragment: bool = False  # what stands before it is broken: it may be a part of that


def whole(answer: str) -> Iterator[Found]:
    """Yield the values that can be read as they are, and all of them as one list.

    An answer may come in parts.
    """
    text = without_thoughts(answer)
    for block in [*_FENCED.findall(text), text]:
        yield from _whole(block)


def _whole(text: str) -> Iterator[Found]:
    values: list[Any] = []
    opener, tries = _OPENER.search(text), 0
    while opener and tries < _MOST_STARTS:
        try:
            value, end = _DECODER.raw_decode(text, opener.start())
        except (ValueError, RecursionError):
            tries, end = tries + 1, opener.end()
        else:
            if _holds_objects(value):
                yield Found(value, fragment=tries > 0)
                values.append(value)
        opener = _OPENER.search(text, end)
    if len(values) > 1 and not tries:
        yield Found(values)


def complete(answer: str) -> Iterator[Found]:
    """Yield what is complete of an answer that has no end.

    Up to its last inner object or list that ends: the beginning of an entry is no entry.
    """
    text = without_thoughts(answer)
    end, is_open = _last_closer(text)
    if end and is_open:
        yield from _mended(text[:end])


def repaired(answer: str) -> Iterator[Found]:
    """Yield what a library makes of broken JSON: of quotes, commas, comments, brackets."""
    text = without_thoughts(answer)
    yield from _mended(text[: max(text.rfind("}"), text.rfind("]")) + 1])


def _mended(text: str) -> Iterator[Found]:
    import json_repair  # it takes 0.1 s, and few answers are broken

    part = _half_width(text[max(0, _start(text)) :])
    if not part or len(part) > _MOST_REPAIRED or _depth(part) > _DEEPEST:
        return
    try:
        value = json_repair.loads(part, skip_json_loads=True)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict | list) and value and _holds_objects(value):
        yield Found(value)


def _half_width(text: str) -> str:
    """With the JSON's own marks as JSON has them, where a model wrote Chinese ones."""
    if '"' not in text:
        text = text.translate({ord("“"): '"', ord("”"): '"'})
    text = re.sub(r'(?<=")\s*：', ":", text)
    return re.sub(r'(?<=["}\]\d])\s*，\s*(?=["{\[])', ",", text)


def _holds_objects(value: Any) -> bool:
    return isinstance(value, dict) or any(isinstance(one, dict | list) for one in value)


def ends_open(answer: str) -> bool:
    """Whether the answer ends in the middle of an entry."""
    text = without_thoughts(answer).rstrip("` \n")
    return not text.endswith(("}", "]")) and _last_closer(text)[1]


def flaw(answer: str) -> str:
    """Why the first object in the answer cannot be read; empty where it can."""
    text = without_thoughts(answer)
    start = _start(text)
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


def _start(text: str) -> int:
    """Where the answer begins: the first object, or a list of objects."""
    opener = re.search(r"\{|\[\s*[{\]]", text)
    return opener.start() if opener else -1


def _depth(text: str) -> int:
    deepest = depth = 0
    for token in _TOKEN.finditer(text):
        depth += 1 if token[0] in "{[" else -1 if token[0] in "}]" else 0
        deepest = max(deepest, depth)
    return deepest


def _last_closer(text: str) -> tuple[int, bool]:
    """Where the answer's last closing bracket ends, and whether the answer itself has no end."""
    start, end, depth = _start(text), 0, 0
    if start < 0:
        return 0, False
    for token in _TOKEN.finditer(text, start):
        if token[0] in ("{", "["):
            depth += 1
        elif token[0] in ("}", "]") and depth:
            end, depth = token.end(), depth - 1
            if not depth:
                break  # what follows it is talk
    return end, depth > 0
