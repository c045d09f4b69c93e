"""What an analysis is told: the bible as it is before its chapter, as the fold has it.

Never what the chapter itself or a later one says: an analysis that is made again is then told the
same, to the letter, and states the same.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from heapq import nsmallest
from typing import TypeVar, cast

from arboris.bible.decisions import record as decisions
from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.fold import Fold
from arboris.bible.fold.writer_entries import add_writer_entries
from arboris.bible.known_facts import KnownFact, facts_of
from arboris.bible.models import (
    Character,
    CharacterAlias,
    FoldedChapter,
    FoldState,
    ForeshadowingThread,
    WorldEntity,
)
from arboris.bible.storage.current import by_chapter, current_before
from arboris.bible.storage.database import batches
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Person, Thread, WorldEntry
from arboris.bible.types.findings import WorldKind
from arboris.collector import paused_collection
from arboris.novels.models import Chapter

KNOWN_MOST = 500  # people, and world entries, that an analysis is told of: those named most
OPEN_MOST = 200  # and open threads: those planted last
OPEN = ("open", "advanced")
READINGS = 5  # of a bible that others change meanwhile, until one counts as it is


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """``id`` is the place in the list, from 1: what a model calls the person."""

    id: int
    name: str
    aliases: tuple[str, ...]
    role: str
    dead: bool


@dataclass(frozen=True, slots=True)
class KnownEntity:
    kind: WorldKind
    name: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KnownThread:
    chapter_number: int
    description: str
    quote: str
    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """At most KNOWN_MOST people and as many world entries, those named most first; and at most
    OPEN_MOST threads that are not closed, the last planted first."""

    people: tuple[KnownPerson, ...]
    entities: tuple[KnownEntity, ...]
    threads: tuple[KnownThread, ...]
    facts: tuple[KnownFact, ...] = ()


def before(chapter: Chapter, compared: str = "") -> Known:
    """What the chapters before this one, and the writer, say.

    ``facts`` are of the people whom the text ``compared`` names.
    """
    for _ in range(READINGS - 1):
        revision = _revision(chapter.project_id)
        known = _read(chapter, compared)
        if _revision(chapter.project_id) == revision:
            return known
    return _read(chapter, compared)


def _revision(project_id: uuid.UUID) -> int | None:
    rows = FoldState.objects.filter(project_id=project_id)
    return rows.values_list("revision", flat=True).first()


def _read(chapter: Chapter, compared: str) -> Known:
    rules = decisions.rules(chapter.project_id)
    taken_back = _taken_back(chapter)
    if taken_back is None:
        return of_store(_folded(chapter, rules), rules, chapter.chapter_number, compared)
    return of_store(taken_back, rules, chapter.chapter_number, compared, chapter.project_id)


def of_store(
    store: MemoryEntryStore,
    rules: Rules,
    number: int,
    compared: str = "",
    project_id: uuid.UUID | None = None,
) -> Known:
    """What a store knows before the chapter of that number; with the novel's rows beside it, where
    the store has only what differs from them."""
    people = _people(store, project_id, rules)
    named = [one for one in people if any(name in compared for name in (one.name, *one.aliases))]
    return Known(
        tuple(
            KnownPerson(number, one.name, one.aliases, one.role, one.dead)
            for number, one in enumerate(people, 1)
        ),
        tuple(
            KnownEntity(cast(WorldKind, one.kind), one.name, one.aliases)
            for one in _things(store, project_id)
        ),
        tuple(_threads(store, project_id, rules, number)),
        tuple(facts_of(store, project_id, {one.natural_key: one.name for one in named})),
    )


@dataclass(frozen=True, slots=True)
class Named:
    """A person or a world entry: its names, and of a person the role and whether dead."""

    natural_key: str
    name: str
    mentions: int
    aliases: tuple[str, ...]
    kind: str = "character"
    pk: int = 0  # of a row whose aliases are still to be read
    role: str = ""
    dead: bool = False

    @classmethod
    def of(cls, entry: Person | WorldEntry) -> Named:
        kind = entry.kind if isinstance(entry, WorldEntry) else "character"
        aliases = tuple(sorted(entry.aliases))
        return cls(entry.natural_key, entry.name, entry.mentions, aliases, kind)

    @classmethod
    def of_person(cls, entry: Person, rules: Rules) -> Named:
        role = rules.edited(Person.scope, entry.keys()).get("role", entry.role)
        return replace(cls.of(entry), role=role, dead=entry.death is not None)


N = TypeVar("N", Person, WorldEntry, Named)


def _people(store: MemoryEntryStore, project_id: uuid.UUID | None, rules: Rules) -> list[Named]:
    """Those of the store, and of the novel's rows those that the store does not have otherwise."""
    people = (one for one in store.entries.values() if isinstance(one, Person))
    found = [Named.of_person(one, rules) for one in _most_named(people)]
    if project_id is None:
        return found
    rows = Character.objects.filter(project_id=project_id).order_by("-mentions", "natural_key")
    columns = rows.values_list("natural_key", "name", "mentions", "pk", "role", "death")
    for key, name, mentions, pk, role, death in columns[: KNOWN_MOST + len(store.entries)]:
        if (Person.scope, key) not in store.entries:
            dead = death is not None
            found.append(Named(key, name, mentions, (), pk=pk, role=role, dead=dead))
    most = _most_named(found)
    aliases: defaultdict[int, list[str]] = defaultdict(list)
    for batch in batches(one.pk for one in most if one.pk):
        named = CharacterAlias.objects.filter(character_id__in=batch)
        for pk, alias in named.values_list("character_id", "name"):
            aliases[pk].append(alias)
    return [replace(one, aliases=tuple(sorted(aliases[one.pk]))) if one.pk else one for one in most]


