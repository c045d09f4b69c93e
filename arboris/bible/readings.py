"""What each analysis was told, and which chapters would be told otherwise by now.

A chapter that is put in, moved or read late, or whose text changes, may say something that the
chapters after it were read without: names, kinds, seeds. So each analysis leaves a fingerprint of
what it was told and could heed. Where that may be another now (``FoldState.look_from``), the
chapters are looked at again once their novel has come to rest.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from django.db.models import Exists, Q, QuerySet
from django.db.models.functions import Now

from arboris.bible import known as knowledge
from arboris.bible.decisions import record as decisions
from arboris.bible.fold.fold import Fold
from arboris.bible.fold.writer_entries import add_writer_entries
from arboris.bible.known import Known
from arboris.bible.models import FoldedChapter, FoldState, Reading
from arboris.bible.storage.current import by_chapter, current
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Tier, digest
from arboris.bible.types.findings import (
    Appearance,
    Finding,
    Foreshadowing,
    NewCharacter,
    Payoff,
    StateChange,
    WorldFact,
)
from arboris.bible.types.names import short_forms
from arboris.collector import paused_collection
from arboris.novels.models import Chapter, ChapterVersion

CONNECTORS = 3  # letters: "of" and "the" of a name say nothing
RENEWAL = 10.0  # seconds: that somebody is at a novel is said again, see ``behind.TAKEN``
FEW = 40  # chapters are looked at one by one, more of them in one pass over the novel


@dataclass(frozen=True, slots=True)
class Told:
    """What an analysis was told: its ``fingerprint``; ``analyzer``: who was."""

    analyzer: str
    fingerprint: str


def fingerprint(known: Known, text: str) -> str:
    """Of what is known, as far as this text can have to do with it; without numbers and order.

    A name counts where any part of it stands in the text, a thread where one of its words does.
    """
    people = [
        ("person", one.name, *sorted(one.aliases), str(one.dead))
        for one in known.people
        if _is_touched(text, (one.name, *one.aliases), surnames=True)
    ]
    things = [
        (one.kind, one.name, *sorted(one.aliases))
        for one in known.entities
        if _is_touched(text, (one.name, *one.aliases))
    ]
    threads = [
        ("thread", one.description, one.quote, *one.keywords)
        for one in known.threads
        if not one.keywords or any(word in text for word in one.keywords)
    ]
    return digest(*("\x1e".join(one) for one in sorted([*people, *things, *threads])))


def _is_touched(text: str, names: Iterable[str], *, surnames: bool = False) -> bool:
    return any(part in text for name in names for part in _parts(name, surnames))


@lru_cache(maxsize=65_536)
def _parts(name: str, surnames: bool) -> tuple[str, ...]:
    if name.isascii():
        words = name.split()
        return tuple([word for word in words if len(word) > CONNECTORS] or words)
    if surnames:  # 王掌柜 may be 王德福
        return (name[0], *short_forms(name))
    return tuple(name[at : at + 2] for at in range(max(1, len(name) - 1)))  # 昆仑 may be 昆仑山


class Said(Protocol):
    @property
    def finding(self) -> Finding: ...
    @property
    def tier(self) -> Tier: ...


def said(findings: Iterable[Said]) -> Counter[tuple[str, ...]]:
    """What of a chapter's findings those who read on may be told."""
    return Counter(
        (one.tier if one.tier == "waiting" else "", *_said(one.finding)) for one in findings
    )


def _said(finding: Finding) -> tuple[str, ...]:
    if isinstance(finding, Appearance | NewCharacter | WorldFact):
        return (finding.type, finding.name, *sorted(finding.aliases))
    if isinstance(finding, StateChange):  # who dies
        return (finding.type, finding.character, finding.kind, finding.description)
    if isinstance(finding, Foreshadowing):
        said = (finding.description, finding.evidence.quote, *finding.keywords)
        return (finding.type, *said)
    if isinstance(finding, Payoff):
        return (finding.type, finding.outcome, finding.seed_quote, *finding.keywords)
    return (finding.type,)


# --- keeping ----------------------------------------------------------------------------------
def keep(chapter_id: int, version_id: int, told: Told | None) -> None:
    """The chapter's findings rest on this; None: on nothing that anybody knows."""
    rows = Reading.objects.filter(chapter_id=chapter_id)
    if told is None:
        rows.delete()
        return
    values = {
        "version_id": version_id,
        "analyzer": told.analyzer,
        "told": told.fingerprint,
        "outdated": False,
    }
    if not rows.update(**values):
        Reading.objects.create(chapter_id=chapter_id, **values)


