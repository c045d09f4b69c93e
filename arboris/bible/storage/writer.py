"""Writing what was folded: only what differs from the tables, so that ids and rows stay."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict
from typing import Any, TypeVar

from django.db import models as orm

from arboris.bible import models
from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.writer_entries import ties
from arboris.bible.storage.database import TABLES, batches, fact_columns
from arboris.bible.storage.memory import Shelf
from arboris.bible.types.entries import Person, Scope, Thing, Thread, Tie

Row = TypeVar("Row", bound=orm.Model)
E = TypeVar("E", Person, Thing, Thread, Tie)
Key = tuple[Any, ...]
Wanted = dict[Key, dict[str, Any]]


class Store:
    """Makes a novel's tables equal to a shelf, in the caller's transaction.

    ``chapters`` are those whose pages are on the shelf; None: all of the novel is, and whatever the
    tables hold beyond it goes.
    """

    def __init__(
        self, project_id: uuid.UUID, shelf: Shelf, rules: Rules, chapters: Collection[int] | None
    ) -> None:
        self._project_id = project_id
        self._shelf = shelf
        self._rules = rules
        self._chapters = chapters

    def save(self) -> None:
        for nid, tie in ties(self._shelf, self._rules).items():
            self._shelf.entries[(Tie.scope, nid)] = tie
        people = self._save(Person, self._person)
        self._save_aliases(people)
        ids = {nid: row.pk for nid, row in people.items()}
        self._save(Thing, self._thing)
        threads = self._save(Thread, self._thread)
        self._save(Tie, lambda tie: self._tie(tie, ids))
        self._save_pages(ids, {nid: row.pk for nid, row in threads.items()})
        self._save_handles()

    def _on_shelf(self, kind: type[E]) -> dict[str, E | None]:
        return {
            nid: entry  # type: ignore[misc]
            for (scope, nid), entry in self._shelf.entries.items()
            if scope == kind.scope
        }

    def _save(self, kind: type[E], columns: Callable[[E], dict[str, Any] | None]) -> dict[str, Any]:
        """The rows of all entries of that kind, by nid."""
        entries = self._on_shelf(kind)
        rows = TABLES[kind.scope]._default_manager.filter(project_id=self._project_id)
        wanted: Wanted = {}
        for nid, entry in entries.items():
            values = columns(entry) if entry is not None else None
            if values is not None:
                wanted[(nid,)] = {"project_id": self._project_id, **values}
        if self._chapters is None:
            self._keep_ids_of_renamed(kind.scope, rows, entries)
            return _by_nid(sync(rows, ("nid",), wanted))
        return _by_nid(sync(rows, ("nid",), wanted, among=("nid__in", list(entries))))

    def _keep_ids_of_renamed(
        self, scope: Scope, rows: orm.QuerySet[Any], entries: Collection[str]
    ) -> None:
        """What the writer renamed or merged goes on in its row, where nothing else has one."""
        had = set(rows.values_list("nid", flat=True))
        for nid in sorted(had - set(entries)):
            heir = self._rules.canonical(scope, nid)
            if heir in entries and heir not in had:
                rows.filter(nid=nid).update(nid=heir)
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
            "name_chapter_id": person.name_chapter_id,
            "death": asdict(person.death) if person.death else None,
            **edited,
        }

    def _thing(self, thing: Thing) -> dict[str, Any]:
        edited = self._rules.edited(Thing.scope, thing.keys())
        return fact_columns(thing.fact) | {
            "kind": thing.kind,
            "name": thing.name,
            "aliases": {name: asdict(fact) for name, fact in thing.aliases.items()},
            "description": thing.description,
            "mentions": thing.mentions,
            "holder": thing.holder,
            "held": asdict(thing.held) if thing.held else None,
            **edited,
        }

    def _thread(self, thread: Thread) -> dict[str, Any]:
        edited = self._rules.edited(Thread.scope, [thread.nid])
        return fact_columns(thread.fact) | {
            "kind": thread.kind,
            "description": thread.description,
            "keywords": thread.keywords,
            "chapter_number": thread.chapter_number,
            "status": self._rules.statuses.get(thread.nid, thread.status),
            **edited,
        }

    def _tie(self, tie: Tie, people: dict[str, int]) -> dict[str, Any] | None:
        if tie.source not in people or tie.target not in people:
            return None
        return fact_columns(tie.fact) | {
            "source_id": people[tie.source],
            "target_id": people[tie.target],
            "relation": tie.relation,
        }

    # --- what hangs on them -------------------------------------------------------------------
    def _save_aliases(self, rows: dict[str, Any]) -> None:
        wanted: Wanted = {
            (rows[person.nid].pk, alias): fact_columns(fact)
            for person in self._on_shelf(Person).values()
            if person is not None
            for alias, fact in person.aliases.items()
        }
        aliases = models.CharacterAlias.objects.filter(character__project_id=self._project_id)
        among = None
        if self._chapters is not None:
            among = ("character_id__in", [row.pk for row in rows.values()])
        sync(aliases, ("character_id", "name"), wanted, among=among)

    def _save_pages(self, people: dict[str, int], threads: dict[str, int]) -> None:
        pages = self._shelf.pages
        states: Wanted = {
            (people[s.person], s.fact.chapter_id, s.kind, s.description): fact_columns(s.fact)
            | {"growth_level": s.growth_level}
            for page in pages.values()
            for s in page.states.values()
        }
        events: Wanted = {
            (threads[e.thread], e.fact.chapter_id, e.fact.quote): fact_columns(e.fact)
            | {
                "outcome": e.outcome,
                "description": e.description,
                "certain": e.certain,
                "distance": e.distance,
            }
            for page in pages.values()
            for e in page.events.values()
        }
        notices: Wanted = {
            (notice.chapter_id, notice.ref): {
                "project_id": self._project_id,
                "kind": notice.kind,
                "subject": notice.subject,
                "data": notice.data,
            }
            for page in pages.values()
            for notice in page.notices.values()
        }
        among = None if self._chapters is None else ("chapter_id__in", list(self._chapters))
        of_people = models.CharacterState.objects.filter(character__project_id=self._project_id)
        natural = ("character_id", "chapter_id", "kind", "description")
        sync(of_people, natural, states, among=among)
        of_threads = models.ForeshadowingEvent.objects.filter(thread__project_id=self._project_id)
        sync(of_threads, ("thread_id", "chapter_id", "quote"), events, among=among)
        of_novel = models.Notice.objects.filter(project_id=self._project_id)
        sync(of_novel, ("chapter_id", "ref"), notices, among=among)

    def _save_handles(self) -> None:
        wanted = {
            (entry.scope, nid, handle, partial)
            for (_, nid), entry in self._shelf.entries.items()
            if entry is not None
            for handle, partial in entry.handles()
        }
        rows = models.Handle.objects.filter(project_id=self._project_id)
        had: dict[tuple[str, str, str, bool], int] = {}
        for scope in TABLES:
            nids = [nid for at, nid in self._shelf.entries if at == scope]
            parts = [rows.filter(scope=scope)]
            if self._chapters is not None:
                parts = [parts[0].filter(nid__in=batch) for batch in batches(nids)]
            for part in parts:
                for pk, *place in part.values_list("pk", "scope", "nid", "handle", "partial"):
                    had[tuple(place)] = pk  # type: ignore[index]
        surplus = [pk for place, pk in had.items() if place not in wanted]
        for batch in batches(surplus):
            rows.filter(pk__in=batch).delete()
        models.Handle.objects.bulk_create(
            [
                models.Handle(
                    project_id=self._project_id,
                    scope=scope,
                    nid=nid,
                    handle=handle,
                    partial=partial,
                )
                for scope, nid, handle, partial in sorted(wanted - had.keys())
            ],
            batch_size=200,
        )


def _by_nid(rows: dict[Key, Any]) -> dict[str, Any]:
    return {nid: row for (nid,), row in rows.items()}


def sync(
    queryset: orm.QuerySet[Row],
    natural: tuple[str, ...],
    wanted: Wanted,
    *,
    among: tuple[str, list[Any]] | None = None,
) -> dict[Key, Row]:
    """Delete, update and add rows until ``queryset`` holds exactly ``wanted``; returns it by key.

    ``among`` (a lookup and its values) narrows it to the rows that are looked at.
    """
    rows: dict[Key, Row] = {}
    surplus: list[Any] = []
    changed: list[Row] = []
    columns: set[str] = set()
    for row in _looked_at(queryset, among):
        place = tuple(getattr(row, name) for name in natural)
        if place not in wanted or place in rows:
            surplus.append(row.pk)
            continue
        rows[place] = row
        if different := _assign(row, wanted[place]):
            changed.append(row)
            columns |= different
    for batch in batches(surplus):
        queryset.filter(pk__in=batch).delete()
    manager = queryset.model._default_manager
    if changed:
        manager.bulk_update(changed, sorted(columns), batch_size=100)
    new = [
        queryset.model(**(dict(zip(natural, place, strict=True)) | values))
        for place, values in wanted.items()
        if place not in rows
    ]
    manager.bulk_create(new, batch_size=200)
    if any(row.pk is None for row in new):  # MySQL's driver does not hand back the ids
        new = list(_looked_at(queryset, among))
    return rows | {tuple(getattr(row, name) for name in natural): row for row in new}


def _looked_at(queryset: orm.QuerySet[Row], among: tuple[str, list[Any]] | None) -> Iterable[Row]:
    if among is None:
        return queryset
    lookup, values = among
    return [row for batch in batches(values) for row in queryset.filter(**{lookup: batch})]


def _assign(row: orm.Model, values: dict[str, Any]) -> set[str]:
    """Set the values; returns the names of those that were others before."""
    different = {name for name, value in values.items() if getattr(row, name) != value}
    for name in different:
        setattr(row, name, values[name])
    return different
