"""Looks and ages that do not fit: eyes and hair of two colours, a lost hand that is used."""

from __future__ import annotations

from collections.abc import Iterator

from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.continuity.colours import differ, hair_differs
from arboris.bible.fold.continuity.notes import note
from arboris.bible.fold.people import People
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Fact, Person, digest
from arboris.bible.types.findings import Appearance, Observed
from arboris.bible.types.names import key
from arboris.bible.types.placed_finding import PlacedFinding

NEAR = 4  # chapters within which nobody ages by years, unless the text says how many went by
# What goes with a part of the body that is lost.
_PARTS_OF = {
    "arm": ("arm", "hand", "finger", "thumb", "little finger", "index finger"),
    "hand": ("hand", "finger", "thumb", "little finger", "index finger"),
    "leg": ("leg", "foot"),
}
_KINDS = {"age": "age", "at": "two_places"}  # of notices; else looks


def look(
    store: MemoryEntryStore,
    rules: Rules,
    people: People,
    placed: PlacedFinding,
    finding: Appearance,
) -> None:
    """Note what does not fit to what was shown of the person before, and remember it."""
    if not finding.observed:
        return
    person = people.find(finding.name)
    if person is None:
        return
    moved_on = any(one.aspect == "elapsed" for one in finding.observed)
    if moved_on:
        store.touch(person)
        person.traits = {
            name: fact for name, fact in person.traits.items() if not name.startswith("age:")
        }
    for one in finding.observed:
        if one.aspect not in ("acts", "elapsed"):
            is_told = not (moved_on and one.aspect == "age")
            _compare(store, rules, placed, person, one, is_told=is_told)


def _compare(
    store: MemoryEntryStore,
    rules: Rules,
    placed: PlacedFinding,
    person: Person,
    one: Observed,
    *,
    is_told: bool,
) -> None:
    value = f"{one.value}@{placed.chapter_number}" if one.aspect == "age" else one.value
    name = f"{one.aspect}:{value}"
    if any(known.partition("@")[0] == name.partition("@")[0] for known in person.traits):
        return
    against = next(_against(person, one.aspect, value), None) if is_told else None
    if against is not None:
        kind = _KINDS.get(one.aspect, "looks")
        ref = digest(kind, placed.chapter_id, person.natural_key, name, key(one.evidence.quote))
        note(store, rules, placed, kind, person.name, ref, against, later=one.evidence)
    elif one.aspect == "uses":
        return  # everybody has two hands: only what was told need be remembered
    store.touch(person)
    tier, confidence = placed.tier, placed.finding.confidence
    person.traits[name] = Fact(
        placed.chapter_id, one.evidence.quote, confidence, True, tier, placed.ref
    )


def _against(person: Person, aspect: str, value: str) -> Iterator[Fact]:
    """What was shown before and does not fit, unless the like of it was told already."""
    for name, fact in sorted(person.traits.items()):
        before, _, was = name.partition(":")
        if before == aspect and aspect in _CLASHES:
            if _CLASHES[aspect](was, value):
                yield fact
        elif (before, aspect) == ("lost", "uses") and _uses_lost(was, value):
            yield fact


def _other_side(was: str, value: str) -> bool:
    """The same mark on the other side: "scar on the brow/left"."""
    (mark, _, side), (other, _, other_side) = was.rpartition("/"), value.rpartition("/")
    return mark == other and side != other_side


def _uses_lost(lost: str, used: str) -> bool:
    (part, _, side), (other, _, other_side) = lost.rpartition("/"), used.rpartition("/")
    if other not in _PARTS_OF.get(part, (part,)):
        return False
    if other_side == "both":
        return "finger" not in part and part != "thumb"
    return side == other_side and side != ""


def _ages(was: str, value: str) -> bool:
    """Younger than before, or years older within a few chapters."""
    (age, _, chapter), (other, _, other_chapter) = was.partition("@"), value.partition("@")
    older = int(other) - int(age)
    return older < 0 or (older > 1 and int(other_chapter) - int(chapter) <= NEAR)


def _elsewhere(was: str, value: str) -> bool:
    (time, _, place), (other, _, other_place) = was.partition("|"), value.partition("|")
    return time == other and place not in other_place and other_place not in place


_CLASHES = {
    "eyes": differ,
    "hair": hair_differs,
    "mark": _other_side,
    "age": _ages,
    "at": _elsewhere,
}
