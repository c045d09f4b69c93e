"""What a novel holds before a chapter that is to be written: later chapters do not count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max

from arboris.bible.models import Finding
from arboris.novels.models import NovelProject

Statement = tuple[str, ...]
_TEXTS = ("name", "description", "personality", "goals", "abilities")


@dataclass(slots=True)
class StorySoFar:
    project: NovelProject
    number: int  # of the chapter that is to be written
    # What the analyses read in this chapter or a later one, and in none before it: the bible
    # holds one name, role and description for each entry, wherever they come from.
    later: frozenset[Statement] = field(default_factory=frozenset)

    @classmethod
    def before(cls, project: NovelProject, number: int | None) -> StorySoFar:
        """The story before chapter ``number``; None: before the next after the last."""
        last = project.chapters.aggregate(last=Max("chapter_number"))["last"] or 0
        if number is None or number > last:
            return cls(project, number or last + 1)
        return cls(project, number, _stated_later(project, number))

    def knows(self, kind: str, *values: str) -> bool:
        """Whether something may be told; what the writer said is known from the start."""
        return (kind, *values) not in self.later


def _stated_later(project: NovelProject, number: int) -> frozenset[Statement]:
    found = Finding.objects.filter(project=project, current=True, chapter__deleted_at=None)
    rows = found.exclude(tier="waiting")
    early, late = set[Statement](), set[Statement]()
    for payload, chapter in rows.values_list("payload", "chapter__chapter_number").iterator():
        (early if chapter < number else late).update(_statements(payload))
    return frozenset(late - early)


def _statements(payload: dict[str, Any]) -> Iterator[Statement]:
    for part in _TEXTS:
        if payload.get(part):
            yield ("name" if part == "name" else "text", payload[part])
    for alias in payload.get("aliases", []):
        yield ("name", alias)
    if payload.get("role"):
        yield ("role", payload["name"], payload["role"])
