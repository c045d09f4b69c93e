"""Relationships that the text states between two persons it names side by side."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from arboris.bible.findings import Relation

from .grammar import Grammar
from .reading import Reading
from .spans import Segment


def find_relations(reading: Reading, grammar: Grammar, segment: Segment) -> Iterator[Relation]:
    text = reading.chapter.text
    people = reading.cast.within(segment.start, segment.end, "person")
    for (start, end, first), (then, stop, second) in pairwise(people):
        if first is second or then - end > 24:
            continue
        between, after = text[end:then], text[stop : segment.end]
        for rule in grammar.relations:
            found = rule.between.search(between)
            follows = rule.after.search(after) if rule.after else None
            if found is None or (rule.after is not None and follows is None):
                continue
            named = next((m["r"] for m in (follows, found) if m and "r" in m.re.groupindex), None)
            source, target = (second, first) if rule.swap else (first, second)
            yield Relation(
                source=source.name,
                target=target.name,
                relation=named or rule.label,
                evidence=reading.passages.evidence(start, stop),
                confidence=round(0.8 * min(first.confidence, second.confidence), 3),
            )
            break
