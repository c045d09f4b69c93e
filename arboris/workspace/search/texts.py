"""The texts of a novel as their writer sees them, chapter by chapter."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.db.models import F

from arboris.novels.models import ChapterVersion, NovelProject, WorkingCopy

BATCH = 20  # chapters in memory at a time


@dataclass(frozen=True, slots=True)
class Shown:
    """A chapter's newest text: of its working copy (``unsaved``) where there is one."""

    id: int
    number: int
    title: str
    version: int
    text: str
    unsaved: bool
    is_draft: bool


def shown(project: NovelProject, wanted: Collection[int] | None = None) -> Iterator[Shown]:
    """Every chapter of the novel, or the wanted ones (ids), in their order; BATCH at a time."""
    rows = list(
        project.chapters.order_by("chapter_number").values_list(
            "pk", "chapter_number", "title", "version"
        )
    )
    if wanted is not None:
        rows = [row for row in rows if row[0] in wanted]
    for at in range(0, len(rows), BATCH):
        yield from _batch(rows[at : at + BATCH])


def _batch(rows: list[tuple[int, int, str, int]]) -> Iterator[Shown]:
    ids = [row[0] for row in rows]
    versions = ChapterVersion.objects.filter(chapter_id__in=ids, number=F("chapter__version"))
    texts = {pk: found for pk, *found in versions.values_list("chapter_id", "content", "source")}
    copies = WorkingCopy.objects.filter(chapter_id__in=ids)
    unsaved = {pk: found for pk, *found in copies.values_list("chapter_id", "content", "title")}
    for pk, number, title, version in rows:
        if pk not in texts:  # deleted meanwhile
            continue
        text, source = texts[pk]
        typed, new_title = unsaved.get(pk, (text, None))
        is_draft = source == ChapterVersion.Source.DRAFT
        shown_title = title if new_title is None else new_title
        yield Shown(pk, number, shown_title, version, typed or "", pk in unsaved, is_draft)
