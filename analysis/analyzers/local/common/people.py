"""Characters of a chapter: who appears, who is new, and what the text says of them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from arboris.bible.types.findings import Appearance, Evidence, NewCharacter, Observed, Role

from .entities import Entity
from .grammar import Grammar
from .reading import Reading
from .who import opens_clause

_LOOK = 30  # mentions searched for a description; a chapter says it early
_MAX_ALIASES = 50
_ONE_OF = re.compile(
    r"^.*一[个位名]|^[个位名]"
)  # "... 一个财主": the measure word and what leads to it
_OTHER = re.compile(r"\b(?:named|called)\b|名叫|叫做|名唤")  # it goes on about somebody else


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
        role=role(person.mentions, top, reading.chapter.chapter_number),
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


def role(mentions: int, top: int, chapter_number: int) -> Role:
    """By how often the chapter names somebody, against its most named person.

    Whether somebody new leads the story is seen from one chapter in the first alone; the bible
    weighs the others over all chapters.
    """
    if mentions >= 5 and mentions * 2 >= top:
        return "main" if chapter_number == 1 else "supporting"
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
        said = grammar.lead_in.sub("", " ".join(found["d"].split()))
        said = _ONE_OF.sub("", said).strip(" ,，、")
        names = (entity.name, *entity.aliases)
        if len(said) > 1 and not _OTHER.search(said) and not any(form in said for form in names):
            return said, passages.evidence(start, end)
    return _portrait(reading, grammar, entity)


def _portrait(reading: Reading, grammar: Grammar, entity: Entity) -> tuple[str, Evidence | None]:
    """The first sentence that begins with the person, or with "he" right after one, to describe."""
    if entity.kind != "person":
        return "", None
    text, passages = reading.chapter.text, reading.passages
    for start, end in entity.spans[:_LOOK]:
        if reading.is_spoken(start) or not opens_clause(reading, start):
            continue
        number = passages.index(start)
        if grammar.portrait.match(text, end):
            return _whole(reading, number)
        for segment in passages.segments[number + 1 : number + 2]:
            he = grammar.he.match(text[segment.start : segment.end])
            if he is None or reading.is_spoken(segment.start):
                continue
            at = segment.start + len(he.group().rstrip())
            others = reading.cast.within(passages.segments[number].start, segment.start, "person")
            is_told_of = all(who is entity for _, _, who in others)
            if is_told_of and grammar.portrait.match(text, at):
                return _whole(reading, number + 1)
    return "", None


def _whole(reading: Reading, number: int) -> tuple[str, Evidence | None]:
    segment = reading.passages.segments[number]
    said = " ".join(reading.chapter.text[segment.start : segment.end].split())
    return said, reading.passages.evidence(segment.start, segment.end)
