"""The story bible as writers and their tools read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from arboris.bible import behind
from arboris.bible import service as bible_service
from arboris.bible.models import (
    Character,
    Fact,
    ForeshadowingThread,
    Relationship,
    WorldEntity,
)
from arboris.novels.models import NovelProject

Numbers = dict[int | None, int]
STALE_CHAPTERS = 30
WORLD = {"location": "locations", "faction": "factions", "item": "items", "rule": "rules"}


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the bible: a key of the API's answer and a tab of the page.

    ``load`` gives its entries as a list, or as lists by the names of ``parts`` (and their titles).
    """

    title: str | Promise
    load: Callable[[NovelProject, Numbers], Any]
    parts: dict[str, str | Promise] | None = None


def as_shown(project: NovelProject) -> dict[str, Any]:
    """``as_dict``, at once: while a worker folds it by a decision, as it was before, and with
    ``folding`` (true)."""
    folding = behind.is_folded_behind(project.pk)
    return _sections(project) | ({"folding": True} if folding else {})


def as_dict(project: NovelProject) -> dict[str, Any]:
    """``{characters, world: {locations, factions, items, rules}, foreshadowings, relationships}``.

    One key for each of ``SECTIONS``. Every entry carries chapter_id, chapter_number, chapter_title,
    quote, confidence (0 to 1) and basic.
    """
    bible_service.fresh(project.pk)
    return _sections(project)


def _sections(project: NovelProject) -> dict[str, Any]:
    numbers: Numbers = dict(project.chapters.values_list("pk", "chapter_number"))
    bible = {key: section.load(project, numbers) for key, section in SECTIONS.items()}
    return with_titles(bible, project)


T = TypeVar("T")


def with_titles(answer: T, project: NovelProject) -> T:
    """Beside each ``chapter_id`` in it goes the ``chapter_title``, empty where there is none."""
    titles = dict(project.chapters.values_list("pk", "title"))

    def name(value: Any) -> None:
        if isinstance(value, dict):
            for key in [key for key in value if key.endswith("chapter_id")]:
                value[key.replace("_id", "_title")] = titles.get(value[key], "")
            value = value.values()
        elif not isinstance(value, list):
            return
        for inner in value:
            name(inner)

    name(answer)
    return answer


def page_sections() -> list[dict[str, Any]]:
    """``{key, title, parts: [(name, title)…]}`` of each; a plain section is its own one part."""
    return [
        {
            "key": key,
            "title": section.title,
            "parts": list((section.parts or {key: section.title}).items()),
        }
        for key, section in SECTIONS.items()
    ]


def _relationships(project: NovelProject, numbers: Numbers) -> list[dict[str, Any]]:
    rows = Relationship.objects.filter(project=project).select_related("source", "target")
    shown: dict[tuple[int, int, str], dict[str, Any]] = {}
    # What a chapter says goes before the same in the writer's own words, which have no quote.
    for row in sorted(rows, key=lambda row: row.chapter_id is None):
        entry = {
            "id": row.pk,
            "source": row.source.name,
            "target": row.target.name,
            "relation": row.relation,
            **_fact(row, numbers),
        }
        shown.setdefault((row.source_id, row.target_id, row.relation), entry)
    order = ("source", "target", "relation")
    return sorted(
        shown.values(),
        key=lambda one: (one["chapter_number"] or 0, *(one[part] for part in order)),
    )


def _fact(row: Fact, numbers: Numbers) -> dict[str, Any]:
    return {
        "chapter_id": row.chapter_id,
        "chapter_number": numbers.get(row.chapter_id),
        "quote": row.quote,
        "confidence": round(row.confidence, 3),
        "basic": row.basic,
        "tier": row.tier,
        "ref": row.ref,
    }


def _ordered(rows: Any, numbers: Numbers, by: str) -> list[Any]:
    """By chapter, then by what they say: never by ids, which tell when an analysis ended."""
    parts = by.split()
    return sorted(
        rows,
        key=lambda row: (numbers.get(row.chapter_id, 0), *(getattr(row, p) for p in parts)),
    )


def _characters(project: NovelProject, numbers: Numbers) -> list[dict[str, Any]]:
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
            "first_chapter": numbers.get(row.chapter_id),
            "last_chapter": numbers.get(row.last_chapter_id),
            "last_chapter_id": row.last_chapter_id,
            **_fact(row, numbers),
            "states": [
                {
                    "kind": state.kind,
                    "description": state.description,
                    "growth_level": state.growth_level,
                    **_fact(state, numbers),
                }
                for state in _ordered(row.states.all(), numbers, "kind description")
            ],
        }
        for row in sorted(rows, key=lambda row: (-row.mentions, row.name, row.natural_key))
    ]


def _world(project: NovelProject, numbers: Numbers) -> dict[str, Any]:
    world: dict[str, list[dict[str, Any]]] = {plural: [] for plural in WORLD.values()}
    rows = WorldEntity.objects.filter(project=project, kind__in=WORLD)
    for row in _ordered(rows, numbers, "name"):
        world[WORLD[row.kind]].append(_entry(row, numbers))
    return world


def entries_of(kind: str) -> Callable[[NovelProject, Numbers], list[dict[str, Any]]]:
    """The ``load`` of a section with the named entries of one kind."""

    def load(project: NovelProject, numbers: Numbers) -> list[dict[str, Any]]:
        rows = WorldEntity.objects.filter(project=project, kind=kind)
        return [_entry(row, numbers) for row in _ordered(rows, numbers, "name")]

    return load


def _entry(row: WorldEntity, numbers: Numbers) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "aliases": sorted(row.aliases),
        "description": row.description,
        "mentions": row.mentions,
        **_fact(row, numbers),
    }


def _foreshadowings(project: NovelProject, numbers: Numbers) -> list[dict[str, Any]]:
    rows = ForeshadowingThread.objects.filter(project=project).prefetch_related("events")
    last = max(numbers.values(), default=0)
    return [
        {
            "id": row.pk,
            "kind": row.kind,
            "description": row.description,
            "status": row.status,
            "keywords": row.keywords,
            **_age(row, last),
            **_fact(row, numbers),
            "events": [
                {
                    "outcome": event.outcome,
                    "certain": event.certain,
                    "distance": event.distance,
                    "description": event.description,
                    **_fact(event, numbers),
                }
                for event in _ordered(row.events.all(), numbers, "quote")
            ],
        }
        for row in _ordered(rows, numbers, "quote description")
    ]


def _age(row: ForeshadowingThread, last: int) -> dict[str, Any]:
    """``age``: chapters from the seed to the novel's last; None where it has no chapter.

    ``stale``: nothing has come of it for STALE_CHAPTERS.
    """
    if not row.chapter_number:
        return {"age": None, "stale": False}
    touched = max(
        [row.chapter_number, *(row.chapter_number + e.distance for e in row.events.all())]
    )
    closed = row.status in ("paid_off", "abandoned")
    return {
        "age": last - row.chapter_number,
        "stale": not closed and last - touched >= STALE_CHAPTERS,
    }


SECTIONS: dict[str, Section] = {
    "characters": Section(_("Characters"), _characters),
    "world": Section(
        _("World"),
        _world,
        {
            "locations": _("Locations"),
            "factions": _("Factions"),
            "items": _("Items"),
            "rules": _("Rules of the world"),
        },
    ),
    "foreshadowings": Section(_("Foreshadowing"), _foreshadowings),
    "relationships": Section(_("Relationships"), _relationships),
}