def look_from(project_id: uuid.UUID, number: int) -> None:
    """Chapters from this number on may be told otherwise by now; under the novel's lock."""
    states = FoldState.objects.filter(project_id=project_id)
    states.filter(Q(look_from=None) | Q(look_from__gt=number)).update(look_from=number)


def look_after(project_id: uuid.UUID, chapter_id: int) -> None:
    """As ``look_from``, of those after the chapter; where there are none, nothing is to be done."""
    number = Chapter.everything.values_list("chapter_number", flat=True).get(pk=chapter_id)
    later = FoldedChapter.objects.filter(project_id=project_id, number__gt=number)
    states = FoldState.objects.filter(Q(outdated=True) | Exists(later), project_id=project_id)
    states.filter(Q(look_from=None) | Q(look_from__gt=number)).update(look_from=number + 1)


# --- looking again ----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Look:
    """Those of the novel's chapters that would be told otherwise; ``revision``: by which bible."""

    project_id: uuid.UUID
    revision: int
    looked_from: int
    found: list[Reading]

    def write(self) -> bool:
        """Note it, unless the bible is another by now; the caller holds the novel's lock."""
        states = FoldState.objects.filter(project_id=self.project_id)
        states.update(taken_at=None)
        if not states.filter(revision=self.revision).update(look_from=None):
            return False
        looked_at = _readings(self.project_id, self.looked_from)
        ids = [reading.pk for reading in self.found]
        looked_at.update(outdated=False)
        Reading.objects.filter(pk__in=ids).update(outdated=True)
        return True


def to_look_at(project_id: uuid.UUID, stop: Callable[[], bool]) -> Look | None:
    """Which of the chapters would be told otherwise; None once ``stop`` says so.

    Without any lock: ``Look.write`` it where nothing has changed since.
    """
    state = FoldState.objects.get(project_id=project_id)
    assert state.look_from is not None
    rows = _readings(project_id, state.look_from).select_related("chapter")
    readings = list(rows.order_by("chapter__chapter_number"))
    found: list[Reading] = []
    renewed = time.monotonic()
    for reading, known in _told_now(state, readings):
        if stop():
            return None
        if time.monotonic() > renewed + RENEWAL:
            renewed = time.monotonic()
            FoldState.objects.filter(project_id=project_id).update(taken_at=Now())
        texts = ChapterVersion.objects.values_list("content", flat=True)
        if fingerprint(known, texts.get(pk=reading.version_id)) != reading.told:
            found.append(reading)
    return Look(project_id, state.revision, state.look_from, found)


def _told_now(state: FoldState, readings: list[Reading]) -> Iterator[tuple[Reading, Known]]:
    """What each chapter would be told, in their order."""
    if len(readings) <= FEW and not state.outdated:
        yield from ((reading, knowledge.before(reading.chapter)) for reading in readings)
        return
    rules, store = decisions.rules(state.project_id), MemoryEntryStore()
    add_writer_entries(store, rules)
    folding = Fold(store, rules)
    with paused_collection():
        found = by_chapter(current(state.project_id))
        numbers = {pk: findings[0].chapter_number for pk, findings in found.items()}
        asked = {reading.chapter_id: reading for reading in readings}
        numbers |= {pk: reading.chapter.chapter_number for pk, reading in asked.items()}
        for pk in sorted(numbers, key=lambda pk: numbers[pk]):
            if reading := asked.get(pk):
                yield reading, knowledge.of_store(store, rules, numbers[pk])
            folding.chapter(found.get(pk, []))


def _readings(project_id: uuid.UUID, number: int) -> QuerySet[Reading]:
    """Those of the chapters from this number on."""
    mine = Reading.objects.filter(chapter__project_id=project_id, chapter__deleted_at=None)
    return mine.filter(chapter__chapter_number__gte=number)


def outdated(project_id: uuid.UUID) -> QuerySet[Reading]:
    """Those that are to be read again, as far as they have been looked at, by chapter."""
    return _readings(project_id, 0).filter(outdated=True).order_by("chapter__chapter_number")
