"""Relationships that the text states between persons whom it names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from arboris.bible.types.findings import Relation

from .entities import Entity
from .grammar import Grammar, MineRule
from .reading import Reading
from .spans import Segment
from .speech import is_said, speaker
from .who import opens_clause, subject

_NEAR = 28  # code points between two persons of one statement
_LEAD = 40  # code points before a name that may say whose brother it names
_QUOTE = re.compile('[“「"]')
_PLAIN, _MEANT = 0.8, 0.7  # how sure it is: both are named, or one is meant

Mention = tuple[int, int, Entity]
Holders = dict[str, Entity]


def find_relations(
    reading: Reading, grammar: Grammar, segment: Segment, holders: Holders
) -> Iterator[Relation]:
    """What two names side by side, or one name and a plain "my" or "her", say of each other."""
    text = reading.chapter.text
    people = _with_offices(reading, segment, holders)
    for (start, end, first), (then, stop, second) in pairwise(people):
        if first is second or then - end > _NEAR:
            continue
        stated = _between(text, grammar, end, then, stop, segment.end)
        if stated is not None:
            relation, swap = stated
            source, target = (second, first) if swap else (first, second)
            yield _relation(reading, source, target, relation, (start, stop), _PLAIN)
    for start, end, person in reading.cast.within(segment.start, segment.end, "person"):
        stated_of = _of_one(reading, grammar, segment, (start, end), person)
        if stated_of is not None and not _alike(person, stated_of[0]):
            other, relation, swap = stated_of
            source, target = (other, person) if swap else (person, other)
            yield _relation(reading, source, target, relation, (start, end), _MEANT)


def office_holders(reading: Reading, grammar: Grammar) -> Holders:
    """Who is meant by an office or trade alone, where the chapter names one holder of it."""
    text = reading.chapter.text
    found: defaultdict[str, dict[int, Entity]] = defaultdict(dict)
    for start, end, person in reading.cast.within(0, len(text), "person"):
        before = grammar.office_before.search(text, max(0, start - _LEAD), start)
        after = grammar.office_after.match(text, end)
        for named in (before, after):
            if named is not None:
                found[named["o"]][id(person)] = person
    return {office: next(iter(held.values())) for office, held in found.items() if len(held) == 1}


def _with_offices(reading: Reading, segment: Segment, holders: Holders) -> list[Mention]:
    """The mentions of persons in a passage, by name or by an office alone, in order."""
    people = reading.cast.within(segment.start, segment.end, "person")
    passage = reading.chapter.text[segment.start : segment.end]
    for office, holder in holders.items():
        at = passage.find(office)
        while at >= 0:
            start = segment.start + at
            end = start + len(office)
            if not any(a < end + 2 and start - 2 < b for a, b, _ in people):
                people = [*people, (start, end, holder)]
            at = passage.find(office, at + 1)
    return sorted(people, key=lambda mention: mention[:2])


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
    reading: Reading, grammar: Grammar, segment: Segment, span: tuple[int, int], person: Entity
) -> tuple[Entity, str, bool] | None:
    """The other one, the relation, and whether it is theirs to this person.

    Of "my brother X" and "X is my brother" the speaker, of "her brother X" the one told of, of
    "brother X" whoever the sentence speaks of.
    """
    text, (start, end) = reading.chapter.text, span
    before = text[max(segment.start, start - _LEAD) : start]
    after = text[end : segment.end]
    # A question that somebody asks next puts nothing in doubt that is told before it.
    if grammar.unsure.search(after if reading.is_spoken(start) else _QUOTE.split(after)[0]):
        return None
    if reading.is_spoken(start) or is_said(text, start, end):
        mine = next((r for rule in grammar.mine if (r := _claimed(rule, before, after))), None)
        who = speaker(reading, start, person) if mine else None
        if mine:
            return (who, grammar.humble.get(mine, mine), False) if who else None
        return _of_the_one_talked_of(reading, grammar, segment, span, person)
    for rule in grammar.of_subject:
        found, follows = rule.before.search(before), rule.after.match(after)
        if found is None or follows is None:
            continue
        relation = next((m["r"] for m in (found, follows) if "r" in m.re.groupindex), rule.label)
        lead = start - (len(before) - found.start())
        other = _subject_before(
            reading, grammar, segment, lead, found.group() + follows.group(), person
        )
        return (other, relation, rule.swap) if other is not None else None
    return None


def _of_the_one_talked_of(
    reading: Reading, grammar: Grammar, segment: Segment, span: tuple[int, int], person: Entity
) -> tuple[Entity, str, bool] | None:
    """As ``_of_one``, of "his sister X" in speech: whom alone the speech has named before."""
    text, (start, end) = reading.chapter.text, span
    opening = next((a for a, b in reading.speech if a <= start < b), None)
    if opening is None:
        return None
    before, after = text[max(opening, start - _LEAD) : start], text[end : segment.end]
    for rule in grammar.of_subject:
        found, follows = rule.before.search(before), rule.after.match(after)
        if found is None or follows is None or not grammar.pronoun.match(found.group() + " "):
            continue
        words = found.group() + follows.group()
        named = {
            id(who): who
            for _, _, who in reading.cast.within(opening, start, "person")
            if who is not person and reading.tongue.may_mean(words, who)
        }
        if len(named) != 1:
            return None
        relation = next((m["r"] for m in (found, follows) if "r" in m.re.groupindex), rule.label)
        return next(iter(named.values())), relation, rule.swap
    return None


def _subject_before(
    reading: Reading, grammar: Grammar, segment: Segment, at: int, words: str, but: Entity
) -> Entity | None:
    """Whom the sentence speaks of: the one who opens it, or whom a pronoun there means."""
    named = [
        mention
        for mention in reading.cast.within(segment.start, at, "person")
        if mention[2] is not but
        and not reading.is_spoken(mention[0])
        and reading.tongue.may_mean(words, mention[2])
    ]
    opening = next((who for start, _, who in named if opens_clause(reading, start)), None)
    if opening is not None:
        return opening
    if named and not grammar.pronoun.match(reading.chapter.text, segment.start):
        return None  # they are spoken to, or of
    who = subject(reading, segment.start, words, only=True)
    if who is None and grammar.pronoun.match(reading.chapter.text, segment.start):
        who = subject(reading, segment.start, words)
    return who if who is not but else None


def _alike(one: Entity, other: Entity) -> bool:
    """Perhaps two forms of one person that nobody put together."""
    return one is other or one.name in other.name or other.name in one.name


def _claimed(rule: MineRule, before: str, after: str) -> str | None:
    """The kin word of a name that a speaker claims, or None."""
    leads, follows = rule.before.search(before), rule.after.match(after)
    if leads is None or follows is None:
        return None
    found = leads if "r" in rule.before.groupindex else follows
    return found["r"]


def _relation(
    reading: Reading,
    source: Entity,
    target: Entity,
    relation: str,
    span: tuple[int, int],
    certainty: float,
) -> Relation:
    both = min(source.confidence, target.confidence)
    return Relation(
        source=source.name,
        target=target.name,
        relation=relation,
        evidence=reading.passages.evidence(*span),
        # What is said of kin makes it surer that both are people.
        confidence=round(certainty * (0.6 + 0.4 * both), 3),
    )
