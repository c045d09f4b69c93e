"""A passage that is being written: what it says of people whom the bible knows. No model is asked.

So it takes milliseconds: nobody new is looked for, and only what continuity compares is found.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from analysis.analyzers.base import ChapterInput, Language
from arboris.bible.types.findings import Appearance, StateChange
from arboris.bible.types.names import short_forms

from .common.changes import find_changes
from .common.entities import Draft, place
from .common.observed import observe
from .common.people import appearance
from .common.reading import Reading, Spans, with_known_items
from .common.spans import Passages
from .en.reader import EN
from .zh.reader import ZH

_CONTEXT = 2_000  # code points before the passage that say whom it speaks of


class _NoNouns:
    """What a passage is about is not asked here."""

    def of_segment(self, number: int, names: Spans) -> list[str]:
        return []

    def counted(self, number: int) -> list[str]:
        return []


def read_passage(
    text: str,
    language: Language,
    people: Iterable[tuple[str, tuple[str, ...]]],
    items: Iterable[str],
    start: int,
    end: int,
) -> list[Appearance | StateChange]:
    """What ``text[start:end]`` says of these people (name, other names) and items.

    Offsets are those of ``text``; what stands before the passage says whom a pronoun means.
    """
    first = _paragraph_start(text, max(0, start - _CONTEXT))
    chapter = ChapterInput(text=text[:end], language=language, chapter_number=1)
    tongue = EN if language == "en" else ZH
    passages = Passages(text[:end], language, first)
    drafts = [_draft(name, others) for name, others in people]
    cast = place(text[:end], drafts, whole_words=language == "en", start=first)
    named = {
        name: [(at, at + len(name))] for name in items if (at := text.find(name, first, end)) >= 0
    }
    reading = Reading(
        chapter, passages, cast, with_known_items(chapter, named), _NoNouns(), tongue.tongue
    )
    observed = observe(reading, tongue.marks, start)
    found: list[Appearance | StateChange] = [
        appearance(reading, person, observed[id(person)])
        for person in cast.of("person")
        if observed.get(id(person))
    ]
    inside = (segment for segment in passages.segments if segment.end > start)
    found += chain.from_iterable(
        find_changes(reading, tongue.grammar, segment) for segment in inside
    )
    return found


def _draft(name: str, others: tuple[str, ...]) -> Draft:
    forms = {form for form in (*others, *short_forms(name)) if len(form) > 1}
    return Draft("person", name, forms, 0.97, known=True)


def _paragraph_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1 if at else 0
