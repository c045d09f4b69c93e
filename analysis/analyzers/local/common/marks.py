"""The patterns by which a language shows what other chapters must not contradict.

They are data: ``words/zh_observed.toml`` and ``words/en_observed.toml``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from arboris.bible.types.findings import Aspect

from ..words import read


@dataclass(frozen=True, slots=True)
class LooksRule:
    """A colour (group v, w or x) of eyes or hair."""

    aspect: Aspect
    find: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class PartRule:
    """A part of the body (group p) with its side (group s), and of a mark its kind (group k)."""

    aspect: Aspect
    find: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class AgeRule:
    """An age in years (group v)."""

    find: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Marks:
    unreal: re.Pattern[str]  # in the sentence: it only seems so, or is not the person's own
    past: re.Pattern[str]  # in the sentence: a memory, a dream, a portrait
    acts: re.Pattern[str]  # matched right behind a name: what only the living do
    heading_acts: re.Pattern[str]  # matched right behind a name: it does not act itself
    said_by: re.Pattern[str]  # matched at the end of what stands before a name: "… said"
    object: re.Pattern[str]  # at the end of what stands before a name: it is nobody who does it
    he: re.Pattern[str]  # matched at a sentence's start: a pronoun for its subject
    belongs: re.Pattern[str]  # right behind the last of several names: what follows is theirs
    somebody: re.Pattern[str]  # between a name and what follows: it may be theirs
    acts_told: re.Pattern[str]  # as acts, in speech: a thing of today
    reported: re.Pattern[str]  # between a name and what is said of somebody: it is told by them
    looks: tuple[LooksRule, ...]
    parts: tuple[PartRule, ...]
    ages: tuple[AgeRule, ...]
    when: re.Pattern[str]  # a day (group day) and, if told, a part of it (group part)
    where: re.Pattern[str]  # in, at a building or a town (groups place, town)
    whole: re.Pattern[str]  # in the sentence: all of the time
    elsewhere: re.Pattern[str]  # between a name and a place: somebody else is there
    i_was: re.Pattern[str]  # before a place, in speech: the speaker is there
    not_there: re.Pattern[str]  # in the sentence: it is planned, doubted or denied
    elapsed: re.Pattern[str]  # the story moves on by years
    age_asked: re.Pattern[str]  # in the paragraph before: somebody is asked for an age
    age_told: re.Pattern[str]  # a spoken answer that is one (group v)
    no_age: re.Pattern[str]  # around a number: it is no age, or not today's
    sides: dict[str, str]
    parts_of: dict[str, str]  # what each word for a part of the body means
    number: Callable[[str], int]


RULES: dict[str, type[Any]] = {"looks": LooksRule, "parts": PartRule, "ages": AgeRule}


def load_marks(name: str, number: Callable[[str], int], sides: dict[str, str]) -> Marks:
    """Read the patterns of the data file ``name``."""
    table = dict(read(name))
    words: dict[str, str] = {"name": "", **table.pop("words")}
    meanings = {
        word: meaning
        for meaning, listed in table.pop("parts_of").items()
        for word in listed.split()
    }

    def compiled(pattern: str) -> re.Pattern[str]:
        pattern = pattern.replace("\n", "")
        for _ in range(2):  # a list may name another one
            for key, listed in words.items():
                pattern = pattern.replace(f"<{key}>", listed)
        return re.compile(pattern)

    def field(key: str, value: Any) -> Any:
        if key not in RULES:
            return compiled(value)
        return tuple(
            RULES[key](**{k: compiled(v) if k == "find" else v for k, v in rule.items()})
            for rule in value
        )

    fields = {key: field(key, value) for key, value in table.items()}
    return Marks(**fields, number=number, sides=sides, parts_of=meanings)
