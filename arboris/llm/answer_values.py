"""A value of an answer as the field that it is for has it: what is plainly meant, else None.

Tables of words come first; names of fields and words of enumerations are in the ``Vocabulary`` of
the answer's own form.
"""

from __future__ import annotations

import json
import re
import types
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Other words for the names of fields and for the words of enumerations, in lower case.

    ``fields``: a word to the fields that it may mean. ``words``: a word of an enumeration to its
    synonyms. ``passages``: fields that hold one passage; of a list they take the first.
    """

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    passages: frozenset[str] = frozenset()


PLAIN = Vocabulary()


def vocabulary_of(model: type[BaseModel]) -> Vocabulary:
    """The ``vocabulary`` that a form declares as a class variable."""
    found: Vocabulary = getattr(model, "vocabulary", PLAIN)
    return found


NOTHING = {"", "none", "null", "nil", "n/a", "na", "-", "—", "无", "無", "没有", "未知", "unknown"}
_SURE: tuple[tuple[float, str], ...] = (
    (0.98, "certain|absolute|definite|explicit|确定|肯定|明确|绝对|確定"),
    (
        0.3,
        "very ?low|low|baja|faible|niedrig|weak|unlikely|guess|uncertain|unsure"
        "|不确定|低|弱|猜|存疑",
    ),
    (
        0.65,
        "medium|media|moyen|mittel|moderate|mid|fair|likely|probable|possible|average|中|一般|可能",
    ),
    (0.92, "high|alta|hoch|strong|sure|高|强|強|很大"),
)
_SEPARATORS = re.compile(r"[、,，;；|\n]+|\s/\s|(?<=\W)/|/(?=\W)")
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")
_TENTHS = {f"{numeral}成": n / 10 for n, numeral in enumerate("一二三四五六七八九十", 1)}
_FENCE = re.compile(r"\s*```\w*\s*(.*?)\s*```\s*", re.DOTALL)


def coerced(value: Any, name: str, info: FieldInfo, model: type[BaseModel]) -> Any:
    """The value as the field has it; None where it cannot be read as anything of the kind."""
    vocabulary = vocabulary_of(model)
    kind = info.annotation
    if options := options_of(info):
        return word_of(value, options, model)
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(one for one in get_args(kind) if one is not type(None))
    low, high = (_bound(info, bound) for bound in ("ge", "le"))
    if kind is str:
        return _text(value, one=name in vocabulary.passages)
    if kind is float and high == 1:
        return _sureness(value)
    if kind in (int, float):
        number = _number(value)
        if number is None or kind is float:
            return number
        if low is not None and high is not None:
            number = min(high, max(low, number))
        return int(number) if number == number and abs(number) < 1e15 else None
    if get_origin(kind) is list:
        return _texts(value)
    return value


def _bound(info: FieldInfo, name: str) -> float | None:
    found = (getattr(one, name, None) for one in info.metadata)
    return next((float(one) for one in found if one is not None), None)


def options_of(info: FieldInfo) -> tuple[str, ...]:
    return get_args(info.annotation) if get_origin(info.annotation) is Literal else ()


def word_of(value: Any, options: tuple[str, ...], model: type[BaseModel]) -> str | None:
    """The word of an enumeration that is meant: in any case or language, alone or with others."""
    if isinstance(value, list):
        value = next(iter(value), None)
    if not isinstance(value, str) or not options:
        return None
    said = plain_word(value)
    vocabulary = vocabulary_of(model)
    known = {word: option for option in options for word in vocabulary.words.get(option, ())}
    known |= {option: option for option in options}
    for form in (said, said.removesuffix("s"), said.removesuffix("ies") + "y"):
        if form in known:
            return known[form]
    # "main character", "地点（渡口）", "location|place": the longest word that begins a part of it.
    parts = [part for part in re.split(r"[\W_]+", said) if part]
    for word in sorted(known, key=len, reverse=True):
        if word in parts or (not word.isascii() and word in said):
            return known[word]
    return None


def _text(value: Any, *, one: bool = False) -> str | None:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        texts = [text for item in value if (text := _text(item, one=one))]
        return texts[0] if texts and one else "；".join(texts)
    if isinstance(value, dict):
        return next((text for item in value.values() if (text := _text(item, one=one))), "")
    return None


def _texts(value: Any) -> list[str]:
    """Names: a list, one for a list, several in one text; whatever says that there are none."""
    if isinstance(value, str):
        value = parsed(value)
    if isinstance(value, str):
        value = _SEPARATORS.split(value)
    if isinstance(value, dict):
        value = list(value.values())
    items = value if isinstance(value, list) else [] if value is None else [value]
    texts = (text.strip() for item in items if (text := _text(item, one=True)))
    return [text for text in texts if text.casefold() not in NOTHING]


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, list):
        return _number(value[0]) if value else None
    if isinstance(value, int | float):
        return value if value == value else None
    found = _NUMBER.search(unicodedata.normalize("NFKC", value)) if isinstance(value, str) else None
    return float(found[0].replace(",", ".")) if found else None


def _sureness(value: Any) -> float | None:
    """A fraction, from a fraction, a percentage, points of ten or a word; None: it says nothing."""
    number = _number(value)
    if number is None:
        said = value.casefold() if isinstance(value, str) else ""
        if tenths := next((sure for word, sure in _TENTHS.items() if word in said), None):
            return tenths
        return next((sure for sure, words in _SURE if said and re.search(words, said)), None)
    said = unicodedata.normalize("NFKC", value) if isinstance(value, str) else ""
    if of := re.search(r"/\s*(\d+)", said):
        number /= max(1.0, float(of[1]))
    elif "%" in said or number > 10:
        number /= 100
    elif number > 1:
        number /= 10
    return number  # what is no fraction by now is none


def parsed(value: Any) -> Any:
    """What a text holds that is itself JSON."""
    if isinstance(value, str):
        fenced = _FENCE.fullmatch(value)
        text = fenced[1] if fenced else value
        if text.strip()[:1] in ("{", "["):
            try:
                return json.loads(text)
            except (ValueError, RecursionError):
                return value
    return value


def plain_word(key: str) -> str:
    key = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", unicodedata.normalize("NFKC", key).strip())
    return re.sub(r"[\s-]+", "_", key).casefold()
