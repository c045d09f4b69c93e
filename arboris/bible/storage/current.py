"""The current findings of a novel, each with its place."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import cast

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from arboris.bible.models import Finding as FindingRow
from arboris.bible.types.entries import Tier
from arboris.bible.types.findings import parse_json
from arboris.bible.types.placed_finding import PlacedFinding
from arboris.novels.models import Chapter, ChapterVersion

BATCH = 2_000


def current(project_id: uuid.UUID, chapters: Iterable[int] | None = None) -> list[PlacedFinding]:
    """Every current finding whose quote stands in the text; of these chapters (ids), or of all."""
    rows = _verified(project_id)
    if chapters is not None:
        rows = rows.filter(chapter_id__in=list(chapters))
    return _placed(rows)


def current_before(chapter: Chapter) -> list[PlacedFinding]:
    """Those of the chapters before this one."""
    earlier = {"chapter__chapter_number__lt": chapter.chapter_number}
    return _placed(_verified(chapter.project_id).filter(**earlier))


def by_chapter(findings: Iterable[PlacedFinding]) -> dict[int, list[PlacedFinding]]:
    """The findings of each chapter, by its id."""
    chapters: defaultdict[int, list[PlacedFinding]] = defaultdict(list)
    for one in findings:
        chapters[one.chapter_id].append(one)
    return chapters


def kept(version: ChapterVersion) -> list[PlacedFinding]:
    """What the last analysis of this version found, whether or not it is the chapter's text now."""
    rows = FindingRow.objects.filter(version=version)
    last = rows.order_by("-task_id").values_list("task_id", flat=True)[:1]
    return _placed(rows.filter(task_id__in=list(last), verified=True))


def waiting(project_id: uuid.UUID, limit: int | None = None) -> list[PlacedFinding]:
    """Current findings that are not applied before the writer accepts them, by chapter."""
    return _placed(_waiting(project_id)[:limit])


def waits(project_id: uuid.UUID, ref: str) -> bool:
    """Whether a finding of that ref waits; they are read in the order in which they are shown."""
    return any(one.ref == ref for one in _each(_waiting(project_id)))


def _waiting(project_id: uuid.UUID) -> QuerySet[FindingRow]:
    rows = _verified(project_id).filter(tier="waiting")
    return rows.order_by("chapter__chapter_number", "start", "pk")


def _verified(project_id: uuid.UUID) -> QuerySet[FindingRow]:
    return FindingRow.objects.filter(
        project_id=project_id, current=True, verified=True, chapter__deleted_at=None
    )


def _placed(rows: QuerySet[FindingRow]) -> list[PlacedFinding]:
    return list(_each(rows))


def _each(rows: QuerySet[FindingRow]) -> Iterator[PlacedFinding]:
    # As text: tens of thousands of them are read at once.
    said = rows.annotate(said=Cast("payload", TextField()))
    found = said.values_list("chapter__chapter_number", "chapter_id", "said", "tier")
    for number, chapter_id, text, tier in found.iterator(chunk_size=BATCH):
        yield PlacedFinding(number, chapter_id, parse_json(text), cast(Tier, tier))
