"""Relationships that the text states between persons whom it names."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from arboris.bible.types.findings import Relation

from .entities import Entity
from .grammar import Grammar, MineRule
from .reading import Reading
from .spans import Segment
from .speech import antecedent, is_said, speaker

_NEAR = 24  # code points between two persons of one statement
_LEAD = 24  # code points before a name that may say whose brother it names


def find_relations(reading: Reading, grammar: Grammar, segment: Segment) -> Iterator[Relation]:
    """What two names side by side, or one name and a plain "my" or "her", say of each other."""
    text = reading.chapter.text
    people = reading.cast.within(segment.start, segment.end, "person")
    for (start, end, first), (then, stop, second) in pairwise(people):
        if first is second or then - end > _NEAR:
            continue
        stated = _between(text, grammar, end, then, stop, segment.end)
        if stated is not None:
            relation, swap = stated
            source, target = (second, first) if swap else (first, second)
            yield _relation(reading, source, target, relation, (start, stop))
    for start, end, person in people:
        stated_of = _of_one(reading, grammar, segment, start, end, person)
        if stated_of is not None and not _alike(person, stated_of[0]):
            yield _relation(reading, person, *stated_of, (start, end))


def _between(
    text: str, grammar: Grammar, end: int, then: int, stop: int, limit: int
) -> tuple[str, bool] | None:
    """(relation, swapped) of the first rule that fits; questions state nothing."""
    between, after = text[end:then], text[stop:limit]
    for rule in grammar.relations:
        found = rule.between.search(between)
        follows = rule.after.search(after) if rule.after else None
        if found is None or (rule.after is not None and follows is None):
            continue
        if grammar.unsure.search(text, stop, limit):
            return None
        named = next((m["r"] for m in (follows, found) if m and "r" in m.re.groupindex), None)
        return named or rule.label, rule.swap
    return None


def _of_one(
    reading: Reading, grammar: Grammar, segment: Segment, start: int, end: int, person: Entity
) -> tuple[Entity, str] | None:
    """Of "my brother X" and "X is my brother" the speaker, of "her brother X" the one told of."""
    text = reading.chapter.text
    before = text[max(segment.start, start - _LEAD) : start]
    after = text[end : segment.end]
    mine = next((r for rule in grammar.mine if (r := _claimed(rule, before, after))), None)
    theirs = grammar.theirs.search(before)
    if not (mine or theirs) or grammar.unsure.search(after):
        return None
    if is_said(text, start, end):
        who = speaker(reading, start, person) if mine else None
        return (who, grammar.humble.get(mine, mine)) if mine and who else None
    other = antecedent(reading, start, person) if theirs else None
    return (other, theirs["r"]) if theirs and other else None


def _alike(one: Entity, other: Entity) -> bool:
    """Perhaps two forms of one person that nobody put together."""
    return one.name in other.name or other.name in one.name


def _claimed(rule: MineRule, before: str, after: str) -> str | None:
    """The kin word of a name that a speaker claims, or None."""
    leads, follows = rule.before.search(before), rule.after.match(after)
    if leads is None or follows is None:
        return None
    found = leads if "r" in rule.before.groupindex else follows
    return found["r"]


def _relation(
    reading: Reading, source: Entity, target: Entity, relation: str, span: tuple[int, int]
) -> Relation:
    return Relation(
        source=source.name,
        target=target.name,
        relation=relation,
        evidence=reading.passages.evidence(*span),
        confidence=round(0.8 * min(source.confidence, target.confidence), 3),
    )
