"""Contradictions that a language model tells, and the facts of a person that it compares with.

The facts are kept among the person's traits, as "aspect:words@chapter". A contradiction counts
while the fact is there that it names; once told, the fact is not: the text is taken as it was
written last.
"""

from __future__ import annotations

from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.continuity.notes import note
from arboris.bible.fold.people import People
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Fact, Notice, Person, contradiction_ref
from arboris.bible.types.findings import Contradiction, NewCharacter, StateChange
from arboris.bible.types.names import key
from arboris.bible.types.placed_finding import PlacedFinding, fact_of

DESCRIBED = "described"
# How many facts of an aspect are kept of a person: the first descriptions, else the last.
KEPT = {DESCRIBED: 2, "condition": 3, "possession": 2, "location": 1, "ability": 1}
LONGEST = 200  # characters of a fact's words


def look(
    store: MemoryEntryStore,
    rules: Rules,
    people: People,
    placed: PlacedFinding,
    finding: Contradiction,
) -> None:
    """Note what the model says, unless the patterns have told it already."""
    person = people.find(finding.character)
    if person is None:
        return
    earlier = _taken(store, person, finding, placed)
    if earlier is None:
        return
    subject, names = person.name, list[str]()
    if finding.kind == "item_in_two_hands":
        subject, names = finding.item, [person.name, finding.holder]
    for notice in store.of_chapter(placed.chapter_id).notices.values():
        if (notice.kind, key(notice.subject)) == (finding.kind, key(subject)) and (
            finding.kind != "looks" or _same_passage(notice, finding)
        ):
            return
    ref = contradiction_ref(placed.chapter_id, finding)
    note(store, rules, placed, finding.kind, subject, ref, earlier, people=names)


def _same_passage(notice: Notice, finding: Contradiction) -> bool:
    """Somebody may look different in two ways: the passages tell which is meant."""
    sides = ("earlier", finding.earlier), ("later", finding.evidence.quote)
    quotes = ((notice.data[side]["quote"], said) for side, said in sides)
    return any(known in said or said in known for known, said in quotes)


def _taken(
    store: MemoryEntryStore, person: Person, finding: Contradiction, placed: PlacedFinding
) -> Fact | None:
    """The fact that an earlier chapter states with that quote; the person has it no longer then."""
    traits = {
        name: fact
        for name, fact in sorted(person.traits.items())
        if fact.quote == finding.earlier and fact.chapter_id != placed.chapter_id
    }
    death = person.death
    if death is None or death.quote != finding.earlier or death.chapter_id == placed.chapter_id:
        death = None
    if death is None and not traits:
        return None
    store.touch(person)
    person.traits = {name: fact for name, fact in person.traits.items() if name not in traits}
    if death is not None:
        person.death = None
    return death or next(iter(traits.values()))


def keep(
    store: MemoryEntryStore,
    people: People,
    placed: PlacedFinding,
    finding: StateChange | NewCharacter,
) -> None:
    """Remember what the chapter says of somebody, for the chapters that follow."""
    aspect: str = DESCRIBED
    if isinstance(finding, StateChange):
        name, aspect = finding.character, finding.kind
    else:
        name = finding.name
    said = finding.description[:LONGEST]
    if finding.basic or not said or aspect not in KEPT:
        return
    person = people.find(name)
    quote = finding.evidence.quote
    if person is None or (person.death is not None and person.death.quote == quote):
        return
    kept = sorted(
        (_chapter_of(trait), trait) for trait in person.traits if trait.startswith(f"{aspect}:")
    )
    if any(trait.rpartition("@")[0] == f"{aspect}:{said}" for _, trait in kept):
        return
    full = len(kept) >= KEPT[aspect]
    if full and aspect == DESCRIBED:
        return
    store.touch(person)
    if full:
        del person.traits[kept[0][1]]
    person.traits[f"{aspect}:{said}@{placed.chapter_number}"] = fact_of(placed)


def _chapter_of(trait: str) -> int:
    return int(trait.rpartition("@")[2])
