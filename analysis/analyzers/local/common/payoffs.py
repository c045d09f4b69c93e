"""Passages that take up an earlier seed: a word that resolves, and words that both have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from analysis.analyzers.base import ChapterInput, OpenThread
from arboris.bible.types.findings import Payoff

from .grammar import Grammar
from .reading import Language, Reading, distinct
from .seeds import flat

_MAX_KEYWORDS = 8
_WORDS = 2  # that both have to share for a pay-off that is certain
_CERTAIN = 0.65  # the confidence of one; below it the writer is asked
_ASKED = 0.5
_QUESTIONS = 3  # that a chapter may ask; the best
_GROUND = 0.7  # what the words must weigh
_OFTEN = 8  # passages of a chapter; a word that stands in more says little about one


@dataclass(slots=True)
class _Link:
    thread: OpenThread
    words: list[str]
    weight: float


class ThreadIndex:
    """The open threads, found by their keywords and by the terms of their passages."""

    def __init__(self, chapter: ChapterInput, language: Language) -> None:
        bare = [t for t in chapter.open_threads if not t.keywords]
        nouns = language.nouns_of([t.quote or t.description for t in bare])
        derived = {id(t): tuple(n) for t, n in zip(bare, nouns, strict=True)}
        self._by_keyword: defaultdict[str, list[OpenThread]] = defaultdict(list)
        self._by_term: defaultdict[str, list[OpenThread]] = defaultdict(list)
        for thread in chapter.open_threads:
            for word in {k for k in (thread.keywords or derived[id(thread)]) if len(k) > 1}:
                self._by_keyword[word].append(thread)
            for term in language.terms(thread.quote):
                self._by_term[term].append(thread)

    def sharing(
        self, passage: str, terms: frozenset[str]
    ) -> Iterator[tuple[OpenThread, dict[str, int]]]:
        """The threads that share words with the passage, and how many threads have each word."""
        shared: defaultdict[int, dict[str, int]] = defaultdict(dict)
        threads: dict[int, OpenThread] = {}
        keywords = [word for word in self._by_keyword if word in passage]
        for words, index in ((keywords, self._by_keyword), (terms, self._by_term)):
            for word in words:
                holders = index.get(word, ())
                for thread in holders:
                    threads[id(thread)] = thread
                    shared[id(thread)][word] = max(shared[id(thread)].get(word, 0), len(holders))
        for place, thread in threads.items():
            yield thread, shared[place]


def find_payoffs(
    reading: Reading,
    language: Language,
    index: ThreadIndex,
    tick: Callable[[int, int], None],
) -> Iterator[Payoff]:
    """At most one for each thread; the rest carry keywords, and the fold links them.

    The fold knows every chapter.
    """
    grammar, total = language.grammar, len(reading.passages.segments)
    best: dict[int, tuple[float, int, Payoff]] = {}
    for number in range(total):
        tick(number, total)
        cue = _cue(reading, grammar, number)
        if cue is None:
            continue
        at, closes, deed = cue
        link = _link(reading, language, number, index, deed)
        if link is not None and not closes and not _is_plain(reading, link.words):
            continue
        if link is None:
            if closes and (unlinked := _unlinked(reading, number, at)):
                yield unlinked
            continue
        payoff = _payoff(reading, number, at, closes, link)
        score = (payoff.confidence, link.weight)
        known = best.get(id(link.thread))
        if known is None or score > (known[2].confidence, known[0]):
            best[id(link.thread)] = (link.weight, number, payoff)
    ranked = sorted(best.values(), key=lambda one: (-one[2].confidence, -one[0], one[1]))
    asked = [one for one in ranked if one[2].confidence < _CERTAIN][:_QUESTIONS]
    for _, _, payoff in sorted(
        [*(one for one in ranked if one[2].confidence >= _CERTAIN), *asked], key=lambda one: one[1]
    ):
        yield payoff


def _cue(reading: Reading, grammar: Grammar, number: int) -> tuple[int, bool, str] | None:
    """Where a passage says that something comes out, whether that closes it, and what was done.

    The deed ("it is he who wrote it") answers a seed that asks about the same; "" without one.
    """
    text, segment = reading.chapter.text, reading.passages.segments[number]
    closes = grammar.resolved.search(text, segment.start, segment.end)
    cue = grammar.payoff.search(text, segment.start, segment.end)
    found = closes or cue
    if found is None or grammar.unsure.search(text, found.start(), segment.end):
        return None
    deed = cue.groupdict().get("deed") or cue.groupdict().get("did") if cue else None
    return found.start(), closes is not None, deed or ""


def _link(
    reading: Reading, language: Language, number: int, index: ThreadIndex, deed: str
) -> _Link | None:
    """The open thread with which the passage shares the most telling words."""
    text, segments = reading.chapter.text, reading.passages.segments
    first = min([*reading.before(number, 1), number])
    passage = text[segments[first].start : segments[number].end]
    best: _Link | None = None
    for thread, holders in index.sharing(passage, language.terms(passage)):
        words = [
            word
            for word in distinct(sorted(holders, key=_long))
            if not any(word in name for name in reading.people)
        ]
        weight = sum(_tells(reading, word, holders[word]) for word in words)
        if words and deed and deed in thread.quote:
            words.append(deed)
            weight += 1
        if words and (best is None or weight > best.weight):
            best = _Link(thread, words, weight)
    return best if best is not None and best.weight >= _GROUND else None


def _is_plain(reading: Reading, words: list[str]) -> bool:
    """Whether the words tell of the seed by themselves: two, or the name of a thing."""
    return len(words) >= _WORDS or any(
        word in item.name for item in reading.items for word in words
    )


def _long(word: str) -> tuple[int, str]:
    return (-len(word), word)


def _tells(reading: Reading, word: str, holders: int) -> float:
    """How much a word says about which of so many threads is meant, and that it is: 0..1."""
    often = reading.chapter.text.count(word) > _OFTEN
    return float((0.5 if often else 1.0) / holders**0.5)


def _payoff(reading: Reading, number: int, at: int, closes: bool, link: _Link) -> Payoff:
    is_certain = closes and len(link.words) >= _WORDS and link.weight >= _WORDS * 0.7
    confidence = _CERTAIN + 0.05 * min(3, len(link.words) - _WORDS) if is_certain else _ASKED
    keywords = distinct([*link.words, *reading.about(number, 1)])[:_MAX_KEYWORDS]
    return Payoff(
        outcome="paid_off",
        description=flat(reading.chapter.text, reading.passages.segments[number]),
        keywords=keywords,
        seed_quote=link.thread.quote[:2000],
        evidence=reading.passages.evidence(at, at + 1),
        confidence=round(confidence, 3),
        basic=True,
    )


def _unlinked(reading: Reading, number: int, at: int) -> Payoff | None:
    keywords = reading.about(number, 1)[:_MAX_KEYWORDS]
    if not keywords:
        return None
    return Payoff(
        outcome="paid_off",
        description=flat(reading.chapter.text, reading.passages.segments[number]),
        keywords=keywords,
        seed_quote="",
        evidence=reading.passages.evidence(at, at + 1),
        confidence=0.55,
        basic=True,
    )
