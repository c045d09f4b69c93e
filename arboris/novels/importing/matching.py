"""Which chapter of a novel a found one is: by its title, else by the number in the title."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from arboris.novels.importing.headings import heading_key, heading_number


@dataclass(frozen=True, slots=True)
class KnownChapter:
    id: int
    chapter_number: int
    title: str


def match(titles: Sequence[str], known: Sequence[KnownChapter]) -> list[KnownChapter | None]:
    """For each found title the chapter that it is, or None; no chapter is taken twice.

    What is there more than once, as a number is that begins anew in each volume, tells nothing.
    """
    by_title = _unique((heading_key(one.title), one) for one in known)
    by_number = _unique((heading_number(one.title), one) for one in known)
    for one in known:  # a title without a number: the chapter's place is its number
        if heading_number(one.title) is None and one.chapter_number not in by_number:
            by_number[one.chapter_number] = one
    keys = [heading_key(title) for title in titles]
    numbers = [heading_number(title) for title in titles]
    counted: Counter[object] = Counter(numbers)
    counted_keys: Counter[object] = Counter(keys)
    found = [_pick(by_title, key, counted_keys) for key in keys]
    taken = {one.id for one in found if one is not None}
    for at, number in enumerate(numbers):
        there = _pick(by_number, number, counted) if found[at] is None else None
        if there is not None and there.id not in taken:
            found[at] = there
            taken.add(there.id)
    return found


def _unique(pairs: Iterable[tuple[str | int | None, KnownChapter]]) -> dict[object, KnownChapter]:
    rows = list(pairs)
    count = Counter(key for key, _one in rows)
    return {key: one for key, one in rows if key and count[key] == 1}


def _pick(
    known: dict[object, KnownChapter], key: str | int | None, count: Counter[object]
) -> KnownChapter | None:
    return known.get(key) if key and count[key] == 1 else None