def _things(store: MemoryEntryStore, project_id: uuid.UUID | None) -> list[Named]:
    """As ``_people``."""
    things = (one for one in store.entries.values() if isinstance(one, WorldEntry))
    found = [Named.of(one) for one in _most_named(things)]
    if project_id is not None:
        rows = WorldEntity.objects.filter(project_id=project_id)
        columns = rows.order_by("-mentions", "natural_key").values_list(
            "natural_key", "name", "mentions", "aliases", "kind"
        )
        for natural_key, name, mentions, aliases, kind in columns[
            : KNOWN_MOST + len(store.entries)
        ]:
            if (WorldEntry.scope, natural_key) not in store.entries:
                found.append(Named(natural_key, name, mentions, tuple(sorted(aliases)), kind))
    return _most_named(found)


def _most_named(found: Iterable[N]) -> list[N]:
    return nsmallest(KNOWN_MOST, found, key=lambda one: (-one.mentions, one.natural_key))


def _threads(
    store: MemoryEntryStore, project_id: uuid.UUID | None, rules: Rules, number: int
) -> list[KnownThread]:
    """As ``_people``: those that were planted before this chapter and are not closed."""
    mine = (
        one
        for one in store.entries.values()
        if isinstance(one, Thread) and rules.statuses.get(one.natural_key, one.status) in OPEN
    )
    last = nsmallest(
        OPEN_MOST,
        (one for one in mine if one.chapter_number < number),
        key=lambda one: (-one.chapter_number, one.fact.quote, one.natural_key),
    )
    found = [
        (
            one.natural_key,
            KnownThread(one.chapter_number, one.description, one.fact.quote, tuple(one.keywords)),
        )
        for one in last
    ]
    if project_id is not None:
        rows = ForeshadowingThread.objects.filter(
            project_id=project_id, status__in=OPEN, chapter_number__lt=number
        ).order_by("-chapter_number", "quote", "natural_key")
        columns = rows.values_list(
            "natural_key", "chapter_number", "description", "quote", "keywords"
        )
        for natural_key, at, said, quote, words in columns[: OPEN_MOST + len(store.entries)]:
            if (Thread.scope, natural_key) not in store.entries:
                found.append((natural_key, KnownThread(at, said, quote, tuple(words))))
    found.sort(key=lambda one: (-one[1].chapter_number, one[1].quote, one[0]))
    return [thread for _, thread in found if thread.chapter_number < number][:OPEN_MOST]


def _taken_back(asking: Chapter) -> MemoryEntryStore | None:
    """What the chapter and the later ones have changed, as it was before: the tables have the rest.

    None where those are not up to date, or a journal is not kept any more.
    """
    project_id = asking.project_id
    if not FoldState.objects.filter(project_id=project_id, outdated=False).exists():
        return None
    later = FoldedChapter.objects.filter(project_id=project_id, number__gte=asking.chapter_number)
    store = MemoryEntryStore()
    for chapter in later.order_by("-number"):
        if chapter.journal is None:
            return None
        store.undo(chapter.journal)
    return store


def _folded(chapter: Chapter, rules: Rules) -> MemoryEntryStore:
    """The chapters before this one, folded anew."""
    store = MemoryEntryStore()
    add_writer_entries(store, rules)
    folding = Fold(store, rules)
    with paused_collection():
        found = by_chapter(current_before(chapter))
        for findings in sorted(found.values(), key=lambda findings: findings[0].chapter_number):
            folding.chapter(findings)
    return store
