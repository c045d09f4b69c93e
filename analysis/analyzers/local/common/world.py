"""Places, groups, things and rules of a chapter's world."""

from __future__ import annotations

from collections.abc import Iterator

from arboris.bible.types.findings import WorldFact

from .entities import Entity
from .grammar import Grammar
from .people import describe, first_evidence
from .reading import Item, Reading
from .spans import Segment


def place_fact(reading: Reading, grammar: Grammar, entity: Entity) -> WorldFact:
    description, evidence = describe(reading, grammar, entity)
    return WorldFact(
        type="faction" if entity.kind == "faction" else "location",
        name=entity.name[:100],
        aliases=list(entity.aliases[:50]),
        description=description,
        mentions=entity.mentions,
        evidence=evidence or first_evidence(reading, entity),
        confidence=entity.confidence,
    )


def item_fact(reading: Reading, item: Item) -> WorldFact:
    start, end = item.spans[0]
    return WorldFact(
        type="item",
        name=item.name[:100],
        aliases=[],
        description="",
        mentions=len(item.spans),
        evidence=reading.passages.evidence(start, end),
        confidence=round(min(0.8, 0.5 + 0.08 * len(item.spans)), 3),
        basic=True,
    )


def find_rules(reading: Reading, grammar: Grammar, segment: Segment) -> Iterator[WorldFact]:
    """At most one rule a passage: its own words are the name, the passage is the wording."""
    text = reading.chapter.text
    found = grammar.laws.search(text, segment.start, segment.end)
    if found is None or grammar.unsure.search(text, found.start(), segment.end):
        return
    group = "s" if found["s"] else "t"  # "the rule is: ..." or the statement alone
    said = found[group]
    if grammar.not_laws.search(said):
        return
    name = grammar.law_lead.sub("", " ".join(said.split()).strip(" ，,。：:“”\"'*"))
    if len(name) > grammar.law_length:
        name = name[: grammar.law_length - 1] + "…"
    if not name:
        return
    yield WorldFact(
        type="rule",
        name=name,
        aliases=[],
        description=" ".join(text[segment.start : segment.end].split()),
        evidence=reading.passages.evidence(found.start(group), found.start(group) + 1),
        confidence=0.55,
        basic=True,
    )
