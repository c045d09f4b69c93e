"""Merge the findings of a chapter's pieces: each finding once, with its best confidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import TypeAlias

from analysis.analyzers.base import ChapterInput
from analysis.analyzers.llm.names import mentions, other_names
from arboris.bible.types.findings import (
    ROLES,
    Appearance,
    Contradiction,
    Finding,
    Foreshadowing,
    NewCharacter,
    Payoff,
    Relation,
    StateChange,
    WorldFact,
)
from arboris.bible.types.names import key

Named: TypeAlias = Appearance | NewCharacter | WorldFact


def merge(chapter: ChapterInput, findings: Iterable[Finding]) -> list[Finding]:
    """Make one finding of those with the same name or alias, statement or place."""
    kept: list[Finding] = []
    # An index of the findings kept: a long chapter has thousands.
    alike: defaultdict[Hashable, set[int]] = defaultdict(set)
    for finding in findings:
        near = sorted({place for index_key in _index_keys(finding) for place in alike[index_key]})
        place = next((p for p in near if _is_same(kept[p], finding)), len(kept))
        if place == len(kept):
            kept.append(finding)
        else:
            kept[place] = _joined(kept[place], finding)
        for index_key in _index_keys(kept[place]):
            alike[index_key].add(place)
    return [_counted(chapter, finding) for finding in kept]


def _index_keys(finding: Finding) -> list[Hashable]:
    """Return index keys; two findings that are the same share at least one."""
    if isinstance(finding, Named):
        return [(finding.type, name) for name in _keys(finding)]
    return [(finding.type, *_subject(finding))]


def _is_same(one: Finding, other: Finding) -> bool:
    if isinstance(one, Named) and isinstance(other, Named):
        # A shared alias proves nothing: anybody may be called "the old man".
        return key(one.name) in _keys(other) or key(other.name) in _keys(one)
    return (
        isinstance(one, Relation | Contradiction)
        or _description(one) == _description(other)
        or _overlap(one, other)
    )


def _keys(finding: Named) -> set[str]:
    return {key(name) for name in (finding.name, *finding.aliases)}


def _subject(finding: Finding) -> tuple[str, ...]:
    """What two findings must share to be the same, besides their place or their description."""
    if isinstance(finding, StateChange):
        return (key(finding.character), finding.kind)
    if isinstance(finding, Relation):
        return (key(finding.source), key(finding.target), finding.relation)
    if isinstance(finding, Payoff):
        return (finding.seed_quote, finding.outcome)
    if isinstance(finding, Contradiction):
        return (key(finding.character), finding.kind, finding.earlier)
    return (finding.kind,) if isinstance(finding, Foreshadowing) else ()


def _description(finding: Finding) -> str:
    return getattr(finding, "description", "")


def _overlap(one: Finding, other: Finding) -> bool:
    a, b = one.evidence, other.evidence
    return max(a.start, b.start) < min(a.end, b.end)


def _joined(one: Finding, other: Finding) -> Finding:
    best, rest = sorted((one, other), key=_sureness, reverse=True)
    if not (isinstance(best, Named) and isinstance(rest, Named)):
        return best
    names = [*best.aliases, rest.name, *rest.aliases]
    changes: dict[str, object] = {"aliases": other_names(names, best.name)}
    for part in ("description", "personality", "goals", "abilities"):
        if hasattr(best, part):
            changes[part] = max(getattr(best, part), getattr(rest, part), key=len)
    if isinstance(best, NewCharacter) and isinstance(rest, NewCharacter):
        changes["role"] = max(best.role, rest.role, key=ROLES.index)
    return best.model_copy(update=changes)


def _sureness(finding: Finding) -> tuple[bool, float]:
    evidence = finding.evidence
    return (evidence.end > evidence.start, finding.confidence)


def _counted(chapter: ChapterInput, finding: Finding) -> Finding:
    if not isinstance(finding, Named):
        return finding
    count = mentions(chapter.text, (finding.name, *finding.aliases))
    return finding.model_copy(update={"mentions": count})
