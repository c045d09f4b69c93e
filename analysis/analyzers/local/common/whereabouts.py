"""Who was where at a time that the text names: "on Friday night X was in Leeds"."""

from __future__ import annotations

from collections.abc import Iterator

from arboris.bible.types.findings import Aspect

from .entities import Entity
from .marks import Marks
from .reading import Reading
from .speech import speaker
from .who import subject

_NOBODY = Entity("person", "", (), [], 0.0, False)


def whereabouts(
    reading: Reading, marks: Marks, first: int
) -> Iterator[tuple[Entity, Aspect, str, tuple[int, int]]]:
    """The value is "day/part|level:place", the part "whole" for all of the day.

    A place is a building or a town, as the text calls it.
    """
    text, segments = reading.chapter.text, reading.passages.segments
    for when in marks.when.finditer(text, first):
        segment = segments[reading.passages.index(when.start())]
        if marks.not_there.search(text, segment.start, segment.end):
            continue
        for place in marks.where.finditer(text, segment.start, segment.end):
            who = _who(reading, marks, segment.start, place.start())
            if who is None:
                continue
            level = "town" if place["town"] else "building"
            whole = marks.whole.search(text, segment.start, segment.end)
            part = "whole" if whole else _plain(when["part"])
            at = f"{_plain(when['day'])}/{part}|{level}:{_plain(place['place'])}"
            yield who, "at", at, (min(when.start(), place.start()), max(when.end(), place.end()))
            break


def _plain(words: str | None) -> str:
    return (words or "").lower().strip()


def _who(reading: Reading, marks: Marks, start: int, at: int) -> Entity | None:
    """Whoever is named last before the place, else who says "I", else whom the sentence means."""
    text = reading.chapter.text
    named = reading.cast.within(start, at, "person")
    if named:
        lead = text[named[-1][1] : at]
        return None if marks.elsewhere.search(lead) else named[-1][2]
    if reading.is_spoken(at):
        return speaker(reading, at, _NOBODY) if marks.i_was.search(text, start, at) else None
    return subject(reading, start, text[start:at])
