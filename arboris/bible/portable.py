"""Findings and decisions on their way between novels: what names a chapter's row is translated.

A decision keeps refs and natural keys with the id of a chapter hashed into them. They are made
anew from the findings, by the chapter's place in the archive or by its new id.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arboris.bible import service
from arboris.bible.decisions.kinds import rules_from
from arboris.bible.fold.writer_entries import add_writer_entries
from arboris.bible.models import Decision
from arboris.bible.models import Finding as FindingRow
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import contradiction_ref, digest, ref_of, thread_key
from arboris.bible.types.findings import (
    Appearance,
    Contradiction,
    Finding,
    StateChange,
    parse,
)
from arboris.bible.types.names import key
from arboris.novels.models import ChapterVersion

Names = dict[str, str]
BATCH = 500
MAX_OFFSET = 2**31 - 1  # of a column


@dataclass(frozen=True, slots=True)
class PortableFinding:
    """A finding without its place: ``content`` is what its type says of itself."""

    feature: str
    tier: str
    verified: bool
    current: bool
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PortableDecision:
    action: str
    params: dict[str, Any]
    created_at: datetime
    undone_at: datetime | None


class BadDecision(ValueError):
    """A decision does not say what its kind has to say."""


# --- out ----------------------------------------------------------------------------------------
def findings_of(version_id: int) -> list[PortableFinding]:
    """In an order that depends on what they say alone."""
    rows = FindingRow.objects.filter(version_id=version_id).order_by("start", "end", "type", "pk")
    found = rows.values_list("feature", "tier", "verified", "current", "payload")
    return [PortableFinding(*row) for row in found]


def decisions_of(project_id: uuid.UUID, places: Mapping[int, int]) -> list[PortableDecision]:
    """All of them in order. ``places``: where each chapter (by id) stands in the archive."""
    rows = Decision.objects.filter(project_id=project_id).order_by("pk")
    decisions = [
        PortableDecision(row.action, row.params, row.created_at, row.undone_at) for row in rows
    ]
    wanted = {text for decision in decisions for text in _texts(decision.params)}
    if not wanted:
        return decisions
    findings = FindingRow.objects.filter(project_id=project_id).values_list("chapter_id", "payload")
    names: Names = {}
    for chapter_id, payload in findings.iterator(chunk_size=BATCH):
        if chapter_id in places:
            names |= _renamed(parse(payload), chapter_id, places[chapter_id], wanted)
    return [_with_names(decision, names) for decision in decisions]


# --- in -----------------------------------------------------------------------------------------
def finding_rows(project_id: uuid.UUID, findings: Iterable[PortableFinding]) -> list[FindingRow]:
    """Rows for ``add_findings``, checked outside of any transaction. Raises ValueError."""
    rows = []
    for one in findings:
        finding = parse(one.content)
        if finding.evidence.end > MAX_OFFSET or finding.evidence.start > finding.evidence.end:
            raise ValueError("the quote stands outside of any text")
        rows.append(
            FindingRow(
                project_id=project_id,
                task_id=0,  # the analysis was that of another novel
                feature=one.feature,
                type=finding.type,
                payload=finding.model_dump(mode="json"),
                quote=finding.evidence.quote,
                start=finding.evidence.start,
                end=finding.evidence.end,
                confidence=finding.confidence,
                basic=finding.basic,
                verified=one.verified,
                tier=one.tier,
                current=one.current,
            )
        )
    return rows


def add_findings(version: ChapterVersion, rows: Sequence[FindingRow]) -> None:
    """Only the rows; the bible is folded when all of them are there. They may be added again
    after a transaction that did not go through."""
    for row in rows:
        row.pk, row.chapter_id, row.version_id = None, version.chapter_id, version.pk
    FindingRow.objects.bulk_create(rows, batch_size=200)


def translated(
    project_id: uuid.UUID, decisions: Sequence[PortableDecision], chapters: Mapping[int, int]
) -> list[PortableDecision]:
    """The decisions with the names of this novel, whose findings are there.

    ``chapters``: the ids of the chapters by their places. Raises BadDecision.
    """
    wanted = {text for decision in decisions for text in _texts(decision.params)}
    names: Names = {}
    if wanted:
        for place, chapter_id in chapters.items():
            rows = FindingRow.objects.filter(chapter_id=chapter_id)
            for payload in rows.values_list("payload", flat=True):
                names |= _renamed(parse(payload), place, chapter_id, wanted)
    decisions = [_with_names(decision, names) for decision in decisions]
    _check(decisions)
    return decisions


def add_decisions(
    project_id: uuid.UUID, user_id: int, decisions: Iterable[PortableDecision]
) -> None:
    """Add what ``translated`` gave, and fold the bible; the caller holds the project's row lock."""
    for decision in decisions:
        row = Decision.objects.create(
            project_id=project_id,
            user_id=user_id,
            action=decision.action,
            params=decision.params,
            undone_at=decision.undone_at,
        )
        Decision.objects.filter(pk=row.pk).update(created_at=decision.created_at)
    service.fold_anew(project_id)


def _check(decisions: Iterable[PortableDecision]) -> None:
    """That the fold can work with them. What it reads of one depends on its kind: it is tried."""
    try:
        rules = rules_from({**one.params, "action": one.action} for one in decisions)
        add_writer_entries(MemoryEntryStore(), rules)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadDecision(str(error)) from error


# --- names --------------------------------------------------------------------------------------
def _renamed(finding: Finding, before: int, after: int, wanted: set[str]) -> Names:
    """What decisions may call the finding, or what follows from it, in the one novel and in the
    other."""
    pairs = zip(_names(before, finding), _names(after, finding), strict=True)
    return {old: new for old, new in pairs if old in wanted}


def _names(chapter_id: int, finding: Finding) -> Iterator[str]:
    quote = finding.evidence.quote
    yield ref_of(chapter_id, finding)
    yield thread_key(chapter_id, quote)
    if isinstance(finding, Appearance | StateChange):
        name = finding.name if isinstance(finding, Appearance) else finding.character
        for notice in ("dead_acts", "item_in_two_hands"):
            yield digest(notice, chapter_id, key(name), key(quote))
    if isinstance(finding, Contradiction):
        yield contradiction_ref(chapter_id, finding)


def _with_names(decision: PortableDecision, names: Names) -> PortableDecision:
    params = _translated(decision.params, names)
    return PortableDecision(decision.action, params, decision.created_at, decision.undone_at)


def _translated(value: Any, names: Names) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list):
        return [_translated(item, names) for item in value]
    if isinstance(value, dict):
        return {part: _translated(item, names) for part, item in value.items()}
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
