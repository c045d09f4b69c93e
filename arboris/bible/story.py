"""The story bible of a novel: record findings, fold them, and say what is known."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from arboris.bible import fold, placed, store
from arboris.bible.findings import Finding, WorldKind
from arboris.bible.models import Character, ForeshadowingThread, WorldEntity
from arboris.bible.models import Finding as FindingRow
from arboris.novels.models import NovelProject


class Stated(Protocol):
    """A finding as the pipeline hands it over."""

    @property
    def feature(self) -> str: ...
    @property
    def finding(self) -> Finding: ...
    @property
    def verified(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class KnownPerson:
    id: int
    name: str
    aliases: tuple[str, ...]


def record(
    project: NovelProject,
    *,
    chapter_id: int,
    version_id: int,
    task_id: int,
    findings: Sequence[Stated],
) -> None:
    """Replace the chapter's findings and fold the novel's bible anew.

    The caller holds the project's row lock: two analyses of one novel must not fold side by side.
    """
    FindingRow.objects.filter(chapter_id=chapter_id, current=True).update(current=False)
    FindingRow.objects.bulk_create(
        [
            FindingRow(
                project=project,
                chapter_id=chapter_id,
                version_id=version_id,
                task_id=task_id,
                feature=stated.feature,
                type=stated.finding.type,
                payload=stated.finding.model_dump(mode="json"),
                quote=stated.finding.evidence.quote,
                start=stated.finding.evidence.start,
                end=stated.finding.evidence.end,
                confidence=stated.finding.confidence,
                basic=stated.finding.basic,
                verified=stated.verified,
            )
            for stated in findings
        ],
        batch_size=200,
    )
    rebuild(project.pk)


def forget(project_id: uuid.UUID, chapter_id: int) -> None:
    """The chapter has no analysis any more: what was found in it no longer counts.

    The caller holds the project's row lock.
    """
    if FindingRow.objects.filter(chapter_id=chapter_id, current=True).update(current=False):
        rebuild(project_id)


def rebuild(project_id: uuid.UUID) -> None:
    """Fold the bible from all current findings whose quote stands in the text."""
    store.save(project_id, fold.fold(placed.current(project_id)))


def prepare(project_id: uuid.UUID) -> None:
    """Read and parse what the fold will need, before the transaction that holds the lock."""
    placed.current(project_id)


def known_people(project_id: uuid.UUID) -> list[KnownPerson]:
    people = Character.objects.filter(project_id=project_id).prefetch_related("aliases")
    return [
        KnownPerson(p.pk, p.name, tuple(sorted(a.name for a in p.aliases.all()))) for p in people
    ]


def known_entities(project_id: uuid.UUID) -> list[tuple[WorldKind, str, tuple[str, ...]]]:
    """Kind, name and aliases of every location, faction, item and rule."""
    rows = WorldEntity.objects.filter(project_id=project_id).values_list("kind", "name", "aliases")
    return [(cast(WorldKind, kind), name, tuple(aliases)) for kind, name, aliases in rows]


def open_threads(project_id: uuid.UUID, before_chapter: int) -> list[ForeshadowingThread]:
    """Seeds planted before the chapter that are not paid off."""
    return list(
        ForeshadowingThread.objects.filter(
            project_id=project_id, chapter__chapter_number__lt=before_chapter
        )
        .exclude(status="paid_off")
        .select_related("chapter")
    )
