"""Entries from the bible's tables: only those that a chapter asks for are fetched."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Any, TypeVar

from django.db.models import Model

from arboris.bible import models
from arboris.bible.storage.memory import Journal, MemoryEntryStore
from arboris.bible.types.entries import (
    Entry,
    Fact,
    Person,
    RelationshipEntry,
    Scope,
    SearchKey,
    Thread,
    WorldEntry,
)

FACT_COLUMNS = tuple(field.name for field in fields(Fact))
BATCH = 400  # values in one IN (…)
T = TypeVar("T")

TABLES: dict[Scope, type[Model]] = {
    "person": models.Character,
    "thing": models.WorldEntity,
    "thread": models.ForeshadowingThread,
    "tie": models.Relationship,
}


class DatabaseEntryStore(MemoryEntryStore):
    """Whoever folds holds the novel's lock: what was fetched stays what the tables hold."""

    def __init__(self, project_id: uuid.UUID) -> None:
        super().__init__()
        self._project_id = project_id
        # The rows of the entries that were fetched, and by which search keys the tables have them.
        self.rows: dict[Scope, list[Any]] = {scope: [] for scope in TABLES}
        self.alias_rows: list[models.CharacterAlias] = []
        self.stored_search_keys: dict[tuple[Scope, str], set[SearchKey]] = {}
        self._asked: set[tuple[Scope, str]] = set()
        # The most mentions of people that were not fetched; None: ask the tables.
        self._most_of_others: int | None = None

    def fetch(self, scope: Scope, natural_keys: Iterable[str]) -> None:
        missing = [
            natural_key
            for natural_key in dict.fromkeys(natural_keys)
            if (scope, natural_key) not in self.entries
        ]
        for batch in batches(missing):
            for entry in self._stored(scope, batch):
                self._place(entry)
                place = (scope, entry.natural_key)
                self.stored_search_keys[place] = self._search_keys[place]
        for natural_key in missing:
            self.entries.setdefault((scope, natural_key), None)

    def _stored(self, scope: Scope, natural_keys: list[str]) -> Iterator[Entry]:
        """The entries as the tables have them."""
        found = TABLES[scope]._default_manager.filter(
            project_id=self._project_id, natural_key__in=natural_keys
        )
        rows = list(found.select_related("source", "target") if scope == "tie" else found)
        self.rows[scope] += rows
        if scope != "person":
            yield from map(_MAKERS[scope], rows)
            return
        self._most_of_others = None
        aliases = models.CharacterAlias.objects.filter(character_id__in=[row.pk for row in rows])
        by_person: defaultdict[int, dict[str, Fact]] = defaultdict(dict)
        for alias in aliases.order_by("name"):
            self.alias_rows.append(alias)
            by_person[alias.character_id][alias.name] = fact(alias)
        for row in rows:
            yield _person(row, by_person[row.pk])

    def undo(self, journal: Journal) -> None:
        """Fetches what the journal is about before, so that its rows are known."""
        for scope in TABLES:
            self.fetch(scope, [natural_key for at, natural_key, _ in journal if at == scope])
        super().undo(journal)

    def fetch_search_keys(self, scope: Scope, search_keys: Iterable[str]) -> None:
        new = [h for h in dict.fromkeys(search_keys) if (scope, h) not in self._asked]
        self._asked.update((scope, search_key) for search_key in new)
        found: dict[str, None] = {}
        for batch in batches(new):
            rows = models.SearchKey.objects.filter(
                project_id=self._project_id, scope=scope, search_key__in=batch
            )
            for search_key, natural_key in rows.values_list("search_key", "natural_key"):
                self._held[(scope, search_key)].setdefault(natural_key)
                found.setdefault(natural_key)
        self.fetch(scope, found)

    def most_mentions(self) -> int:
        """The tables know of everybody but those whom this fold has at hand."""
        if self._most_of_others is None:
            others = models.Character.objects.filter(project_id=self._project_id)
            for batch in batches(row.natural_key for row in self.rows[Person.scope]):
                others = others.exclude(natural_key__in=batch)
            top = others.order_by("-mentions").values_list("mentions", flat=True).first()
            self._most_of_others = top or 0
        mine = (entry.mentions for entry in self.entries.values() if isinstance(entry, Person))
        return max(self._most_of_others, *mine, 0)


def _person(row: Any, aliases: dict[str, Fact]) -> Person:
    return Person(
        natural_key=row.natural_key,
        name=row.name,
        fact=fact(row),
        last_chapter_id=row.last_chapter_id,
        role=row.role,
        description=row.description,
        personality=row.personality,
        goals=row.goals,
        abilities=row.abilities,
        mentions=row.mentions,
        aliases=aliases,
        uses=dict(row.uses),
        death=_fact_of_json(row.death),
        traits={name: Fact(**plain) for name, plain in (row.traits or {}).items()},
    )


def _thing(row: Any) -> WorldEntry:
    return WorldEntry(
        natural_key=row.natural_key,
        kind=row.kind,
        name=row.name,
        fact=fact(row),
        description=row.description,
        mentions=row.mentions,
        aliases={name: Fact(**plain) for name, plain in row.aliases.items()},
        holder=row.holder,
        held=_fact_of_json(row.held),
    )


def _thread(row: Any) -> Thread:
    return Thread(
        natural_key=row.natural_key,
        kind=row.kind,
        description=row.description,
        keywords=row.keywords,
        chapter_number=row.chapter_number,
        fact=fact(row),
        status=row.status,
    )


def _relate(row: Any) -> RelationshipEntry:
    return RelationshipEntry(
        row.natural_key, row.source.natural_key, row.target.natural_key, row.relation, fact(row)
    )


_MAKERS: dict[Scope, Callable[[Any], Entry]] = {"thing": _thing, "thread": _thread, "tie": _relate}


def fact(row: Any) -> Fact:
    return Fact(row.chapter_id, row.quote, row.confidence, row.basic, row.tier, row.ref)


def fact_columns(known: Fact) -> dict[str, Any]:
    return {name: getattr(known, name) for name in FACT_COLUMNS}


def _fact_of_json(plain: dict[str, Any] | None) -> Fact | None:
    return Fact(**plain) if plain else None


def batches(values: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    listed = list(values)
    for at in range(0, len(listed), size):
        yield listed[at : at + size]
