"""What a changed chapter does to the bible: the folds before and after compared. No ORM here.

Entries are told from each other by what they say, not by their natural keys: a person whose first
name is gone lives on under the next one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.continuity import CONTRADICTIONS
from arboris.bible.fold.fold import Bible
from arboris.bible.types.entries import (
    Event,
    Fact,
    Notice,
    Person,
    State,
    Thread,
    WorldEntry,
    world_key,
)
from arboris.bible.types.names import key

E = TypeVar("E", Person, WorldEntry)
Named = Person | WorldEntry


@dataclass(frozen=True, slots=True)
class LostFact:
    """``type``: that of the finding it came from; ``alias`` for a name that an entry loses."""

    type: str
    name: str
    description: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class OrphanedThread:
    """A thread whose seed is gone, with the passages that it leaves without one."""

    thread: Thread
    description: str
    status: str
    payoffs: list[Event]


@dataclass(frozen=True, slots=True)
class Impact:
    vanishing: list[LostFact] = field(default_factory=list)
    orphaned_threads: list[OrphanedThread] = field(default_factory=list)
    contradictions: list[Notice] = field(default_factory=list)


def compare(before: Bible, after: Bible, rules: Rules) -> Impact:
    """What is in the first and not in the second; contradictions the other way round."""
    people = _heirs(before.people, after.people)
    things = _heirs(before.world_entries, after.world_entries)
    lost = [*_lost_entries(before.people, people), *_lost_entries(before.world_entries, things)]
    lost += _lost_states(before, after, people)
    lost += _lost_relationships(before, after, people)
    seeds, orphaned = _threads(before, after, rules)
    lost += [*seeds, *_lost_payoffs(before, after)]
    known = {notice.ref for notice in _contradictions(before)}
    told = {one.ref: one for one in _contradictions(after) if one.ref not in known}
    return Impact(lost, orphaned, list(told.values()))


def _heirs(before: Collection[E], after: Collection[E]) -> dict[str, E]:
    """Which entry each one lives on as, by natural key: the same, else one that is called so.

    Unless that one was there before beside it: two may share a by-name.
    """
    same = {entry.natural_key: entry for entry in after}
    were = {entry.natural_key for entry in before}
    new = [entry for entry in after if entry.natural_key not in were]
    called = {name: entry for entry in new for name in sorted(entry.keys())}
    found: dict[str, E] = {}
    for entry in before:
        heirs = (called[name] for name in sorted(entry.keys()) if name in called)
        heir = same.get(entry.natural_key) or next(heirs, None)
        if heir is not None:
            found[entry.natural_key] = heir
    return found


def _lost_entries(before: Collection[E], heirs: Mapping[str, E]) -> Iterator[LostFact]:
    for entry in before:
        heir = heirs.get(entry.natural_key)
        kind = entry.kind if isinstance(entry, WorldEntry) else "character"
        if heir is None:
            yield LostFact(kind, entry.name, entry.description, entry.fact)
            continue
        kept = heir.keys()
        for name, fact in _names(entry):
            if _key(entry, name) not in kept:
                yield LostFact("alias", name, heir.name, fact)


def _names(entry: Named) -> Iterator[tuple[str, Fact]]:
    yield entry.name, entry.fact
    yield from entry.aliases.items()


def _key(entry: Named, name: str) -> str:
    plain = key(name)
    return world_key(entry.kind, plain) if isinstance(entry, WorldEntry) else plain


def _lost_states(before: Bible, after: Bible, heirs: Mapping[str, Person]) -> Iterator[LostFact]:
    kept = {
        (chapter, state.person, state.kind, state.description) for chapter, state in _states(after)
    }
    names = {person.natural_key: person.name for person in before.people}
    for chapter, state in _states(before):
        heir = heirs.get(state.person)
        own = heir.natural_key if heir else ""
        if (chapter, own, state.kind, state.description) not in kept:
            name = names.get(state.person, state.person)
            yield LostFact("state", name, state.description, state.fact)


def _states(bible: Bible) -> Iterator[tuple[int, State]]:
    for chapter, entries in bible.chapters.items():
        for state in entries.states.values():
            yield chapter, state


def _lost_relationships(
    before: Bible, after: Bible, heirs: Mapping[str, Person]
) -> Iterator[LostFact]:
    kept = {(one.source, one.target, one.relation) for one in after.relationships}
    names = {person.natural_key: person.name for person in before.people}
    for one in before.relationships:
        source, target = heirs.get(one.source), heirs.get(one.target)
        stays = source and target and (source.natural_key, target.natural_key, one.relation) in kept
        if not stays:
            pair = f"{names.get(one.source, '')} · {names.get(one.target, '')}"
            yield LostFact("relationship", pair, one.relation, one.fact)


def _threads(
    before: Bible, after: Bible, rules: Rules
) -> tuple[list[LostFact], list[OrphanedThread]]:
    """Seeds that are gone: those of which nothing came, and those that later passages rest on."""
    kept = {thread.natural_key for thread in after.threads}
    linked = _certain(after)
    came: dict[str, list[Event]] = {}
    for place, event in _certain(before).items():
        if place not in linked:
            came.setdefault(event.thread, []).append(event)
    seeds: list[LostFact] = []
    orphaned: list[OrphanedThread] = []
    for thread in before.threads:
        if thread.natural_key in kept:
            continue
        edited = rules.edited(Thread.scope, [thread.natural_key])
        said = str(edited.get("description", thread.description))
        if payoffs := came.get(thread.natural_key):
            status = rules.statuses.get(thread.natural_key, thread.status)
            payoffs.sort(key=lambda event: (event.distance, event.fact.quote))
            orphaned.append(OrphanedThread(thread, said, status, payoffs))
        else:
            seeds.append(LostFact("foreshadowing", "", said, thread.fact))
    return seeds, orphaned


def _lost_payoffs(before: Bible, after: Bible) -> Iterator[LostFact]:
    """Passages that no longer carry on a thread which stays."""
    kept, linked = {thread.natural_key for thread in after.threads}, _certain(after)
    for place, event in _certain(before).items():
        if place not in linked and event.thread in kept:
            yield LostFact("payoff", "", event.description, event.fact)


def _certain(bible: Bible) -> dict[tuple[int, str], Event]:
    """What carries threads on, by chapter and quote."""
    return {
        (chapter, event.fact.quote): event
        for chapter, entries in bible.chapters.items()
        for event in entries.events.values()
        if event.certain
    }


def _contradictions(bible: Bible) -> Iterator[Notice]:
    for entries in bible.chapters.values():
        yield from (one for one in entries.notices.values() if one.kind in CONTRADICTIONS)
