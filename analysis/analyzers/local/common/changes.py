"""State changes that the text states outright, with the person right before the verb."""

from __future__ import annotations

from collections.abc import Iterator

from arboris.bible.types.findings import StateChange

from .entities import Entity
from .grammar import Grammar, StateRule
from .reading import Reading
from .spans import Segment

_MAX_CLAUSE = 90  # code points of the sentence that a description keeps


def find_changes(reading: Reading, grammar: Grammar, segment: Segment) -> Iterator[StateChange]:
    people = reading.cast.within(segment.start, segment.end, "person")
    for number, (start, end, person) in enumerate(people):
        following = people[number + 1][0] if number + 1 < len(people) else segment.end
        yield from _of(reading, grammar, segment, (start, end, following), person)
        yield from _handed(reading, grammar, segment, (start, end), person)


def _of(
    reading: Reading,
    grammar: Grammar,
    segment: Segment,
    span: tuple[int, int, int],
    person: Entity,
) -> Iterator[StateChange]:
    text, (start, end, following) = reading.chapter.text, span
    seen: set[str] = set()
    for rule in grammar.states:
        at = _verb(text, rule, grammar, end, min(following, segment.end), segment.end)
        if at is None or rule.kind in seen:
            continue
        if grammar.unsure.search(text, at, segment.end):
            continue
        if rule.place and not _reaches_place(reading, at, min(segment.end, at + grammar.reach)):
            continue
        seen.add(rule.kind)
        description = _clause(text, grammar, start, at, segment.end)
        yield StateChange(
            character=person.name,
            kind=rule.kind,
            description=description,
            growth_level=_growth(description, rule, grammar),
            evidence=reading.passages.evidence(start, end),
            confidence=round(rule.certainty * (0.6 + 0.4 * person.confidence), 3),
            basic=True,
        )


def _growth(said: str, rule: StateRule, grammar: Grammar) -> int:
    """How much the person has grown by it, where the words leave no doubt; else 0."""
    if rule.kind != "ability" or grammar.no_growth.search(said):
        return 0
    return next((rule.level for rule in grammar.growth if rule.words.search(said)), 0)


def _handed(
    reading: Reading, grammar: Grammar, segment: Segment, span: tuple[int, int], person: Entity
) -> Iterator[StateChange]:
    """The person named here is given something: "... gave the key to X"."""
    text, (start, end) = reading.chapter.text, span
    before = text[segment.start : start]
    for rule in grammar.handed:
        found = rule.before.search(before)
        follows = rule.after.match(text, end, segment.end)
        if found is None or follows is None or grammar.denied.search(found.group()):
            continue
        if grammar.unsure.search(text, end, segment.end):
            continue
        first = max(segment.start + found.start(), start - _MAX_CLAUSE)
        said = " ".join(text[first : follows.end()].split()).strip(" ，,“\"'")
        yield StateChange(
            character=person.name,
            kind="possession",
            description=said,
            evidence=reading.passages.evidence(start, end),
            confidence=round(0.65 * (0.6 + 0.4 * person.confidence), 3),
            basic=True,
        )
        return


def _verb(
    text: str, rule: StateRule, grammar: Grammar, end: int, before: int, limit: int
) -> int | None:
    """End of the verb that ``rule`` finds close behind the subject, or None."""
    for found in rule.verb.finditer(text, end, limit):
        if found.start() > before:  # somebody else stands between
            return None
        lead = text[end : found.start()]
        if grammar.lead.fullmatch(lead):
            return None if grammar.denied.search(lead) else found.end()
    return None


def _reaches_place(reading: Reading, at: int, limit: int) -> bool:
    near = reading.cast.within(at, limit)
    return any(entity.kind != "person" for _, _, entity in near)


def _clause(text: str, grammar: Grammar, start: int, at: int, limit: int) -> str:
    found = grammar.clause_end.search(text, at, limit)
    stop = min(found.start() if found else limit, start + _MAX_CLAUSE)
    return " ".join(text[start : max(stop, start + 1)].split())
