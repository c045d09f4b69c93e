"""The story bible as writers and their tools read it."""

from __future__ import annotations

from typing import Any

from arboris.bible.models import (
    Character,
    Fact,
    ForeshadowingThread,
    Relationship,
    WorldEntity,
)
from arboris.novels.models import NovelProject

WORLD = {"location": "locations", "faction": "factions", "item": "items", "rule": "rules"}


def as_dict(project: NovelProject) -> dict[str, Any]:
    """``{characters, world: {locations, factions, items, rules}, foreshadowings, relationships}``.

    Every entry carries chapter_id, chapter_number, quote, confidence (0 to 1) and basic.
    """
    numbers = dict(project.chapters.values_list("pk", "chapter_number"))
    return {
        "characters": _characters(project, numbers),
        "world": _world(project, numbers),
        "foreshadowings": _foreshadowings(project, numbers),
        "relationships": [
            {
                "id": row.pk,
                "source": row.source.name,
                "target": row.target.name,
                "relation": row.relation,
                **_fact(row, numbers),
            }
            for row in _ordered(
                Relationship.objects.filter(project=project).select_related("source", "target"),
                numbers,
            )
        ],
    }


def _fact(row: Fact, numbers: dict[int, int]) -> dict[str, Any]:
    return {
        "chapter_id": row.chapter_id,
        "chapter_number": numbers[row.chapter_id],
        "quote": row.quote,
        "confidence": round(row.confidence, 3),
        "basic": row.basic,
    }


def _ordered(rows: Any, numbers: dict[int, int]) -> list[Any]:
    return sorted(rows, key=lambda row: (numbers[row.chapter_id], row.pk))


def _characters(project: NovelProject, numbers: dict[int, int]) -> list[dict[str, Any]]:
    rows = Character.objects.filter(project=project).prefetch_related("aliases", "states")
    return [
        {
            "id": row.pk,
            "name": row.name,
            "aliases": sorted(alias.name for alias in row.aliases.all()),
            "role": row.role,
            "description": row.description,
            "personality": row.personality,
            "goals": row.goals,
            "abilities": row.abilities,
            "mentions": row.mentions,
            "first_chapter": numbers[row.chapter_id],
            "last_chapter": numbers[row.last_chapter_id],
            **_fact(row, numbers),
            "states": [
                {"kind": state.kind, "description": state.description, **_fact(state, numbers)}
                for state in _ordered(row.states.all(), numbers)
            ],
        }
        for row in sorted(rows, key=lambda row: (-row.mentions, row.name))
    ]


def _world(project: NovelProject, numbers: dict[int, int]) -> dict[str, Any]:
    world: dict[str, list[dict[str, Any]]] = {plural: [] for plural in WORLD.values()}
    for row in _ordered(WorldEntity.objects.filter(project=project), numbers):
        world[WORLD[row.kind]].append(
            {
                "id": row.pk,
                "name": row.name,
                "aliases": row.aliases,
                "description": row.description,
                "mentions": row.mentions,
                **_fact(row, numbers),
            }
        )
    return world


def _foreshadowings(project: NovelProject, numbers: dict[int, int]) -> list[dict[str, Any]]:
    rows = ForeshadowingThread.objects.filter(project=project).prefetch_related("events")
    return [
        {
            "id": row.pk,
            "kind": row.kind,
            "description": row.description,
            "status": row.status,
            "keywords": row.keywords,
            **_fact(row, numbers),
            "events": [
                {
                    "outcome": event.outcome,
                    "description": event.description,
                    **_fact(event, numbers),
                }
                for event in _ordered(row.events.all(), numbers)
            ],
        }
        for row in _ordered(rows, numbers)
    ]
