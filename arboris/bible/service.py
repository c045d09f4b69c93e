"""The story bible of a novel: record findings, and fold them. What is known of it: ``known``.

One more chapter at the end, or among the last JOURNALS, is folded onto what the tables hold. A
change further back needs the whole novel folded anew: a short one at once, a long one when it is
read next, so that a novel that is analysed again from its start is not folded for every chapter.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import Exists, F, OuterRef, QuerySet

from arboris.bible import readings
from arboris.bible.decisions import record as decisions
from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.continuity import CONTRADICTIONS
from arboris.bible.fold.fold import Fold
from arboris.bible.fold.writer_entries import add_writer_entries
from arboris.bible.models import Finding as FindingRow
from arboris.bible.models import FoldedChapter, FoldState, Notice
from arboris.bible.readings import Told
from arboris.bible.storage.current import by_chapter, current
from arboris.bible.storage.database import DatabaseEntryStore
from arboris.bible.storage.memory import Journal, MemoryEntryStore
from arboris.bible.storage.prefetch import prefetch
from arboris.bible.storage.writer import EntryWriter, Wanted, sync
from arboris.bible.types.entries import Scope, Tier
from arboris.bible.types.findings import Finding
from arboris.bible.types.placed_finding import PlacedFinding
from arboris.collector import paused_collection
from arboris.db import in_transaction, locked
from arboris.novels.models import Chapter, NovelProject

JOURNALS = 40  # how many of the last chapters can be taken out of the bible again
SHORT = 60  # a novel of so many analysed chapters is folded anew at once (0.1 to 0.2 s)


class Stated(Protocol):
    """A finding as the pipeline hands it over."""

    @property
    def feature(self) -> str: ...
    @property
    def finding(self) -> Finding: ...
    @property
    def verified(self) -> bool: ...
    @property
    def tier(self) -> Tier: ...
    @property
    def prompt(self) -> str: ...


# --- recording --------------------------------------------------------------------------------
def record(
    project: NovelProject,
    *,
    chapter_id: int,
    version_id: int,
    task_id: int,
    findings: Sequence[Stated],
    told: Told | None = None,
) -> None:
    """Replace the chapter's findings and fold the novel's bible. ``told``: what they rest on.

    The caller holds the project's row lock: two analyses of one novel must not fold side by side.
    """
    before = current(project.pk, [chapter_id])
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
                tier=stated.tier,
                prompt=stated.prompt,
            )
            for stated in findings
        ],
        batch_size=200,
    )
    readings.keep(chapter_id, version_id, told)
    refold(project.pk, chapter_id, findings)
    if readings.said(one for one in findings if one.verified) != readings.said(before):
        readings.look_after(project.pk, chapter_id)


def holds(chapter_id: int) -> bool:
    """Whether findings of the chapter count."""
    return FindingRow.objects.filter(chapter_id=chapter_id, current=True).exists()


def forget(project_id: uuid.UUID, chapter_id: int) -> None:
    """The chapter has no analysis any more: what was found in it no longer counts.

    The caller holds the project's row lock.
    """
    readings.keep(chapter_id, 0, None)
    if FindingRow.objects.filter(chapter_id=chapter_id, current=True).update(current=False):
        refold(project_id, chapter_id, ())
        readings.look_after(project_id, chapter_id)


def refold(project_id: uuid.UUID, chapter_id: int, findings: Iterable[Stated]) -> None:
    """The current findings of one chapter are these now; the caller holds the project's row lock.

    They are in the table already.
    """
    state = FoldState.objects.filter(project_id=project_id).first()
    if state is None or state.outdated:
        fold_anew(project_id)
        return
    # A chapter that was deleted meanwhile is no error here: the fence of its analysis says so.
    number = Chapter.everything.values_list("chapter_number", flat=True).get(pk=chapter_id)
    folded = _folded_from(project_id, number)
    if folded is None:
        fold_anew(project_id)
        return
    numbers = {chapter.chapter_id: chapter.number for chapter in folded} | {chapter_id: number}
    found = by_chapter(current(project_id, numbers.keys() - {chapter_id}))
    found[chapter_id] = [
        PlacedFinding(number, chapter_id, stated.finding, stated.tier)
        for stated in findings
        if stated.verified
    ]
    _fold_again(project_id, folded, numbers, found)


def refold_from(project_id: uuid.UUID, number: int) -> None:
    """Chapters were put in, taken out or moved, from this number on; the tables say so already.

    The caller holds the project's row lock. The bible is then as if it had been written so.
    """
    readings.look_from(project_id, number)
    state = FoldState.objects.filter(project_id=project_id).first()
    if state is None or state.outdated:
        outdate([project_id])  # it will be folded anew when it is read
        return
    later = _analysed(project_id).filter(chapter_number__gte=number)
    numbers = dict(later.values_list("pk", "chapter_number")[: JOURNALS + 1])
    folded = _folded_from(project_id, number)
    if folded is None or len(numbers) > JOURNALS:
        fold_anew(project_id)
        return
    _fold_again(project_id, folded, numbers, by_chapter(current(project_id, numbers)))


def follow_order(project_id: uuid.UUID, moved: dict[int, int]) -> None:
    """Chapters have other numbers now, new by old; else as ``refold_from``.

    What the writer has placed in a chapter goes along with it.
    """
    first = min(*moved, *moved.values())
    if decisions.follow_order(project_id, moved):
        readings.look_from(project_id, first)
        state = FoldState.objects.filter(project_id=project_id).first()
        if state is not None:
            fold_anew(project_id)
        return
    refold_from(project_id, first)


def _folded_from(project_id: uuid.UUID, number: int) -> list[FoldedChapter] | None:
    """Those that are to be taken out of the bible, in order; None: not all of them can be."""
    later = FoldedChapter.objects.filter(project_id=project_id, number__gte=number)
    folded = list(later.order_by("number")[: JOURNALS + 1])
    if len(folded) > JOURNALS or any(chapter.journal is None for chapter in folded):
        return None
    return folded


def _fold_again(
    project_id: uuid.UUID,
    folded: list[FoldedChapter],
    numbers: dict[int, int],
    found: dict[int, list[PlacedFinding]],
) -> None:
    """Take the last chapters out of the bible, and fold these, by id and number, in their place."""
    rules = decisions.rules(project_id)
    store = DatabaseEntryStore(project_id)
    store.keeps_journal = True
    store.undo([change for chapter in reversed(folded) for change in chapter.journal or ()])
    prefetch(store, rules, [one for findings in found.values() for one in findings])
    folding = Fold(store, rules)
    journals: Wanted = {}
    for at in sorted(numbers, key=lambda pk: numbers[pk]):
        folding.chapter(found.get(at, []))
        journal = store.take_journal()
        journals[(at,)] = {"project_id": project_id, "number": numbers[at], "journal": journal}
    EntryWriter(project_id, store, rules, [chapter.chapter_id for chapter in folded]).save()
    sync(FoldedChapter.objects.all(), ("chapter_id",), journals, folded)
    if len(journals) > len(folded):
        _forget_old_journals(project_id)
    _note(project_id, outdated=False)


@dataclass(frozen=True, slots=True)
class Folded:
    """A whole novel, folded in memory. ``revision``: of what it is made of; None: never folded."""

    project_id: uuid.UUID
    revision: int | None
    rules: Rules
    store: MemoryEntryStore
    numbers: dict[int, int]  # of the chapters, by their ids
    journals: dict[int, Journal]  # of the last ones

    @classmethod
    def of(cls, project_id: uuid.UUID) -> Folded:
        """Without any lock: ``write`` it where nothing has changed since."""
        with paused_collection():
            states = FoldState.objects.filter(project_id=project_id)
            revision = states.values_list("revision", flat=True).first()
            rules, store = decisions.rules(project_id), MemoryEntryStore()
            add_writer_entries(store, rules)
            folding = Fold(store, rules)
            found = by_chapter(current(project_id))
            numbers = {pk: findings[0].chapter_number for pk, findings in found.items()}
            journals: dict[int, Journal] = {}
            for at, pk in enumerate(sorted(numbers, key=lambda pk: numbers[pk])):
                store.keeps_journal = at >= len(numbers) - JOURNALS
                folding.chapter(found[pk])
                if store.keeps_journal:
                    journals[pk] = store.take_journal()
        return cls(project_id, revision, rules, store, numbers, journals)

    def write(self) -> None:
        """Into the tables, of which only what differs is touched; the caller holds the lock."""
        with paused_collection():
            EntryWriter(self.project_id, self.store, self.rules).save()
        FoldedChapter.objects.filter(project_id=self.project_id).delete()
        FoldedChapter.objects.bulk_create(
            [
                FoldedChapter(
                    project_id=self.project_id,
                    chapter_id=pk,
                    number=number,
                    journal=self.journals.get(pk),
                )
                for pk, number in self.numbers.items()
            ],
            batch_size=200,
        )
        _note(self.project_id, outdated=False)


def rebuild(project_id: uuid.UUID) -> None:
    """Fold the whole novel anew; the caller holds the project's row lock."""
    Folded.of(project_id).write()


