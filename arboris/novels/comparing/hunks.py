"""Hunks of two texts, paragraph by paragraph, with the characters that differ in each.

Offsets count characters (Unicode code points), as those of findings do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from arboris.novels.comparing.sequences import Budget, Span, spans

Kind = Literal["equal", "changed", "added", "removed"]
Change = Literal["equal", "insert", "delete"]
ALIKE = 0.35  # two paragraphs are one, changed, if they share so much of their pairs of letters
MOST_PAIRS = 2_500  # of paragraphs of one place that are all looked at
NEAR = 6  # paragraphs further on, where there are more
LONG = 400  # characters; a longer paragraph is compared by sentences first
_SENTENCE = re.compile(r"[^。！？!?.；;\n]*(?:[。！？!?.；;\n]+[”’」』\"')）]*\s*|$)")


@dataclass(frozen=True, slots=True)
class Edit:
    kind: Change
    old_start: int
    old_end: int
    new_start: int
    new_end: int


@dataclass(frozen=True, slots=True)
class Hunk:
    """Paragraphs with their line ends. ``edits`` cover one that is changed, and only that."""

    kind: Kind
    old_start: int
    old_end: int
    new_start: int
    new_end: int
    edits: list[Edit] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Comparison:
    """``coarse``: the texts differ in so much that some passages count as replaced whole."""

    hunks: list[Hunk]
    added: int  # characters
    removed: int
    coarse: bool


def compare(old: str, new: str, budget: Budget | None = None) -> Comparison:
    """What became of the old text. Takes about a second at most, whatever the texts are."""
    budget = budget or Budget()
    ours, theirs = Pieces(old.splitlines(keepends=True)), Pieces(new.splitlines(keepends=True))
    hunks: list[Hunk] = []
    for span in spans(ours.pieces, theirs.pieces, budget):
        if span.equal:
            hunks.append(Hunk("equal", *ours.place(span[1], span[2]), *theirs.place(*span[3:])))
        else:
            hunks += _changed(ours, theirs, span, budget)
    return Comparison(hunks, *_sizes(hunks), budget.short)


class Pieces:
    """A text in pieces, each with its offset."""

    def __init__(self, pieces: Sequence[str], start: int = 0) -> None:
        self.pieces = pieces
        self._offsets = [start]
        for piece in pieces:
            self._offsets.append(self._offsets[-1] + len(piece))

    def place(self, first: int, end: int) -> tuple[int, int]:
        return self._offsets[first], self._offsets[end]


def _changed(ours: Pieces, theirs: Pieces, span: Span, budget: Budget) -> Iterator[Hunk]:
    """Paragraphs that are alike beside each other, the rest as removed or added."""
    _, at, old_end, other, new_end = span
    old, new = ours.pieces[at:old_end], theirs.pieces[other:new_end]
    for one, two in [*_alike(old, new, budget), (len(old), len(new))]:
        removed, added = ours.place(at, span.old_start + one), theirs.place(other, other)
        if removed[0] < removed[1]:
            yield Hunk("removed", *removed, *added)
        added = theirs.place(other, span.new_start + two)
        if added[0] < added[1]:
            yield Hunk("added", removed[1], removed[1], *added)
        at, other = span.old_start + one, span.new_start + two
        if one < len(old):
            edits = list(_edits(old[one], new[two], ours.place(at, at)[0], added[1], budget))
            both = (*ours.place(at, at + 1), *theirs.place(other, other + 1))
            yield Hunk("changed", *both, edits)
            at, other = at + 1, other + 1


def _alike(old: Sequence[str], new: Sequence[str], budget: Budget) -> list[tuple[int, int]]:
    """Which old paragraph became which new one: the row of pairs that are most alike in all.

    Where too many paragraphs changed in one place, each takes the most alike of the next few.
    """
    ours, theirs = [_letters(one) for one in old], [_letters(one) for one in new]
    near = len(new) if len(old) * len(new) <= MOST_PAIRS else NEAR
    if not budget.spend(sum(map(len, ours)) * near // 8):
        return []
    if near == NEAR:
        return list(_nearest(ours, theirs))
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for one in range(len(old) - 1, -1, -1):
        for two in range(len(new) - 1, -1, -1):
            alike = _likeness(ours[one], theirs[two])
            both = best[one + 1][two + 1] + alike if alike >= ALIKE else 0.0
            best[one][two] = max(best[one + 1][two], best[one][two + 1], both)
    return list(_walk(best))


def _nearest(ours: list[Counter[str]], theirs: list[Counter[str]]) -> Iterator[tuple[int, int]]:
    two = 0
    for one, letters in enumerate(ours):
        near = range(two, min(two + NEAR, len(theirs)))
        alike = {at: _likeness(letters, theirs[at]) for at in near}
        found = max(near, key=lambda at: (alike[at], -at), default=None)
        if found is not None and alike[found] >= ALIKE:
            yield one, found
            two = found + 1


def _walk(best: list[list[float]]) -> Iterator[tuple[int, int]]:
    one = two = 0
    while one < len(best) - 1 and two < len(best[0]) - 1:
        if best[one][two] == best[one + 1][two]:
            one += 1
        elif best[one][two] == best[one][two + 1]:
            two += 1
        else:
            yield one, two
            one, two = one + 1, two + 1


def _letters(paragraph: str) -> Counter[str]:
    text = paragraph.strip()
    return Counter(text[at : at + 2] for at in range(max(1, len(text) - 1)))


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    shared = sum(min(count, other[pair]) for pair, count in one.items() if pair in other)
    return 2 * shared / (one.total() + other.total())


# --- inside a paragraph -----------------------------------------------------------------------
def _edits(old: str, new: str, old_start: int, new_start: int, budget: Budget) -> list[Edit]:
    found = _refined(old, new, budget)
    edits: list[Edit] = []
    for span in _readable(found):
        _, one, one_end, two, two_end = span
        places = (old_start + one, old_start + one_end, new_start + two, new_start + two_end)
        if span.equal:
            edits.append(Edit("equal", *places))
            continue
        if one < one_end:
            edits.append(Edit("delete", places[0], places[1], places[2], places[2]))
        if two < two_end:
            edits.append(Edit("insert", places[1], places[1], places[2], places[3]))
    return edits


def _refined(old: str, new: str, budget: Budget) -> list[Span]:
    """By sentences first where the paragraph is long, then by characters."""
    if max(len(old), len(new)) <= LONG:
        return spans(old, new, budget)
    ours, theirs = Pieces(_SENTENCE.findall(old)), Pieces(_SENTENCE.findall(new))
    found: list[Span] = []
    for equal, *places in spans(ours.pieces, theirs.pieces, budget):
        one, one_end = ours.place(*places[:2])
        two, two_end = theirs.place(*places[2:])
        if equal:
            found.append(Span(True, one, one_end, two, two_end))
            continue
        for part in spans(old[one:one_end], new[two:two_end], budget):
            found.append(
                Span(part.equal, one + part[1], one + part[2], two + part[3], two + part[4])
            )
    return found


def _readable(found: list[Span]) -> list[Span]:
    """Without equal letters between two changes that are longer: those are there by chance."""
    kept: list[Span] = []
    for at, span in enumerate(found):
        following = found[at + 1] if at + 1 < len(found) else None
        by_chance = (
            span.equal
            and kept
            and not kept[-1].equal
            and following is not None
            and span.old_end - span.old_start < min(_size(kept[-1]), _size(following))
        )
        if kept and (by_chance or span.equal == kept[-1].equal):
            kept[-1] = kept[-1]._replace(old_end=span.old_end, new_end=span.new_end)
        else:
            kept.append(span)
    return kept


def _size(span: Span) -> int:
    return max(span.old_end - span.old_start, span.new_end - span.new_start)


def _sizes(hunks: list[Hunk]) -> tuple[int, int]:
    """Characters that are new, and that are gone."""
    changes: list[Hunk | Edit] = []
    for hunk in hunks:
        changes += hunk.edits if hunk.kind == "changed" else [hunk]
    changed = [one for one in changes if one.kind != "equal"]
    return (
        sum(one.new_end - one.new_start for one in changed),
        sum(one.old_end - one.old_start for one in changed),
    )
