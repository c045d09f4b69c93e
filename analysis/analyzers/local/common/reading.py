"""One reading of a chapter: passages, words and cast, found once and shared by the features."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from analysis.analyzers.base import ChapterInput

from .entities import Cast, Draft, Entity, EntityKind
from .grammar import Grammar
from .marks import Marks
from .spans import Passages, said

Spans = list[tuple[int, int]]
Check = Callable[[float], None]

_KIND: dict[str, EntityKind] = {"location": "location", "faction": "faction"}


@dataclass(slots=True)
class Item:
    name: str
    spans: Spans


class Nouns(Protocol):
    """The salient nouns of a chapter's segments, in its language."""

    def of_segment(self, number: int, names: Spans) -> list[str]:
        """The nouns of segment ``number`` outside of the ``names`` in it, then what it counts."""
        ...

    def counted(self, number: int) -> list[str]:
        """The counted things of a segment, which a text comes back to: "第九层"."""
        ...


@dataclass(frozen=True, slots=True)
class Tongue:
    """How the language names whom a clause speaks of."""

    opener: re.Pattern[str]  # what may stand between the start of a clause and its subject
    pronouns: dict[str, str]  # the gender of each: "m", "f"
    gender: Callable[[str], str]  # of a name; "" where it does not tell

    def may_mean(self, words: str, who: Entity) -> bool:
        """Unless the last pronoun of ``words`` is of the other gender than the name."""
        called = self._called(words)
        if not called:
            return True
        return all(self.gender(name) in ("", called) for name in (who.name, *who.aliases))

    def means(self, words: str, who: Entity) -> bool:
        """Whether the last pronoun of ``words`` is of the gender that the name tells."""
        called = self._called(words)
        return called != "" and called in {self.gender(name) for name in (who.name, *who.aliases)}

    def _called(self, words: str) -> str:
        """The gender of the last pronoun, "" without one."""
        found = re.findall(r"[a-z]+|[他她]", words.lower())
        return next((self.pronouns[w] for w in reversed(found) if w in self.pronouns), "")


@dataclass
class Reading:
    chapter: ChapterInput
    passages: Passages
    cast: Cast
    items: list[Item]
    nouns: Nouns
    tongue: Tongue
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
        words += self.nouns.of_segment(number, [(start, end) for start, end, _ in named])
        return distinct(words)

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
    def speech(self) -> Spans:
        """Where somebody speaks, in order."""
        return said(self.chapter.text, 0, len(self.chapter.text))

    def is_spoken(self, at: int) -> bool:
        """Whether what stands at ``at`` is speech."""
        number = bisect_right(self.speech, (at, len(self.chapter.text))) - 1
        return number >= 0 and self.speech[number][0] <= at < self.speech[number][1]

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


@dataclass(frozen=True, slots=True)
class Language:
    """All that the features need to know about a language."""

    grammar: Grammar
    tongue: Tongue
    marks: Marks
    read: Callable[[ChapterInput, Passages, Check], Reading]
    # The salient nouns of texts that are no part of the chapter.
    nouns_of: Callable[[list[str]], list[list[str]]]
    # The words of a passage by which another one that speaks of the same is known.
    terms: Callable[[str], frozenset[str]]


def known_drafts(chapter: ChapterInput) -> tuple[list[Draft], list[Draft]]:
    """The bible's people, and its places and groups, as drafts; in an order that does not depend
    on how often other chapters name them."""
    people = [
        Draft("person", c.name, {a for a in c.aliases if len(a) > 1}, 0.97, known=True)
        for c in sorted(chapter.known_characters, key=lambda one: one.name)
    ]
    things = [
        Draft(kind, e.name, {a for a in e.aliases if len(a) > 1}, 0.97, known=True)
        for e in sorted(chapter.known_entities, key=lambda one: (one.name, one.kind))
        if (kind := _KIND.get(e.kind)) is not None
    ]
    return people, things


def with_known_items(chapter: ChapterInput, found: dict[str, Spans]) -> list[Item]:
    """Things that were found, and the bible's own wherever they are named."""
    for entity in chapter.known_entities:
        if entity.kind == "item" and entity.name and entity.name not in found:
            at = chapter.text.find(entity.name)
            if at >= 0:
                found[entity.name] = [(at, at + len(entity.name))]
    return [Item(name, spans) for name, spans in sorted(found.items(), key=lambda x: x[1][0])]


def forms_of(cast: Cast) -> set[str]:
    return {f for e in cast.entities for f in (e.name, *e.aliases)}
