"""Search a novel: where the words stand, in every chapter, and whoever is called by them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from arboris.bible import service as bible_service
from arboris.bible.models import Character, WorldEntity
from arboris.bible.types.names import key
from arboris.novels.models import NovelProject
from arboris.workspace.search.excerpt import excerpt
from arboris.workspace.search.pattern import pattern
from arboris.workspace.search.texts import Shown, shown

CHAPTERS_MOST, ENTRIES_MOST, PASSAGES_MOST = 8, 8, 8  # that a palette shows
SHORTEST_PASSAGE = 2  # characters: a single one is everywhere


@dataclass(frozen=True, slots=True)
class Hit:
    """A place in a chapter, in code points: ``chapter.text[offset : offset + length]``."""

    chapter: Shown
    offset: int
    length: int

    @property
    def excerpt(self) -> tuple[str, int]:
        """The words around it, and where in them it begins."""
        return excerpt(self.chapter.text, self.offset, self.length)


@dataclass(slots=True)
class Found:
    """``names``: all that was searched for; ``total`` hits in ``chapters`` chapters."""

    names: list[str]
    hits: list[Hit] = field(default_factory=list)
    total: int = 0
    chapters: int = 0


def names_of(project: NovelProject, query: str) -> list[str]:
    """Every name of the people and things that are called so; none where nobody is.

    A name of one character is left out: it would be found in every sentence.
    """
    bible_service.fresh(project.pk)
    wanted, found = key(query), dict[str, None]()
    people = Character.objects.filter(project=project).prefetch_related("aliases")
    things = WorldEntity.objects.filter(project=project).values_list("name", "aliases")
    called = [[one.name, *sorted(alias.name for alias in one.aliases.all())] for one in people]
    called += [[name, *sorted(aliases)] for name, aliases in things]
    for names in called:
        if wanted in map(key, names):
            found |= dict.fromkeys(name for name in names if len(name) > 1)
    return list(found)


def search(
    project: NovelProject, query: str, *, aliases: bool, offset: int = 0, limit: int = 50
) -> Found:
    """The hits from the ``offset``-th on, at most ``limit``; all are counted."""
    names = names_of(project, query) if aliases else []
    wanted = pattern(query, names)
    found = Found(list(dict.fromkeys([query, *names])))
    for chapter in shown(project):
        before = found.total
        for match in wanted.finditer(chapter.text):
            if offset <= found.total < offset + limit:
                found.hits.append(Hit(chapter, match.start(), len(match.group())))
            found.total += 1
        found.chapters += found.total > before
    return found


# --- going to something ------------------------------------------------------------------------
def go_to(project: NovelProject, query: str) -> dict[str, Any]:
    """What is named so or says so, a few of each kind: chapters, people and things, passages."""
    wanted = pattern(query)
    chapters = project.chapters.order_by("chapter_number").values("id", "chapter_number", "title")
    named = [
        row
        for row in chapters
        if wanted.search(row["title"]) or query.strip() == str(row["chapter_number"])
    ]
    return {
        "chapters": named[:CHAPTERS_MOST],
        "entries": _entries(project, wanted),
        "passages": _passages(project, wanted) if len(query) >= SHORTEST_PASSAGE else [],
    }


def _entries(project: NovelProject, wanted: re.Pattern[str]) -> list[dict[str, str]]:
    bible_service.fresh(project.pk)
    people = Character.objects.filter(project=project).order_by("-mentions", "pk")
    rows: Iterable[tuple[str, str, list[str]]] = [
        ("character", one.name, [alias.name for alias in one.aliases.all()])
        for one in people.prefetch_related("aliases")
    ]
    things = WorldEntity.objects.filter(project=project).order_by("-mentions", "pk")
    rows = [*rows, *things.values_list("kind", "name", "aliases")]
    found = (
        {"kind": kind, "name": name}
        for kind, name, aliases in rows
        if any(map(wanted.search, (name, *aliases)))
    )
    return list(islice(found, ENTRIES_MOST))


def _passages(project: NovelProject, wanted: re.Pattern[str]) -> list[Hit]:
    """The first ones: no more is read than it takes to find them."""
    hits = (
        Hit(chapter, match.start(), len(match.group()))
        for chapter in shown(project)
        for match in wanted.finditer(chapter.text)
    )
    return list(islice(hits, PASSAGES_MOST))
