"""What an analysis is told: the bible as it is before its chapter, as the fold has it.

Never what the chapter itself or a later one says: an analysis that is made again is then told the
same, to the letter, and states the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar, cast

from arboris.bible.decisions import record as decisions
from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.fold import Fold
from arboris.bible.fold.writer_entries import add_writer_entries
from arboris.bible.models import (
    Character,
    FoldedChapter,
    FoldState,
    ForeshadowingThread,
    WorldEntity,
)
from arboris.bible.storage.current import by_chapter, current_before
from arboris.bible.storage.database import DatabaseEntryStore
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Person, Scope, Thread, WorldEntry
from arboris.bible.types.findings import WorldKind
from arboris.novels.models import Chapter

KNOWN_MOST = 500  # people, and world entries, that an analysis is told of: those named most
OPEN_MOST = 200  # and open threads: those planted last
OPEN = ("open", "advanced")
READINGS = 5  # of a bible that others change meanwhile, until one counts as it is

Named = TypeVar("Named", Person, WorldEntry)


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """``id`` is the place in the list, from 1: what a model calls the person."""

    id: int
    name: str
    aliases: tuple[str, ...]


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


def before(chapter: Chapter) -> Known:
    """What the chapters before this one, and the writer, say."""
    for _ in range(READINGS - 1):
        revision = _revision(chapter.project_id)
        known = _read(chapter)
        if _revision(chapter.project_id) == revision:
            return known
    return _read(chapter)


def _revision(project_id: uuid.UUID) -> int | None:
    rows = FoldState.objects.filter(project_id=project_id)
    return rows.values_list("revision", flat=True).first()


def _read(chapter: Chapter) -> Known:
    rules = decisions.rules(chapter.project_id)
    store = _taken_back(chapter, rules) or _folded(chapter, rules)
    entries = [entry for entry in store.entries.values() if entry is not None]
    people = _most_named(one for one in entries if isinstance(one, Person))
    things = _most_named(one for one in entries if isinstance(one, WorldEntry))
    threads = [one for one in entries if isinstance(one, Thread) and _is_open(one, rules)]
    threads.sort(key=lambda one: (-one.chapter_number, one.fact.quote, one.natural_key))
    return Known(
        tuple(
            KnownPerson(number, one.name, tuple(sorted(one.aliases)))
            for number, one in enumerate(people, 1)
        ),
        tuple(
            KnownEntity(cast(WorldKind, one.kind), one.name, tuple(sorted(one.aliases)))
            for one in things
        ),
        tuple(
            KnownThread(one.chapter_number, one.description, one.fact.quote, tuple(one.keywords))
            for one in threads
            if one.chapter_number < chapter.chapter_number
        )[:OPEN_MOST],
    )


def _most_named(entries: Iterable[Named]) -> list[Named]:
    return sorted(entries, key=lambda one: (-one.mentions, one.natural_key))[:KNOWN_MOST]


def _is_open(thread: Thread, rules: Rules) -> bool:
    return rules.statuses.get(thread.natural_key, thread.status) in OPEN


def _taken_back(asking: Chapter, rules: Rules) -> MemoryEntryStore | None:
    """The entries that count, from the tables, the chapter and the later ones taken back.

    None where the tables are not up to date, or a journal is not kept any more.
    """
    project_id, number = asking.project_id, asking.chapter_number
    if not FoldState.objects.filter(project_id=project_id, outdated=False).exists():
        return None
    later = FoldedChapter.objects.filter(project_id=project_id, number__gte=number)
    if later.filter(journal__isnull=True).exists():
        return None
    store = DatabaseEntryStore(project_id)
    for chapter in later.order_by("-number"):
        store.undo(chapter.journal or ())
    touched = len(store.entries)
    by_mentions = ("-mentions", "natural_key")
    people = Character.objects.filter(project_id=project_id).order_by(*by_mentions)
    things = WorldEntity.objects.filter(project_id=project_id).order_by(*by_mentions)
    still_open = ForeshadowingThread.objects.filter(
        project_id=project_id, status__in=OPEN, chapter_number__lt=number
    ).order_by("-chapter_number", "quote", "natural_key")
    wanted: list[tuple[Scope, object]] = [
        (Person.scope, people.values_list("natural_key", flat=True)[: KNOWN_MOST + touched]),
        (WorldEntry.scope, things.values_list("natural_key", flat=True)[: KNOWN_MOST + touched]),
        (Thread.scope, still_open.values_list("natural_key", flat=True)[: OPEN_MOST + touched]),
    ]
    for scope, natural_keys in wanted:
        store.fetch(scope, cast("Iterable[str]", natural_keys))
    return store


def _folded(chapter: Chapter, rules: Rules) -> MemoryEntryStore:
    """The chapters before this one, folded anew."""
    store = MemoryEntryStore()
    add_writer_entries(store, rules)
    folding = Fold(store, rules)
    found = by_chapter(current_before(chapter))
    for findings in sorted(found.values(), key=lambda findings: findings[0].chapter_number):
        folding.chapter(findings)
    return store
