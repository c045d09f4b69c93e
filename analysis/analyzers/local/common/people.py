"""Characters of a chapter: who appears, who is new, and what the text says of them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from arboris.bible.types.findings import Appearance, Evidence, NewCharacter, Observed, Role

from .entities import Entity
from .grammar import Grammar
from .reading import Reading

_LOOK = 30  # mentions searched for a description; a chapter says it early
_MAX_ALIASES = 50
_ONE_OF = re.compile(
    r"^.*一[个位名]|^[个位名]"
)  # "... 一个财主": the measure word and what leads to it


def appearance(reading: Reading, person: Entity, observed: list[Observed]) -> Appearance:
    return Appearance(
        name=person.name[:100],
        aliases=list(person.aliases[:_MAX_ALIASES]),
        mentions=person.mentions,
        observed=observed,
        doubts=list(person.maybe),
        evidence=first_evidence(reading, person),
        confidence=person.confidence,
    )


def new_character(reading: Reading, grammar: Grammar, person: Entity, top: int) -> NewCharacter:
    description, evidence = describe(reading, grammar, person)
    return NewCharacter(
        type="description" if person.known else "character",
        name=person.name[:100],
        aliases=list(person.aliases[:_MAX_ALIASES]),
        mentions=person.mentions,
        role=role(person.mentions, top),
        description=description,
        personality="",
        goals="",
        abilities="",
        evidence=evidence or first_evidence(reading, person),
        confidence=person.confidence,
    )


def first_evidence(reading: Reading, entity: Entity) -> Evidence:
    """The first passage that gives the full name, else the first that names the entity."""
    text = reading.chapter.text
    start, end = next(
        ((a, b) for a, b in entity.spans if text[a:b] == entity.name), entity.spans[0]
    )
    return reading.passages.evidence(start, end)


def role(mentions: int, top: int) -> Role:
    """By how often the chapter names somebody, against its most named person."""
    if mentions >= 5 and mentions * 2 >= top:
        return "main"
    return "supporting" if mentions >= 3 else "minor"


def most_mentions(people: Iterable[Entity]) -> int:
    return max((p.mentions for p in people), default=0)


def describe(reading: Reading, grammar: Grammar, entity: Entity) -> tuple[str, Evidence | None]:
    """What an apposition or "X is a ..." says of the entity, with its passage; else ("", None)."""
    text, passages = reading.chapter.text, reading.passages
    for start, end in entity.spans[:_LOOK]:
        segment = passages.segments[passages.index(start)]
        after = grammar.is_a.search(text[end : segment.end])
        before = grammar.apposed.search(text[segment.start : start])
        found = before or after
        if found is None:
            continue
        said = _ONE_OF.sub("", " ".join(found["d"].split())).strip(" ,，、")
        if len(said) > 1 and not any(form in said for form in (entity.name, *entity.aliases)):
            return said, passages.evidence(start, end)
    return "", None
