"""What a model plainly meant, brought into the form that it was asked for.

The form is a pydantic model; its lists of models are lists of *entries*. This module finds the
form's fields and entries wherever they are; ``answer_values`` reads the single values. Nothing is
guessed that a reader of the answer would not take for granted; an entry that cannot be read is
left out and counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from arboris.llm.answer_values import (
    NOTHING,
    coerced,
    options_of,
    parsed,
    plain_word,
    vocabulary_of,
    word_of,
)

AnswerModel = TypeVar("AnswerModel", bound=BaseModel)

ALIKE = 0.85  # a field's name with a slip of the pen
_DEEPEST = 4  # wrappers around the answer


@dataclass(frozen=True, slots=True)
class Fitted(Generic[AnswerModel]):
    """``came``: entries in the answer; ``dropped`` of them could not be read, ``wrong`` says why.

    The reasons name places and rules, never values. ``literal``: the answer calls the form's fields
    by their names, as one that was held to the form does.
    """

    value: AnswerModel
    came: int = 0
    dropped: int = 0
    wrong: str = ""
    literal: bool = True

    @property
    def kept(self) -> int:
        return self.came - self.dropped


def fit(value: Any, model: type[AnswerModel], *, bare: bool = True) -> Fitted[AnswerModel] | None:
    """Read a JSON value as an answer of this form; None where it is something else altogether.

    ``bare``: it may consist of entries without the form around them.
    Raises pydantic's ValidationError where it is meant for one and cannot be read as one.
    """
    root = _root(value, model, bare)
    if root is None:
        return None
    came = dropped = 0
    plain: dict[str, Any] = {}
    problems: list[str] = []
    for name, info in model.model_fields.items():
        entry = _entry_model(info)
        if entry is None:
            if name in root:
                plain[name] = coerced(root[name], name, info, model)
            continue
        entries = list(_entries(root.get(name), entry))
        kept = []
        for number, one in enumerate(entries):
            try:
                kept.append(_entry(one, entry))
            except ValidationError as error:
                problems.append(sentence(error, f"{name}.{number}."))
        came, dropped = came + len(entries), dropped + len(entries) - len(kept)
        plain[name] = kept
    literal = any(f'"{name}"' in json.dumps(value) for name in model.model_fields)
    wrong = "; ".join(problems[:5])
    return Fitted(model.model_validate(plain), came, dropped, wrong, literal)


def sentence(error: ValidationError, where: str = "") -> str:
    """Say where it does not fit and why, without the values: those are the writer's text."""
    places = [
        f"{where}{'.'.join(str(step) for step in problem['loc']) or 'the whole'}: {problem['msg']}"
        for problem in error.errors(include_input=False, include_context=False, include_url=False)
    ]
    more = f"; and {len(places) - 10} more" if len(places) > 10 else ""
    return "; ".join(places[:10]) + more


# --- where the answer is --------------------------------------------------------------------
def _root(value: Any, model: type[BaseModel], bare: bool, depth: int = 0) -> dict[str, Any] | None:
    """The object with the form's fields: the value, or inside wrappers, or made of bare entries."""
    value = parsed(value)
    if depth > _DEEPEST or not isinstance(value, dict | list):
        return None
    if isinstance(value, dict):
        named = _named(value, model)
        if named:
            return named | _grouped(value, model, named)
        if grouped := _grouped(value, model, named):
            return grouped
        inner = list(value.values())
    else:
        inner = [one for one in value if isinstance(one, dict)]
        if bare and (spread := _spread(inner, model)):
            return spread
    found = [root for one in inner if (root := _root(one, model, bare, depth + 1)) is not None]
    if found:
        return _joined(found, model)
    return (bare and isinstance(value, dict) and _spread([value], model)) or None


def _joined(roots: list[dict[str, Any]], model: type[BaseModel]) -> dict[str, Any]:
    """The parts of an answer that came apart, as one."""
    whole: dict[str, Any] = {}
    for root in roots:
        for name, value in root.items():
            if name in whole and _entry_model(model.model_fields[name]):
                whole[name] = [*_listed(whole[name]), *_listed(value)]
            else:
                whole.setdefault(name, value)
    return whole


