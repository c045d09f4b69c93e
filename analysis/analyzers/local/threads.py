"""Seeds that a chapter plants, and passages that take up an earlier one. By cue words alone."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.analyzers.base import ChapterInput, OpenThread
from arboris.bible.findings import Foreshadowing, Payoff

from .grammar import Grammar
from .keywords import nouns_of
from .reading import Reading
from .spans import Segment

_MAX_KEYWORDS = 8
_MAX_LINKS = 2


def find_seed(reading: Reading, grammar: Grammar, number: int) -> Iterator[Foreshadowing]:
    """The strongest cue of a passage, if there is one."""
    text, segment = reading.chapter.text, reading.passages.segments[number]
    best = None
    for rule in grammar.seeds:
        found = rule.cue.search(text, segment.start, segment.end)
        if found and (best is None or rule.certainty > best[0].certainty):
            best = (rule, found)
    if best is None:
        return
    rule, found = best
    keywords = reading.keywords(number)
    if not keywords:  # nothing that a later chapter could be linked by
        return
    yield Foreshadowing(
        kind=rule.kind,
        description=_flat(text, segment),
        keywords=keywords[:_MAX_KEYWORDS],
        evidence=reading.passages.evidence(found.start(), found.start() + 1),
        confidence=round(min(0.75, rule.certainty + 0.03 * len(keywords)), 3),
        basic=True,
    )


def find_payoffs(
    reading: Reading,
    grammar: Grammar,
    number: int,
    threads: list[tuple[OpenThread, tuple[str, ...]]],
) -> Iterator[Payoff]:
    """A resolution cue, and the open threads whose keywords stand in the passage.

    Where none of them does, the pay-off carries its own keywords and can still be linked.
    """
    text, segment = reading.chapter.text, reading.passages.segments[number]
    found = grammar.payoff.search(text, segment.start, segment.end)
    if found is None:
        return
    closes = grammar.resolved.search(text, segment.start, segment.end) is not None
    passage = text[segment.start : segment.end]
    keywords = reading.keywords(number)
    linked = _linked(reading, passage, threads)
    evidence = reading.passages.evidence(found.start(), found.start() + 1)
    for thread, words in linked:
        yield Payoff(
            outcome="paid_off" if closes else "advanced",
            description=_flat(text, segment),
            keywords=list(dict.fromkeys([*words, *keywords]))[:_MAX_KEYWORDS],
            seed_quote=thread.quote[:2000],
            evidence=evidence,
            confidence=round(0.4 + 0.1 * min(2, len(words)) + 0.1 * closes, 3),
            basic=True,
        )
    if not linked and keywords and closes:
        yield Payoff(
            outcome="paid_off",
            description=_flat(text, segment),
            keywords=keywords[:_MAX_KEYWORDS],
            seed_quote="",
            evidence=evidence,
            confidence=0.4,
            basic=True,
        )


def thread_keywords(
    chapter: ChapterInput,
) -> list[tuple[OpenThread, tuple[str, ...]]]:
    """The open threads with their keywords, taken from the quote where none were kept."""
    bare = [t for t in chapter.open_threads if not t.keywords]
    nouns = nouns_of([t.quote or t.description for t in bare], chapter.language)
    derived = {id(t): tuple(n) for t, n in zip(bare, nouns, strict=True)}
    return [
        (t, tuple(k for k in (t.keywords or derived[id(t)]) if len(k) > 1))
        for t in chapter.open_threads
    ]


def _linked(
    reading: Reading, passage: str, threads: list[tuple[OpenThread, tuple[str, ...]]]
) -> list[tuple[OpenThread, list[str]]]:
    """The threads that share most keywords with the passage, at most two."""
    found = [
        (thread, words)
        for thread, theirs in threads
        if (words := [k for k in theirs if k in passage])
        and _about_more_than_people(reading, words)
    ]
    return sorted(found, key=lambda x: -len(x[1]))[:_MAX_LINKS]


def _about_more_than_people(reading: Reading, words: list[str]) -> bool:
    """The hero's name is in every chapter: a thing, a place or a newcomer has to link."""
    people = {f for e in reading.cast.of("person") for f in (e.name, *e.aliases)}
    return any(word not in people for word in words)


def _flat(text: str, segment: Segment) -> str:
    return " ".join(text[segment.start : segment.end].split())
