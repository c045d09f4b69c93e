"""What a chapter's text would do to the bible if it were saved: a dry run of the fold.

Nothing is written and nothing is locked. No analyzer is asked: a finding holds in the new text if
its quote stands in it. Where all of them do, nothing changes; else the findings of the whole novel
come from one query, and it is folded in memory.
"""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from arboris.bible.decisions import record as decisions
from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.fold import Bible, Fold, bible_of
from arboris.bible.fold.impact import Impact, compare
from arboris.bible.fold.writer_entries import add_writer_entries
from arboris.bible.storage.current import current, kept
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Tier
from arboris.bible.types.findings import Appearance
from arboris.bible.types.placed_finding import PlacedFinding
from arboris.collector import paused_collection
from arboris.novels.models import Chapter, ChapterVersion

Chapters = Mapping[int, list[PlacedFinding]]  # by number


def of_text(chapter: Chapter, content: str) -> Impact:
    """What saving this text would do, by the chapter's current findings."""
    return _impact(chapter, content, None)


def of_version(chapter: Chapter, version: ChapterVersion) -> Impact:
    """What restoring the version would do: by its own findings where it was analysed."""
    return _impact(chapter, version.content, kept(version))


def _impact(chapter: Chapter, content: str, own: list[PlacedFinding] | None) -> Impact:
    found = current(chapter.project_id, [chapter.pk])
    after = own or list(_holding(found, content))
    if _statements(after) == _statements(found):
        return Impact()  # so it is mostly: text was added. No other chapter needs to be read
    with paused_collection():
        before: defaultdict[int, list[PlacedFinding]] = defaultdict(list)
        for placed in current(chapter.project_id):
            before[placed.chapter_number].append(placed)
        number = chapter.chapter_number
        rules = decisions.rules(chapter.project_id)
        return compare(*folded_both_ways(before, {**before, number: after}, number, rules), rules)


def _statements(findings: Iterable[PlacedFinding]) -> list[tuple[Tier, str]]:
    """What the fold sees of a chapter: its statements in order, wherever each of them stands."""
    places = {"evidence": {"start", "end"}}
    return [
        (placed.tier, placed.finding.model_dump_json(exclude=places))
        for placed in sorted(findings, key=lambda placed: placed.order)
    ]


def _holding(findings: Iterable[PlacedFinding], content: str) -> Iterable[PlacedFinding]:
    """Those whose quotes stand in the text, at their new places."""
    for placed in findings:
        placed = _without_lost(placed, content)
        evidence = placed.finding.evidence
        if content.startswith(evidence.quote, evidence.start):
            yield placed
        elif (start := content.find(evidence.quote)) >= 0:
            moved = {"start": start, "end": start + len(evidence.quote)}
            changed = {"evidence": evidence.model_copy(update=moved)}
            finding = placed.finding.model_copy(update=changed)
            yield PlacedFinding(placed.chapter_number, placed.chapter_id, finding, placed.tier)


def _without_lost(placed: PlacedFinding, content: str) -> PlacedFinding:
    """Without what it shows of a person in passages that are gone."""
    finding = placed.finding
    if not isinstance(finding, Appearance):
        return placed
    kept = [one for one in finding.observed if one.evidence.quote in content]
    if len(kept) == len(finding.observed):
        return placed
    return replace(placed, finding=finding.model_copy(update={"observed": kept}))


def folded_both_ways(
    before: Chapters, after: Chapters, number: int, rules: Rules
) -> tuple[Bible, Bible]:
    """The novel folded twice; what comes before the chapter is the same and is folded once."""
    store = MemoryEntryStore()
    add_writer_entries(store, rules)
    folding = Fold(store, rules)
    for at in sorted(at for at in before if at < number):
        folding.chapter(before[at])
    copied: MemoryEntryStore = pickle.loads(pickle.dumps(store, pickle.HIGHEST_PROTOCOL))
    return _folded_on(store, before, number, rules), _folded_on(copied, after, number, rules)


def _folded_on(store: MemoryEntryStore, chapters: Chapters, number: int, rules: Rules) -> Bible:
    folding = Fold(store, rules)
    for at in sorted(at for at in chapters if at >= number):
        folding.chapter(chapters[at])
    return bible_of(store, rules)