def rewrite(project_id: uuid.UUID, scope: Scope, natural_key: str) -> None:
    """Write one entry anew, as its edits are by now; the caller holds the project's row lock."""
    store = DatabaseEntryStore(project_id)
    store.fetch(scope, [natural_key])
    EntryWriter(project_id, store, decisions.rules(project_id)).save()
    states = FoldState.objects.filter(project_id=project_id)
    states.update(revision=F("revision") + 1)


def fresh(project_id: uuid.UUID) -> None:
    """Fold the novel anew if that is due; whoever reads the bible calls this before."""
    state = FoldState.objects.filter(project_id=project_id).first()
    if state is not None and not state.outdated:
        return
    if state is None and not decisions.any_of(project_id) and not _analysed(project_id).exists():
        return  # there is nothing to fold

    folded = Folded.of(project_id)  # which takes the longest, before the novel is locked

    def work() -> None:
        locked(NovelProject.objects.filter(pk=project_id)).get()
        state = FoldState.objects.filter(project_id=project_id).first()
        if state is None or (state.outdated and state.revision != folded.revision):
            rebuild(project_id)
        elif state.outdated:
            folded.write()

    in_transaction(work)


def outdate(project_ids: Iterable[uuid.UUID]) -> None:
    """These novels are to be folded anew before they are read."""
    states = FoldState.objects.filter(project_id__in=list(project_ids))
    states.update(outdated=True, revision=F("revision") + 1)


