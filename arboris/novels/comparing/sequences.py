"""Which items two sequences have in common, in order, within a bounded number of steps.

What is unique in both is common first (patience diff, n log n); what lies between those is
compared by Myers' algorithm, whose cost grows with the square of the differences. ``Budget`` bounds
that over a whole comparison: where it is used up, what is left counts as replaced.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

STEPS = 2_000_000  # about a second


class Budget:
    """Steps that are left of a comparison. ``short``: some had to be done without."""

    def __init__(self, steps: int = STEPS) -> None:
        self.left = steps
        self.short = False

    def spend(self, steps: int) -> bool:
        self.left -= steps
        self.short = self.short or self.left < 0
        return self.left >= 0


class Span(NamedTuple):
    """``[old_start, old_end)`` stands in the place of ``[new_start, new_end)``."""

    equal: bool
    old_start: int
    old_end: int
    new_start: int
    new_end: int


Items = Sequence[Hashable]
Pair = tuple[int, int]


def spans(old: Items, new: Items, budget: Budget) -> list[Span]:
    """Spans that cover both sequences, equal and changed ones in turn."""
    found: list[Span] = []
    at_old = at_new = 0
    for one, other in [*_common(old, new, budget), (len(old), len(new))]:
        if (at_old, at_new) != (one, other):
            found.append(Span(False, at_old, one, at_new, other))
        if one < len(old):
            if found and found[-1].equal:
                found[-1] = found[-1]._replace(old_end=one + 1, new_end=other + 1)
            else:
                found.append(Span(True, one, one + 1, other, other + 1))
        at_old, at_new = one + 1, other + 1
    return found


def _common(old: Items, new: Items, budget: Budget) -> list[Pair]:
    """Pairs of places with equal items, both rising."""
    found: list[Pair] = []
    at: Pair = (0, 0)
    for anchor in [*_unique(old, new), (len(old), len(new))]:
        found += _between(old, new, at, anchor, budget)
        if anchor[0] < len(old):
            found.append(anchor)
        at = (anchor[0] + 1, anchor[1] + 1)
    return found


def _unique(old: Items, new: Items) -> list[Pair]:
    """The longest rising row of items that each sequence has once."""
    counts, others = Counter(old), Counter(new)
    places = {item: at for at, item in enumerate(new) if others[item] == 1}
    pairs = [
        (at, places[item]) for at, item in enumerate(old) if counts[item] == 1 and item in places
    ]
    ends: list[int] = []  # the lowest end of a row of each length, and which pair has it
    last: list[int] = []
    before: list[int | None] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        before.append(last[length - 1] if length else None)
        ends[length : length + 1] = [place]
        last[length : length + 1] = [number]
    row: list[Pair] = []
    step = last[-1] if last else None
    while step is not None:
        row.append(pairs[step])
        step = before[step]
    return row[::-1]


def _between(old: Items, new: Items, start: Pair, end: Pair, budget: Budget) -> list[Pair]:
    """Equal ends first; then those items alone that both have."""
    (low, other_low), (high, other_high) = start, end
    head: list[Pair] = []
    while low < high and other_low < other_high and old[low] == new[other_low]:
        head.append((low, other_low))
        low, other_low = low + 1, other_low + 1
    tail: list[Pair] = []
    while low < high and other_low < other_high and old[high - 1] == new[other_high - 1]:
        high, other_high = high - 1, other_high - 1
        tail.append((high, other_high))
    shared = set(old[low:high]) & set(new[other_low:other_high])
    ours = [at for at in range(low, high) if old[at] in shared]
    theirs = [at for at in range(other_low, other_high) if new[at] in shared]
    pairs = _myers([old[at] for at in ours], [new[at] for at in theirs], budget)
    return [*head, *((ours[one], theirs[other]) for one, other in pairs), *tail[::-1]]


def _myers(old: Items, new: Items, budget: Budget) -> list[Pair]:
    """Myers' greedy algorithm; nothing is common where the budget does not reach."""
    if not old or not new:
        return []
    furthest = {1: 0}
    # For each number of differences how far one fewer gets on each of its diagonals, as numbers
    # of four bytes: as dictionaries they take 100 MB.
    trace: list[array[int]] = []
    for differences in range(len(old) + len(new) + 1):
        trace.append(array("i", [furthest[at] for at in range(1 - differences, differences, 2)]))
        if not budget.spend(2 * differences + 1):
            return []
        for diagonal in range(-differences, differences + 1, 2):
            x = _step(furthest, diagonal, differences)
            begun = x
            while x < len(old) and x - diagonal < len(new) and old[x] == new[x - diagonal]:
                x += 1
            budget.left -= x - begun
            furthest[diagonal] = x
            if x >= len(old) and x - diagonal >= len(new):
                return _way_back(trace, len(old), len(new))
    raise AssertionError("unreachable")


def _step(furthest: dict[int, int], diagonal: int, differences: int) -> int:
    if _is_down(furthest, diagonal, differences):
        return furthest[diagonal + 1]
    return furthest[diagonal - 1] + 1


def _is_down(furthest: dict[int, int], diagonal: int, differences: int) -> bool:
    return diagonal == -differences or (
        diagonal != differences and furthest[diagonal - 1] < furthest[diagonal + 1]
    )


def _way_back(trace: list[array[int]], x: int, y: int) -> list[Pair]:
    found: list[Pair] = []
    for differences in range(len(trace) - 1, -1, -1):
        diagonal = x - y
        places = range(1 - differences, differences, 2)
        furthest = dict(zip(places, trace[differences], strict=True))
        down = _is_down(furthest, diagonal, differences)
        before = diagonal + 1 if down else diagonal - 1
        at = furthest[before] if differences else 0
        from_x, from_y = at, at - before if differences else 0
        start = (from_x if down else from_x + 1) if differences else 0
        while x > start:
            x, y = x - 1, y - 1
            found.append((x, y))
        x, y = from_x, from_y
    return found[::-1]
