"""Names that drift: somebody new who is called almost like somebody known."""

from __future__ import annotations

from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.continuity.notes import note
from arboris.bible.fold.people import People
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Person, digest
from arboris.bible.types.findings import Appearance
from arboris.bible.types.names import key
from arboris.bible.types.placed_finding import PlacedFinding, fact_of
from arboris.bible.types.sounds import drifted, sound

# Mentions from which on a name is taken for the right one: of a name with a title one will do, but
# in Chinese many have a family name and one character more.
_OF_TITLE, _LONG, _SHORT = 1, 2, 4

_TWO = 2


def look(
    store: MemoryEntryStore,
    rules: Rules,
    people: People,
    placed: PlacedFinding,
    finding: Appearance,
) -> None:
    """Note that a name which appears here first is most likely another's, miswritten."""
    person = people.find(finding.name)
    for name in (finding.name, *finding.aliases):
        if not sound(name) or not _is_new(person, name, placed):
            continue
        for known in store.having(Person, sound(name), partial=True):
            right = _established(known, name, placed)
            if right and not _told_apart(rules, known, name, right):
                ref = digest("name_drift", *sorted((key(name), key(right))))
                note(store, rules, placed, "name_drift", name, ref, known.fact, people=[right])
                store.touch(known)
                known.traits[f"spelled:{key(name)}"] = fact_of(placed)
                return


def _established(known: Person, name: str, placed: PlacedFinding) -> str:
    """The name of somebody known before that this one looks like; "" if there is none."""
    if known.fact.chapter_id == placed.chapter_id or known.mentions < _least(name):
        return ""
    names = {known.name: known.fact} | known.aliases
    before = (one for one, fact in names.items() if fact.chapter_id != placed.chapter_id)
    return next((one for one in before if drifted(one, name)), "")


def _least(name: str) -> int:
    if name.isascii():
        return _OF_TITLE if " " in name else _LONG
    return _SHORT if len(name) == _TWO else _LONG


def _is_new(person: Person | None, name: str, placed: PlacedFinding) -> bool:
    """Whether nobody was called so in an earlier chapter; ``person`` bears the name, if anybody."""
    if person is None or (name != person.name and name not in person.aliases):
        return True
    fact = person.fact if name == person.name else person.aliases[name]
    return fact.chapter_id == placed.chapter_id


def _told_apart(rules: Rules, known: Person, name: str, right: str) -> bool:
    """Whether the writer has said that they are two, both are names of one, or it is known."""
    if f"spelled:{key(name)}" in known.traits:  # it has been told
        return True
    both = name in (known.name, *known.aliases) and right in (known.name, *known.aliases)
    return both or rules.are_apart(Person.scope, known.keys(), key(name))
