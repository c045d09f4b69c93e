"""One reading of a chapter: passages, words and cast, found once and shared by the features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from analysis.analyzers.base import ChapterInput

from .entities import Cast, Draft, place
from .en_merge import settle
from .en_names import EnCandidates
from .en_tokens import read_words as read_english
from .models import MODELS, Lac, ModelMissing
from .spans import Passages
from .zh_merge import Merger
from .zh_names import ZhCandidates
from .zh_places import ZhPlaces
from .zh_tokens import Word, read_words

_KIND = {"location": "location", "faction": "faction"}


@dataclass(slots=True)
class Reading:
    chapter: ChapterInput
    passages: Passages
    cast: Cast
    words: list[list[Word]]  # Chinese only
    notes: list[str] = field(default_factory=list)


def read(chapter: ChapterInput, check: Callable[[float], None]) -> Reading:
    passages = Passages(chapter.text, chapter.language)
    check(0.02)
    if chapter.language == "en":
        return _read_en(chapter, passages, check)
    return _read_zh(chapter, passages, check)


def read_cast(chapter: ChapterInput) -> Cast:
    return read(chapter, lambda _: None).cast


def _known(chapter: ChapterInput) -> tuple[list[Draft], list[Draft]]:
    people = [
        Draft("person", c.name, {a for a in c.aliases if a}, 0.97, known=True)
        for c in chapter.known_characters
    ]
    things = [
        Draft(kind, e.name, {a for a in e.aliases if a}, 0.97, known=True)
        for e in chapter.known_entities
        if (kind := _KIND.get(e.kind)) is not None
    ]
    return people, things


def _read_zh(chapter: ChapterInput, passages: Passages, check: Callable[[float], None]) -> Reading:
    notes: list[str] = []
    lac: Lac | None = None
    try:
        lac = MODELS.lac
    except ModelMissing:
        notes.append("The Chinese language model is not installed; names were found by rules alone.")
    words = read_words(passages, lac, lambda f: check(0.05 + 0.75 * f))
    people, things = _known(chapter)
    persons = ZhCandidates(chapter.text, words).persons()
    check(0.85)
    places = ZhPlaces(words, persons).drafts()
    taken = {f for d in things for f in d.forms} | {f for d in people for f in d.forms}
    drafts = Merger(persons, people).run(chapter.text)
    drafts += things + [d for d in places if d.name not in taken]
    check(0.9)
    cast = place(chapter.text, drafts, whole_words=False)
    check(0.95)
    return Reading(chapter, passages, cast, words, notes)


def _read_en(chapter: ChapterInput, passages: Passages, check: Callable[[float], None]) -> Reading:
    notes: list[str] = []
    lines = read_english(passages)
    check(0.3)
    people, things = _known(chapter)
    candidates = EnCandidates(chapter.text, lines)
    check(0.6)
    cast = place(chapter.text, settle(candidates, people + things), whole_words=True)
    check(0.9)
    return Reading(chapter, passages, cast, [], notes)
