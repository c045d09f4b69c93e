"""Writing a folded bible: only what differs from the tables, so that ids and rows stay."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import models

from arboris.bible import fold
from arboris.bible.models import (
    Character,
    CharacterAlias,
    CharacterState,
    ForeshadowingEvent,
    ForeshadowingThread,
    Relationship,
    WorldEntity,
)

Row = TypeVar("Row", bound=models.Model)
Wanted = dict[tuple[Any, ...], dict[str, Any]]


def save(project_id: uuid.UUID, bible: fold.Bible) -> None:
    """Make the novel's bible tables equal to ``bible``, in the caller's transaction."""
    characters = _sync(
        Character.objects.filter(project_id=project_id),
        ("name",),
        {(person.name,): _person(project_id, person) for person in bible.people},
    )
    ids = {name: row.pk for (name,), row in characters.items()}
    _sync(
        CharacterAlias.objects.filter(character__project_id=project_id),
        ("character_id", "name"),
        {
            (ids[person.name], alias): _fact(fact)
            for person in bible.people
            for alias, fact in person.aliases.items()
        },
    )
    _sync(
        CharacterState.objects.filter(character__project_id=project_id),
        ("character_id", "chapter_id", "kind", "description"),
        {
            (ids[person.name], *place): _fact(fact)
            for person in bible.people
            for place, fact in person.states.items()
        },
    )
    _sync(
        Relationship.objects.filter(project_id=project_id),
        ("source_id", "target_id", "relation"),
        {
            (ids[source], ids[target], relation): _fact(fact) | {"project_id": project_id}
            for (source, target, relation), fact in bible.relations.items()
        },
    )
    _sync(
        WorldEntity.objects.filter(project_id=project_id),
        ("kind", "name"),
        {place: _entity(project_id, entity) for place, entity in bible.entities.items()},
    )
    _save_threads(project_id, bible.threads)


def _save_threads(project_id: uuid.UUID, threads: list[fold.Thread]) -> None:
    rows = _sync(
        ForeshadowingThread.objects.filter(project_id=project_id),
        ("chapter_id", "quote"),
        {
            (thread.fact.chapter_id, thread.fact.quote): _fact(thread.fact)
            | {
                "project_id": project_id,
                "kind": thread.kind,
                "description": thread.description,
                "keywords": thread.keywords,
                "status": thread.status,
            }
            for thread in threads
        },
    )
    _sync(
        ForeshadowingEvent.objects.filter(thread__project_id=project_id),
        ("thread_id", "chapter_id", "quote"),
        {
            (rows[(thread.fact.chapter_id, thread.fact.quote)].pk, *place): _fact(fact)
            | {"description": description, "outcome": outcome}
            for thread in threads
            for place, (outcome, description, fact) in thread.events.items()
        },
    )


def _fact(fact: fold.Fact) -> dict[str, Any]:
    return {
        "chapter_id": fact.chapter_id,
        "quote": fact.quote,
        "confidence": fact.confidence,
        "basic": fact.basic,
    }


def _person(project_id: uuid.UUID, person: fold.Person) -> dict[str, Any]:
    return _fact(person.fact) | {
        "project_id": project_id,
        "role": person.role,
        "description": person.description,
        "personality": person.personality,
        "goals": person.goals,
        "abilities": person.abilities,
        "mentions": person.mentions,
        "last_chapter_id": person.last_chapter_id,
    }


def _entity(project_id: uuid.UUID, entity: fold.Entity) -> dict[str, Any]:
    return _fact(entity.fact) | {
        "project_id": project_id,
        "aliases": entity.aliases,
        "description": entity.description,
        "mentions": entity.mentions,
    }


def _sync(
    queryset: models.QuerySet[Row], natural: tuple[str, ...], wanted: Wanted
) -> dict[tuple[Any, ...], Row]:
    """Delete, update and add rows until ``queryset`` holds exactly ``wanted``; returns it by key."""
    rows: dict[tuple[Any, ...], Row] = {}
    surplus: list[Any] = []
    changed: list[Row] = []
    for row in queryset:
        place = tuple(getattr(row, name) for name in natural)
        if place not in wanted or place in rows:
            surplus.append(row.pk)
            continue
        rows[place] = row
        if _assign(row, wanted[place]):
            changed.append(row)
    if surplus:
        queryset.filter(pk__in=surplus).delete()
    if changed:
        queryset.model._default_manager.bulk_update(changed, _columns(wanted), batch_size=200)
    new = [
        queryset.model(**(dict(zip(natural, place, strict=True)) | values))
        for place, values in wanted.items()
        if place not in rows
    ]
    queryset.model._default_manager.bulk_create(new, batch_size=200)
    if new and any(row.pk is None for row in new):  # MariaDB's driver may not hand back the ids
        return {tuple(getattr(row, name) for name in natural): row for row in queryset.all()}
    return rows | {tuple(getattr(row, name) for name in natural): row for row in new}


def _assign(row: models.Model, values: dict[str, Any]) -> bool:
    before = {name: getattr(row, name) for name in values}
    for name, value in values.items():
        setattr(row, name, value)
    return before != values


def _columns(wanted: Wanted) -> Iterable[str]:
    return next(iter(wanted.values())).keys()
