"""One English chapter, read: its words, the cast, the things."""

from __future__ import annotations

from analysis.analyzers.base import ChapterInput

from ..common.entities import place
from ..common.grammar import load_grammar
from ..common.marks import load_marks
from ..common.numbers import english_number
from ..common.reading import (
    Check,
    Language,
    Reading,
    Spans,
    Tongue,
    forms_of,
    known_drafts,
    with_known_items,
)
from ..common.spans import Passages
from . import words as w
from .items import find_items
from .keywords import salient_nouns, terms
from .merge import settle
from .names import EnCandidates
from .tokens import read_words


class EnNouns:
    def __init__(self, passages: Passages) -> None:
        self._passages = passages

    def of_segment(self, number: int, names: Spans) -> list[str]:
        segment = self._passages.segments[number]
        return salient_nouns(self._passages.text[segment.start : segment.end])

    def counted(self, number: int) -> list[str]:
        return []


def read(chapter: ChapterInput, passages: Passages, check: Check) -> Reading:
    lines = read_words(passages)
    check(0.4)
    people, things = known_drafts(chapter)
    candidates = EnCandidates(chapter.text, lines)
    check(0.8)
    cast = place(chapter.text, settle(candidates, people + things), whole_words=True)
    check(0.95)
    items = with_known_items(chapter, find_items(chapter.text, forms_of(cast)))
    check(1.0)
    return Reading(chapter, passages, cast, items, EnNouns(passages), TONGUE)


def gender(name: str) -> str:
    """Of a name by its title or given name: "m", "f", or ""."""
    first = name.split(" ")[0].lower().rstrip(".")
    if first in w.MALE_TITLES or first in w.MALE_NAMES:
        return "m"
    return "f" if first in w.FEMALE_TITLES or first in w.FEMALE_NAMES else ""


GRAMMAR = load_grammar("en_grammar", {}, kin=w.KIN, pairs=w.PAIRS)
TONGUE = Tongue(GRAMMAR.opener, {"he": "m", "his": "m", "him": "m", "she": "f", "her": "f"}, gender)
EN = Language(
    GRAMMAR,
    TONGUE,
    load_marks(
        "en_observed",
        english_number,
        {"left": "left", "right": "right"},
    ),
    read,
    lambda texts: [salient_nouns(text) for text in texts],
    terms,
)
