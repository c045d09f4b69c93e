"""Writing what was folded: only what differs from the tables, so that ids and rows stay."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

from django.db import models as orm

from arboris.bible import models
from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.writer_entries import relationships
from arboris.bible.storage.database import TABLES, DatabaseEntryStore, batches, fact_columns
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Person, RelationshipEntry, Scope, Thread, WorldEntry
from arboris.sql import Update, write

Row = TypeVar("Row", bound=orm.Model)
E = TypeVar("E", Person, WorldEntry, Thread, RelationshipEntry)
Key = tuple[Any, ...]
Wanted = dict[Key, dict[str, Any]]


class EntryWriter:
    """Writes a store's entries into the novel's tables, in the caller's transaction.

    A store from the tables knows the rows that it has fetched, and only those are looked at. One in
    memory holds the whole novel, and whatever else is in the tables is deleted. ``chapters``: the
    ids of those whose entries are in the tables already, and are replaced.
    """

    def __init__(
        self,
        project_id: uuid.UUID,
        store: MemoryEntryStore,
        rules: Rules,
        chapters: Collection[int] = (),
    ) -> None:
        self._project_id = project_id
        self._store = store
        self._rules = rules
        self._chapters = list(chapters)
        self._fetched = store if isinstance(store, DatabaseEntryStore) else None

    def save(self) -> None:
        own = relationships(self._store, self._rules)
        self._store.fetch(RelationshipEntry.scope, own)
        for natural_key, relationship in own.items():
            self._store.entries[(RelationshipEntry.scope, natural_key)] = relationship
        people = self._save(Person, self._person)
        self._save_aliases(people)
        ids = {natural_key: row.pk for natural_key, row in people.items()}
        self._save(WorldEntry, self._thing)
        threads = self._save(Thread, self._thread)
        self._save(RelationshipEntry, lambda relationship: self._relate(relationship, ids))
        self._save_pages(ids, {natural_key: row.pk for natural_key, row in threads.items()})
        self._save_search_keys()

    def _in_store(self, kind: type[E]) -> dict[str, E | None]:
        return {
            natural_key: entry  # type: ignore[misc]
            for (scope, natural_key), entry in self._store.entries.items()
            if scope == kind.scope
        }

    def _save(self, kind: type[E], columns: Callable[[E], dict[str, Any] | None]) -> dict[str, Any]:
        """The rows of all entries of that kind, by natural key."""
        entries = self._in_store(kind)
        rows: orm.QuerySet[Any] = TABLES[kind.scope]._default_manager.filter(
            project_id=self._project_id
        )
        wanted: Wanted = {}
        for natural_key, entry in entries.items():
            values = columns(entry) if entry is not None else None
            if values is not None:
                wanted[(natural_key,)] = {"project_id": self._project_id, **values}
        if self._fetched is None:
            self._keep_ids_of_renamed(kind.scope, rows, entries)
        found = sync(rows, ("natural_key",), wanted, self._had(rows, kind.scope))
        saved = {natural_key: row for (natural_key,), row in found.items()}
        # MySQL's driver does not hand back the ids of new rows.
        for batch in batches(natural_key for natural_key, row in saved.items() if row.pk is None):
            saved |= {row.natural_key: row for row in rows.filter(natural_key__in=batch)}
        return saved

    def _had(self, rows: orm.QuerySet[Any], scope: Scope) -> Iterable[Any]:
        return rows if self._fetched is None else self._fetched.rows[scope]

    def _keep_ids_of_renamed(
        self, scope: Scope, rows: orm.QuerySet[Any], entries: Collection[str]
    ) -> None:
        """What the writer renamed or merged goes on in its row, where nothing else has one."""
        had = set(rows.values_list("natural_key", flat=True))
        for natural_key in sorted(had - set(entries)):
            heir = self._rules.canonical(scope, natural_key)
            if heir in entries and heir not in had:
                rows.filter(natural_key=natural_key).update(natural_key=heir)
                had.add(heir)

    # --- columns ------------------------------------------------------------------------------
    def _person(self, person: Person) -> dict[str, Any]:
        edited = self._rules.edited(Person.scope, person.keys())
        return fact_columns(person.fact) | {
            "name": person.name,
            "role": person.role,
            "description": person.description,
            "personality": person.personality,
            "goals": person.goals,
            "abilities": person.abilities,
            "mentions": person.mentions,
            "last_chapter_id": person.last_chapter_id,
            "uses": person.uses,
            "death": fact_columns(person.death) if person.death else None,
            "traits": {name: fact_columns(fact) for name, fact in person.traits.items()} or None,
            **edited,
        }

    def _thing(self, entry: WorldEntry) -> dict[str, Any]:
        edited = self._rules.edited(WorldEntry.scope, entry.keys())
        return fact_columns(entry.fact) | {
            "kind": entry.kind,
            "name": entry.name,
            "aliases": {name: fact_columns(fact) for name, fact in entry.aliases.items()},
            "description": entry.description,
            "mentions": entry.mentions,
            "holder": entry.holder,
            "held": fact_columns(entry.held) if entry.held else None,
            **edited,
        }

    def _thread(self, thread: Thread) -> dict[str, Any]:
        edited = self._rules.edited(Thread.scope, [thread.natural_key])
        return fact_columns(thread.fact) | {
            "kind": thread.kind,
            "description": thread.description,
            "keywords": thread.keywords,
            "chapter_number": thread.chapter_number,
            "status": self._rules.statuses.get(thread.natural_key, thread.status),
            **edited,
        }

    def _relate(
        self, relationship: RelationshipEntry, people: dict[str, int]
    ) -> dict[str, Any] | None:
        if relationship.source not in people or relationship.target not in people:
            return None
        return fact_columns(relationship.fact) | {
            "source_id": people[relationship.source],
            "target_id": people[relationship.target],
            "relation": relationship.relation,
        }

    # --- what hangs on them -------------------------------------------------------------------
    def _save_aliases(self, rows: dict[str, Any]) -> None:
        wanted: Wanted = {
            (rows[person.natural_key].pk, alias): fact_columns(fact)
            for person in self._in_store(Person).values()
            if person is not None
            for alias, fact in person.aliases.items()
        }
        aliases = models.CharacterAlias.objects.filter(character__project_id=self._project_id)
        had = aliases if self._fetched is None else self._fetched.alias_rows
        sync(aliases, ("character_id", "name"), wanted, had)

    def _save_pages(self, people: dict[str, int], threads: dict[str, int]) -> None:
        chapters = self._store.chapters
        states: Wanted = {
            (people[s.person], s.fact.chapter_id, s.kind, s.description): fact_columns(s.fact)
            | {"growth_level": s.growth_level}
            for chapter_entries in chapters.values()
            for s in chapter_entries.states.values()
        }
        events: Wanted = {
            (threads[e.thread], e.fact.chapter_id, e.fact.quote): fact_columns(e.fact)
            | {
                "outcome": e.outcome,
                "description": e.description,
                "certain": e.certain,
                "distance": e.distance,
            }
            for chapter_entries in chapters.values()
            for e in chapter_entries.events.values()
        }
        notices: Wanted = {
            (notice.chapter_id, notice.ref): {
                "project_id": self._project_id,
                "kind": notice.kind,
                "subject": notice.subject,
                "data": notice.data,
            }
            for chapter_entries in chapters.values()
            for notice in chapter_entries.notices.values()
        }
        of_people = models.CharacterState.objects.filter(character__project_id=self._project_id)
        of_state = ("character_id", "chapter_id", "kind", "description")
        sync(of_people, of_state, states, self._of_chapters(of_people))
        of_threads = models.ForeshadowingEvent.objects.filter(thread__project_id=self._project_id)
        of_event = ("thread_id", "chapter_id", "quote")
        sync(of_threads, of_event, events, self._of_chapters(of_threads))
        of_novel = models.Notice.objects.filter(project_id=self._project_id)
        sync(of_novel, ("chapter_id", "ref"), notices, self._of_chapters(of_novel))

    def _of_chapters(self, rows: orm.QuerySet[Row]) -> Iterable[Row]:
        if self._fetched is None:
            return rows
        return rows.filter(chapter_id__in=self._chapters) if self._chapters else []

    def _save_search_keys(self) -> None:
        wanted: set[Key] = set()
        changed: dict[Scope, list[str]] = {scope: [] for scope in TABLES}
        for place, entry in self._store.entries.items():
            search_keys = entry.search_keys() if entry is not None else set()
            if self._fetched and search_keys == self._fetched.stored_search_keys.get(place, set()):
                continue
            changed[place[0]].append(place[1])
            wanted.update((*place, *found_by) for found_by in search_keys)
        rows = models.SearchKey.objects.filter(project_id=self._project_id)
        parts = [rows]
        if self._fetched is not None:
            parts = [
                rows.filter(scope=scope, natural_key__in=batch)
                for scope, natural_keys in changed.items()
                for batch in batches(natural_keys)
            ]
        columns = ("pk", "scope", "natural_key", "search_key", "partial")
        had = {tuple(row): pk for part in parts for pk, *row in part.values_list(*columns)}
        surplus = [pk for place, pk in had.items() if place not in wanted]
        for batch in batches(surplus):
            rows.filter(pk__in=batch).delete()
        models.SearchKey.objects.bulk_create(
            [
                models.SearchKey(
                    project_id=self._project_id,
                    scope=scope,
                    natural_key=natural_key,
                    search_key=search_key,
                    partial=partial,
                )
                for scope, natural_key, search_key, partial in sorted(wanted - had.keys())
            ],
            batch_size=200,
        )


def sync(
    queryset: orm.QuerySet[Row],
    natural: tuple[str, ...],
    wanted: Wanted,
    had: Iterable[Row],
) -> dict[Key, Row]:
    """Delete, update and add rows until ``queryset`` holds exactly ``wanted`` in place of ``had``.

    Returns it by key; new rows may have no id yet (see ``_save``).
    """
    rows: dict[Key, Row] = {}
    surplus: list[Any] = []
    changes: list[Update] = []
    for row in had:
        place = tuple(getattr(row, name) for name in natural)
        if place not in wanted or place in rows:
            surplus.append(row.pk)
            continue
        rows[place] = row
        if different := _assign(row, wanted[place]):
            changes.append(Update(queryset.model, {"pk": row.pk}, different))
    for batch in batches(surplus):
        queryset.filter(pk__in=batch).delete()
    # Not bulk_update: it makes an expression of every value and costs more than all the rest.
    for part in batches(changes):
        write(*part)
    new = [
        queryset.model(**(dict(zip(natural, place, strict=True)) | values))
        for place, values in wanted.items()
        if place not in rows
    ]
    queryset.model._default_manager.bulk_create(new, batch_size=200)
    return rows | {tuple(getattr(row, name) for name in natural): row for row in new}


def _assign(row: orm.Model, values: dict[str, Any]) -> dict[str, Any]:
    """Set the values; returns those that were others before."""
    different = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in different.items():
        setattr(row, name, value)
    return different