def _named(value: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """The object's values by the names of the model's fields; what has no such name is left out."""
    vocabulary = vocabulary_of(model)
    found: dict[str, Any] = {}
    synonyms: list[tuple[str, Any]] = []
    for key, one in value.items():
        name = plain_word(key)
        if name in model.model_fields:
            found[name] = one
        else:
            synonyms.append((name, one))
    for key, one in synonyms:
        slips = get_close_matches(key, model.model_fields, 1, ALIKE)  # "charcters"
        for name in (*vocabulary.fields.get(key, ()), *slips):
            info = model.model_fields.get(name)
            if info is None or name in found:
                continue
            # "character" may be the one who is spoken of as well as the list of all.
            if _entry_model(info) and not isinstance(parsed(one), list | dict | None):
                continue
            found[name] = one
            break
    return found


def _grouped(
    value: dict[str, Any], model: type[BaseModel], named: dict[str, Any]
) -> dict[str, list[Any]]:
    """Entries under the words of their kind ("locations": […]), as entries of that kind."""
    for name, info in model.model_fields.items():
        entry = _entry_model(info)
        if entry is None or name in named:
            continue
        kinds = ((field_name, part) for field_name, part in entry.model_fields.items())
        for kind, part in kinds:
            found = [
                {kind: word, **one} if isinstance(one, dict) else one
                for key, entries in value.items()
                if (word := word_of(key, options_of(part), entry))
                and isinstance(entries, list | dict)
                for one in _entries(entries, entry)
            ]
            if found:
                return {name: found}
    return {}


def _spread(entries: list[dict[str, Any]], model: type[BaseModel]) -> dict[str, list[Any]]:
    """Bare entries, each in the list that its fields fit best."""
    found: dict[str, list[Any]] = {}
    lists = {n: e for n, info in model.model_fields.items() if (e := _entry_model(info))}
    for one in entries:
        scores = {name: _score(one, entry) for name, entry in lists.items()}
        best = max(scores, key=lambda name: scores[name], default="")
        if best and scores[best] > 0:
            found.setdefault(best, []).append(one)
    return found


def _score(value: dict[str, Any], entry: type[BaseModel]) -> int:
    """How many of an entry's fields are there; 0 where one is missing that has to be."""
    named = _named(value, entry)
    needed = {name for name, info in entry.model_fields.items() if info.is_required()}
    return len(named) if needed <= named.keys() else 0


# --- entries --------------------------------------------------------------------------------
def _entry_model(info: FieldInfo) -> type[BaseModel] | None:
    if get_origin(info.annotation) is list:
        (item,) = get_args(info.annotation)
        if isinstance(item, type) and issubclass(item, BaseModel):
            return item
    return None


def _listed(value: Any) -> list[Any]:
    value = parsed(value)
    if value is None or (isinstance(value, str) and value.strip().casefold() in NOTHING):
        return []
    return value if isinstance(value, list) else [value]


def _entries(value: Any, entry: type[BaseModel]) -> Iterator[Any]:
    """The entries of a list, of one for a list, or of an object that has them under their names."""
    for one in _listed(value):
        one = parsed(one)
        if isinstance(one, list):
            yield from _entries(one, entry)
        elif isinstance(one, dict) and one and not _is_entry(one, entry):
            yield from _by_name(one, entry)
        elif one not in (None, {}, ""):
            yield one


def _is_entry(value: dict[str, Any], entry: type[BaseModel]) -> bool:
    """Whether the object is an entry itself, and not one or more around it."""
    inner = [one for one in value.values() if isinstance(one, dict) and _named(one, entry)]
    return bool(_named(value, entry)) and not (inner and len(inner) == len(value))


def _by_name(value: dict[str, Any], entry: type[BaseModel]) -> Iterator[Any]:
    """{"Anne": {…}, "Tom": {…}}, or the entries of each kind: {"location": […], "item": […]}."""
    name = next((n for n, info in entry.model_fields.items() if info.is_required()), "")
    name = "name" if "name" in entry.model_fields else name
    kinds = {n: options for n, i in entry.model_fields.items() if (options := options_of(i))}
    for key, one in value.items():
        kind = next((n for n, options in kinds.items() if word_of(key, options, entry)), "")
        for inner in _entries(one, entry) if kind or isinstance(one, list) else [one]:
            if isinstance(inner, dict):
                said = kind or name
                says = said not in _named(inner, entry) and not key.isdigit()
                yield {said: key, **inner} if says else inner
            else:
                yield {name: key} if inner is None else inner


def _entry(value: Any, entry: type[BaseModel]) -> dict[str, Any]:
    """One entry as plain values that fit. Raises ValidationError."""
    if isinstance(value, str):
        needed = [name for name, info in entry.model_fields.items() if info.is_required()]
        value = {needed[0]: value} if len(needed) == 1 and value.strip() else value
    if not isinstance(value, dict):
        return entry.model_validate(value).model_dump()  # raises
    named = _named(value, entry)
    plain: dict[str, Any] = {}
    for name, info in entry.model_fields.items():
        if name in named:
            read = coerced(named[name], name, info, entry)
            if read is not None or info.is_required() or type(None) in get_args(info.annotation):
                plain[name] = read
    return entry.model_validate(plain).model_dump()