def fold_anew(project_id: uuid.UUID) -> None:
    """Any entry may be another now: fold a short novel at once, a long one when it is read. The
    caller holds the project's row lock."""
    if is_long(project_id):
        _note(project_id, outdated=True)
    else:
        rebuild(project_id)


def is_long(project_id: uuid.UUID) -> bool:
    return len(_analysed(project_id)[: SHORT + 1]) > SHORT


def _note(project_id: uuid.UUID, *, outdated: bool) -> None:
    """What the bible is made of, or the bible, is another now."""
    changed: dict[str, Any] = {"outdated": outdated, "revision": F("revision") + 1}
    if not outdated:
        changed |= {"behind": False, "taken_at": None}
    if not FoldState.objects.filter(project_id=project_id).update(**changed):
        FoldState.objects.create(project_id=project_id, outdated=outdated)


def _analysed(project_id: uuid.UUID) -> QuerySet[Chapter]:
    """The novel's chapters with findings."""
    findings = FindingRow.objects.filter(chapter_id=OuterRef("pk"), current=True)
    return Chapter.objects.filter(Exists(findings), project_id=project_id).only("pk")


def _forget_old_journals(project_id: uuid.UUID) -> None:
    kept = FoldedChapter.objects.filter(project_id=project_id, journal__isnull=False)
    surplus = list(kept.order_by("-number").values_list("pk", flat=True)[JOURNALS:])
    FoldedChapter.objects.filter(pk__in=surplus).update(journal=None)


def contradictions(project_id: uuid.UUID, chapter_id: int) -> int | None:
    """How many the chapter raises; None where the novel has still to be folded anew."""
    if FoldState.objects.filter(project_id=project_id, outdated=True).exists():
        return None
    return Notice.objects.filter(chapter_id=chapter_id, kind__in=CONTRADICTIONS).count()
