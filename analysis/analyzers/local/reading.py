"""One reading of a chapter: passages, words and cast, found once and shared by the features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from analysis.analyzers.base import ChapterInput

from . import en_items, zh_items
from .en_merge import settle
from .en_names import EnCandidates
from .en_tokens import read_words as read_english
from .entities import Cast, Draft, EntityKind, place
from .keywords import en_nouns, zh_counted, zh_nouns
from .models import MODELS, Lac, ModelMissing
from .spans import Passages
from .zh_merge import Merger
from .zh_names import ZhCandidates
from .zh_places import ZhPlaces
from .zh_tokens import Word, read_words

_KIND: dict[str, EntityKind] = {"location": "location", "faction": "faction"}


def gettext_noop(message: str) -> str:
    """Marks a note for the translators; no Django is needed to read a chapter."""
    return message


NO_CHINESE_MODEL = gettext_noop(
    "The Chinese language model is not installed; names were found by rules alone."
)


@dataclass(slots=True)
class Item:
    name: str
    spans: list[tuple[int, int]]


@dataclass
class Reading:
    chapter: ChapterInput
    passages: Passages
    cast: Cast
    items: list[Item]
    words: list[list[Word]]  # Chinese only
    notes: list[str] = field(default_factory=list)

    def keywords(self, number: int) -> list[str]:
        """What segment ``number`` is about: its things, places, people, then plain nouns."""
        segment = self.passages.segments[number]
        text = self.chapter.text
        passage = text[segment.start : segment.end]
        named = self.cast.within(segment.start, segment.end)
        words = [i.name for i in self.items if i.name in passage]
        words += [e.name for _, _, e in named if e.kind != "person"]
        words += [e.name for _, _, e in named if e.kind == "person"]
        if self.words:
            words += zh_nouns(self.words[number], [(a, b) for a, b, _ in named])
            words += self.counted(number)
        else:
            words += en_nouns(passage)
        return distinct(words)

    def counted(self, number: int) -> list[str]:
        """Counted things of a Chinese passage, which a text comes back to: "第九层"."""
        segment = self.passages.segments[number]
        return zh_counted(self.chapter.text[segment.start : segment.end]) if self.words else []

    def about(self, number: int, back: int) -> list[str]:
        """``keywords``, then those of up to ``back`` sentences before it in the same paragraph."""
        words = self.keywords(number)
        for before in self.before(number, back):
            words += self.keywords(before)
        return distinct(words)

    def before(self, number: int, back: int) -> list[int]:
        """The numbers of up to ``back`` segments before, nearest first, within the paragraph."""
        segments, found = self.passages.segments, list[int]()
        for at in range(number - 1, max(-1, number - 1 - back), -1):
            if "\n" in self.chapter.text[segments[at].end : segments[at + 1].start]:
                break
            found.append(at)
        return found

    @cached_property
    def people(self) -> frozenset[str]:
        """Every form that names a person here."""
        return frozenset(f for e in self.cast.of("person") for f in (e.name, *e.aliases))


def distinct(words: list[str]) -> list[str]:
    """In order, without the empty, the endless and those that a kept one holds already."""
    kept: list[str] = []
    for word in words:
        if 0 < len(word) <= 100 and not any(word.lower() in k.lower() for k in kept):
            kept.append(word)
    return kept


def read(chapter: ChapterInput, check: Callable[[float], None]) -> Reading:
    """Everything the features share; ``check`` gets the fraction of it that is done."""
    passages = Passages(chapter.text, chapter.language)
    check(0.02)
    reader = _read_en if chapter.language == "en" else _read_zh
    return reader(chapter, passages, check)


def _known(chapter: ChapterInput) -> tuple[list[Draft], list[Draft]]:
    """The bible's people, and its places and groups, as drafts."""
    people = [
        Draft("person", c.name, {a for a in c.aliases if len(a) > 1}, 0.97, known=True)
        for c in chapter.known_characters
    ]
    things = [
        Draft(kind, e.name, {a for a in e.aliases if len(a) > 1}, 0.97, known=True)
        for e in chapter.known_entities
        if (kind := _KIND.get(e.kind)) is not None
    ]
    return people, things


def _items(
    chapter: ChapterInput, cast: Cast, found: dict[str, list[tuple[int, int]]]
) -> list[Item]:
    """Things that were found, and the bible's own wherever they are named."""
    for entity in chapter.known_entities:
        if entity.kind == "item" and entity.name and entity.name not in found:
            at = chapter.text.find(entity.name)
            if at >= 0:
                found[entity.name] = [(at, at + len(entity.name))]
    return [Item(name, spans) for name, spans in sorted(found.items(), key=lambda x: x[1][0])]


def _forms(cast: Cast) -> set[str]:
    return {f for e in cast.entities for f in (e.name, *e.aliases)}


def _read_zh(chapter: ChapterInput, passages: Passages, check: Callable[[float], None]) -> Reading:
    notes: list[str] = []
    lac: Lac | None = None
    try:
        lac = MODELS.lac
    except ModelMissing:
        notes.append(NO_CHINESE_MODEL)
    words = read_words(passages, lac, lambda f: check(0.05 + 0.75 * f))
    people, things = _known(chapter)
    persons = ZhCandidates(chapter.text, words).persons()
    check(0.85)
    drafts = Merger(persons, people).run(chapter.text, words) + things
    taken = {f for d in drafts for f in d.forms}
    drafts += [d for d in ZhPlaces(words, persons).drafts() if d.name not in taken]
    check(0.9)
    cast = place(chapter.text, drafts, whole_words=False)
    check(0.95)
    items = _items(chapter, cast, zh_items.find_items(chapter.text, words, _forms(cast)))
    check(1.0)
    return Reading(chapter, passages, cast, items, words, notes)


def _read_en(chapter: ChapterInput, passages: Passages, check: Callable[[float], None]) -> Reading:
    lines = read_english(passages)
    check(0.4)
    people, things = _known(chapter)
    candidates = EnCandidates(chapter.text, lines)
    check(0.8)
    cast = place(chapter.text, settle(candidates, people + things), whole_words=True)
    check(0.95)
    items = _items(chapter, cast, en_items.find_items(chapter.text, _forms(cast)))
    check(1.0)
    return Reading(chapter, passages, cast, items, [], [])
