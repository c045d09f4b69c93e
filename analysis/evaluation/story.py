"""A story read chapter by chapter into a bible, and that bible against what the story tells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from analysis.analyzers.base import (
    Analyzer,
    ChapterInput,
    KnownCharacter,
    KnownEntity,
    Language,
    OpenThread,
)
from analysis.evaluation.counts import Count
from analysis.pipeline import run
from arboris.bible.fold.continuity import CONTRADICTIONS
from arboris.bible.fold.fold import Bible, fold
from arboris.bible.known import OPEN
from arboris.bible.types.placed_finding import PlacedFinding


@dataclass(slots=True)
class StoryFigures:
    """Sums over stories of one language."""

    counts: dict[str, Count] = field(default_factory=dict)
    people: int = 0  # listed
    merged: int = 0  # entries that hold names of several people
    split: int = 0  # people whose names stand in several entries
    characters: int = 0  # code points read

    def count(self, kind: str) -> Count:
        return self.counts.setdefault(kind, Count())


def read_story(analyzer: Analyzer, language: Language, texts: list[str]) -> Bible:
    """The bible of the chapters, each told of what those before it say."""
    bible, placed = Bible(), list[PlacedFinding]()
    for number, text in enumerate(texts, 1):
        chapter = ChapterInput(
            text=text,
            language=language,
            chapter_number=number,
            known_characters=tuple(
                KnownCharacter(at, p.name, tuple(p.aliases)) for at, p in enumerate(bible.people, 1)
            ),
            known_entities=tuple(
                KnownEntity(e.kind, e.name, tuple(e.aliases))  # type: ignore[arg-type]
                for e in bible.world_entries
            ),
            open_threads=tuple(
                OpenThread(t.chapter_number, t.description, t.fact.quote, tuple(t.keywords))
                for t in bible.threads
                if t.status in OPEN
            ),
        )
        stated = run(analyzer, chapter, {}, {}, lambda feature, done: None).findings
        placed += [PlacedFinding(number, number, s.finding, s.tier) for s in stated if s.verified]
        bible = fold(placed)
    return bible


def compare(figures: StoryFigures, story: dict[str, Any], bible: Bible) -> None:
    who = _people(story, bible)
    _merges(figures, story, bible)
    _relations(figures.count("relations"), story, bible, who)
    _states(figures.count("states"), story, bible, who)
    _threads(figures, story, bible)
    _contradictions(figures.count("contradictions"), story, bible)


def _forms(story: dict[str, Any]) -> dict[str, str]:
    """Every name of a person of the story: the first one."""
    return {f: p["name"] for p in story["people"] for f in [p["name"], *p["aliases"]]}


def _people(story: dict[str, Any], bible: Bible) -> dict[str, str]:
    """The bible's people, by key and by every name: whom of the story they mostly name."""
    forms, who = _forms(story), dict[str, str]()
    for person in bible.people:
        named = Counter(forms[f] for f in [person.name, *person.aliases] if f in forms)
        if named:
            name = named.most_common(1)[0][0]
            who |= dict.fromkeys([person.natural_key, person.name, *person.aliases], name)
    return who


def _merges(figures: StoryFigures, story: dict[str, Any], bible: Bible) -> None:
    forms = _forms(story)
    entries = [{f for f in [p.name, *p.aliases] if f in forms} for p in bible.people]
    figures.people += len(story["people"])
    figures.merged += sum(len({forms[f] for f in entry}) > 1 for entry in entries)
    places: dict[str, set[int]] = {}
    for at, entry in enumerate(entries):
        for form in entry:
            places.setdefault(forms[form], set()).add(at)
    figures.split += sum(len(of) > 1 for of in places.values())
    told = {frozenset(pair) for entry in entries for pair in combinations(sorted(entry), 2)}
    true = {
        frozenset(pair)
        for p in story["people"]
        for pair in combinations(sorted([p["name"], *p["aliases"]]), 2)
    }
    figures.count("alias pairs").add(len(told & true), len(told - true), len(true))


def _relations(count: Count, story: dict[str, Any], bible: Bible, who: dict[str, str]) -> None:
    listed = story["relations"]
    found: set[int] = set()
    wrong = 0
    for tie in bible.relationships:
        source, target = who.get(tie.source), who.get(tie.target)
        at = [
            n
            for n, (a, words, b) in enumerate(listed)
            if (a, b) == (source, target) and any(word in tie.relation for word in words)
        ]
        found |= set(at)
        wrong += not at
    count.add(len(found), wrong, len(listed))


def _states(count: Count, story: dict[str, Any], bible: Bible, who: dict[str, str]) -> None:
    listed = story["states"]
    found: set[int] = set()
    wrong = 0
    for chapter in bible.chapters.values():
        for state in chapter.states.values():
            said = f"{state.description} {state.fact.quote}"
            at = [
                n
                for n, one in enumerate(listed)
                if (one["chapter"], one["person"], one["kind"])
                == (state.fact.chapter_id, who.get(state.person), state.kind)
                and any(word in said for word in one["words"])
            ]
            found |= set(at)
            wrong += not at
    count.add(len(found), wrong, len(listed))


def _threads(figures: StoryFigures, story: dict[str, Any], bible: Bible) -> None:
    listed = story["threads"]
    seeds = {thread.natural_key: thread for thread in bible.threads}
    planted: set[int] = set()
    wrong = 0
    for thread in seeds.values():
        at = _sown(listed, thread.chapter_number, thread.fact.quote)
        planted |= at
        wrong += not at
    figures.count("seeds").add(len(planted), wrong, len(listed))
    paid, wrong = set[int](), 0
    for chapter in bible.chapters.values():
        for event in chapter.events.values():
            if not event.certain or event.outcome != "paid_off" or event.thread not in seeds:
                continue
            seed = seeds[event.thread]
            at = {
                n
                for n in _sown(listed, seed.chapter_number, seed.fact.quote)
                if listed[n]["payoff_chapter"] == event.fact.chapter_id
                and _meets(listed[n]["payoff"], event.fact.quote)
            }
            paid |= at
            wrong += not at
    figures.count("pay-offs").add(len(paid), wrong, sum(bool(t["payoff"]) for t in listed))


def _sown(listed: list[dict[str, Any]], chapter: int, quote: str) -> set[int]:
    return {
        n
        for n, one in enumerate(listed)
        if one["seed_chapter"] == chapter and _meets(one["seed"], quote)
    }


def _contradictions(count: Count, story: dict[str, Any], bible: Bible) -> None:
    listed = story["contradictions"]
    found: set[int] = set()
    wrong = 0
    for chapter in bible.chapters.values():
        for notice in chapter.notices.values():
            if notice.kind not in CONTRADICTIONS:
                continue
            later = notice.data["later"]
            at = {
                n
                for n, one in enumerate(listed)
                if one["later_chapter"] == later["chapter_id"]
                and _meets(one["later"], later["quote"])
            }
            found |= at
            wrong += not at
    count.add(len(found), wrong, len(listed))


def _meets(part: str, quote: str) -> bool:
    """Whether a quote holds the part that is looked for, or is a part of it."""
    return part in quote or (len(quote) > 5 and quote in part)
