"""What is said and what is told, by quotation marks; and whom a pronoun plainly means."""

from __future__ import annotations

from .entities import Entity
from .reading import Reading
from .spans import said

_REACH = 1000  # code points of a paragraph that are looked at on either side


def paragraph(text: str, at: int) -> tuple[int, int]:
    """The line that holds ``at``, or as much of it as is near."""
    first, last = max(0, at - _REACH), min(len(text), at + _REACH)
    end = text.find("\n", at, last)
    return max(first, text.rfind("\n", first, at) + 1), last if end < 0 else end


def is_said(text: str, start: int, end: int) -> bool:
    """Whether any part of ``text[start:end]`` is speech."""
    first, last = paragraph(text, start)
    return any(a < end and start < b for a, b in said(text, first, last))


def told(reading: Reading, start: int, end: int, but: Entity) -> list[Entity]:
    """The persons whom the narrator names in ``text[start:end]``, ``but`` left out."""
    speech = said(reading.chapter.text, start, end)
    found = {
        id(who): who
        for a, _, who in reading.cast.within(start, end, "person")
        if who is not but and not any(x <= a < y for x, y in speech)
    }
    return list(found.values())


def speaker(reading: Reading, at: int, but: Entity) -> Entity | None:
    """Who says what stands at ``at``: the only person told of here.

    Or right before, where that leads in what is said: whoever is told of there may listen.
    """
    text = reading.chapter.text
    start, end = paragraph(text, at)
    people = told(reading, start, end, but)
    if not people:
        before = start
        while before and text[before - 1].isspace():
            before -= 1
        if before and text[before - 1] in "：:":
            people = told(reading, paragraph(text, before - 1)[0], before, but)
    return people[0] if len(people) == 1 else None
