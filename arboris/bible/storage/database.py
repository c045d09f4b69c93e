"""The shelf over the bible's tables: fetches what a chapter asks for, and nothing else."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Any, TypeVar

from django.db.models import Model

from arboris.bible import models
from arboris.bible.storage.memory import Shelf
from arboris.bible.types.entries import Entry, Fact, Person, Scope, Thing, Thread, Tie

FACT_COLUMNS = tuple(field.name for field in fields(Fact))
BATCH = 400  # values in one IN (…)
T = TypeVar("T")

TABLES: dict[Scope, type[Model]] = {
    "person": models.Character,
    "thing": models.WorldEntity,
    "thread": models.ForeshadowingThread,
    "tie": models.Relationship,
}


class Rows(Shelf):
    def __init__(self, project_id: uuid.UUID) -> None:
        super().__init__()
        self._project_id = project_id
        self._asked: set[tuple[Scope, str]] = set()

    def fetch(self, scope: Scope, nids: Iterable[str]) -> None:
        missing = [nid for nid in dict.fromkeys(nids) if (scope, nid) not in self.entries]
        for batch in batches(missing):
            for entry in stored(self._project_id, scope, batch):
                self._place(entry)
        for nid in missing:
            self.entries.setdefault((scope, nid), None)

    def fetch_handles(self, scope: Scope, handles: Iterable[str]) -> None:
        new = [h for h in dict.fromkeys(handles) if (scope, h) not in self._asked]
        self._asked.update((scope, handle) for handle in new)
        found: dict[str, None] = {}
        for batch in batches(new):
            rows = models.Handle.objects.filter(
                project_id=self._project_id, scope=scope, handle__in=batch
            )
            for handle, nid in rows.values_list("handle", "nid"):
                self._held[(scope, handle)].setdefault(nid)
                found.setdefault(nid)
        self.fetch(scope, found)

    def most_mentions(self) -> int:
        """The tables know of everybody but those whom this fold has at hand."""
        mine = [e for (scope, _), e in self.entries.items() if scope == Person.scope]
        known = [nid for scope, nid in self.entries if scope == Person.scope]
        most = max((e.mentions for e in mine if isinstance(e, Person)), default=0)
        others = models.Character.objects.filter(project_id=self._project_id)
        for batch in batches(known):
            others = others.exclude(nid__in=batch)
        top = others.order_by("-mentions").values_list("mentions", flat=True).first()
        return max(most, top or 0)


def stored(project_id: uuid.UUID, scope: Scope, nids: list[str] | None = None) -> Iterator[Entry]:
    """The entries as the tables have them: those, or all of the novel."""
    rows = TABLES[scope]._default_manager.filter(project_id=project_id)
    if nids is not None:
        rows = rows.filter(nid__in=nids)
    if scope == "person":
        aliases = models.CharacterAlias.objects.filter(character__in=rows)
        by_person: defaultdict[int, dict[str, Fact]] = defaultdict(dict)
        for alias in aliases.order_by("name"):
            by_person[alias.character_id][alias.name] = fact(alias)
        for row in rows:
            yield _person(row, by_person.get(row.pk, {}))
    elif scope == "tie":
        for row in rows.select_related("source", "target"):
            yield _MAKERS[scope](row)
    else:
        for row in rows:
            yield _MAKERS[scope](row)


def _person(row: Any, aliases: dict[str, Fact]) -> Person:
    return Person(
        nid=row.nid,
        name=row.name,
        fact=fact(row),
        last_chapter_id=row.last_chapter_id,
        name_chapter_id=row.name_chapter_id,
        role=row.role,
        description=row.description,
        personality=row.personality,
        goals=row.goals,
        abilities=row.abilities,
        mentions=row.mentions,
        aliases=aliases,
        death=_fact_of_json(row.death),
    )


def _thing(row: Any) -> Thing:
    return Thing(
        nid=row.nid,
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
        nid=row.nid,
        kind=row.kind,
        description=row.description,
        keywords=row.keywords,
        chapter_number=row.chapter_number,
        fact=fact(row),
        status=row.status,
    )


def _tie(row: Any) -> Tie:
    return Tie(row.nid, row.source.nid, row.target.nid, row.relation, fact(row))


_MAKERS: dict[Scope, Callable[[Any], Entry]] = {"thing": _thing, "thread": _thread, "tie": _tie}


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
