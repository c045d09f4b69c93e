"""Seeds that a chapter plants, and passages that take up an earlier one. By cue words alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from analysis.analyzers.base import ChapterInput, OpenThread
from arboris.bible.types.findings import Evidence, Foreshadowing, Payoff

from .grammar import Grammar
from .reading import Language, Reading, distinct
from .spans import MAX_QUOTE, Segment
from .speech import is_said

_MAX_KEYWORDS = 8
_LOOK_AHEAD = 3  # passages after a question within which it would be answered
_SURE_WORDS = 2  # shared words that name a thread outright; one is left to the fold

Threads = list[tuple[OpenThread, tuple[str, ...]]]


def find_seed(reading: Reading, grammar: Grammar, number: int) -> Iterator[Foreshadowing]:
    """The strongest cue of a passage, if there is one."""
    verse = _verse(reading, grammar, number)
    if verse is not None:
        yield verse
        return
    text, segment = reading.chapter.text, reading.passages.segments[number]
    best = None
    for rule in grammar.seeds:
        found = rule.cue.search(text, segment.start, segment.end)
        if found is None or (rule.narrated and is_said(text, segment.start, segment.end)):
            continue
        if best is None or rule.certainty > best[0].certainty:
            best = (rule, found)
    if best is not None:
        kind, certainty, at = best[0].kind, best[0].certainty, best[1].start()
    elif _unanswered(reading, grammar, number):
        kind, certainty, at = "mystery", 0.53, segment.start
    else:
        return
    keywords = _of_substance(reading, number)
    if not keywords:  # nothing that a later chapter could be linked by
        return
    yield Foreshadowing(
        kind=kind,
        description=_flat(text, segment),
        keywords=keywords[:_MAX_KEYWORDS],
        evidence=reading.passages.evidence(at, at + 1),
        confidence=round(min(0.75, certainty + 0.03 * min(3, len(keywords))), 3),
        basic=True,
    )


def _of_substance(reading: Reading, number: int) -> list[str]:
    """Keywords of a seed: its own, or where it speaks of people alone those of what led to it.

    Talk is about what was just told: what stands out in the paragraph before belongs to it.
    """
    words = reading.keywords(number)
    if all(word in reading.people for word in words):
        segment = reading.passages.segments[number]
        if is_said(reading.chapter.text, segment.start, segment.end):
            first = min([*reading.before(number, number), number])
            for before in range(first - 1, max(-1, first - 3), -1):
                words = distinct([*words, *reading.nouns.counted(before)])
        words = distinct([*words, *reading.about(number, 2)])
    return words if any(word not in reading.people for word in words) else []


def _verse(reading: Reading, grammar: Grammar, number: int) -> Foreshadowing | None:
    """A rhyme, riddle or prophecy that the passage quotes, or leads in for the next to quote."""
    text, segment = reading.chapter.text, reading.passages.segments[number]
    cue = grammar.verse_cue.search(text, segment.start, segment.end)
    if cue is None:
        return None
    found = grammar.verse.match(text, cue.end())
    if found is None and grammar.this_verse.match(text, segment.start, cue.end()):
        found = grammar.verse_before.search(text, max(0, segment.start - MAX_QUOTE), segment.start)
    if found is None:
        return None
    start, end = found.span("v")
    if end - start > MAX_QUOTE:
        return None
    first = reading.passages.index(start)
    words = [cue["c"], *(w for w in grammar.verse_line.findall(text, start, end))]
    for at in range(first, reading.passages.index(end - 1) + 1):
        words += [w for w in reading.keywords(at) if w not in reading.people]
    return Foreshadowing(
        kind="prophecy",
        description=" ".join(text[start:end].split()),
        keywords=list(dict.fromkeys(words))[: _MAX_KEYWORDS + 4],
        evidence=Evidence(quote=text[start:end], start=start, end=end),
        confidence=0.72,
        basic=True,
    )


def _unanswered(reading: Reading, grammar: Grammar, number: int) -> bool:
    """A spoken question that somebody then shuns: silence, a glance, another subject."""
    text, segments = reading.chapter.text, reading.passages.segments
    segment = segments[number]
    if not grammar.asked.search(text, segment.start, segment.end):
        return False
    last = segments[min(len(segments) - 1, number + _LOOK_AHEAD)].end
    return grammar.shunned.match(text, segment.end, last) is not None


def find_payoffs(
    reading: Reading, grammar: Grammar, number: int, threads: Threads
) -> Iterator[Payoff]:
    """A resolution cue, with the open thread that it certainly is about, if there is one.

    Otherwise the pay-off carries its keywords and the fold links it: it knows every chapter.
    """
    text, segment = reading.chapter.text, reading.passages.segments[number]
    found = grammar.payoff.search(text, segment.start, segment.end)
    if found is None or grammar.unsure.search(text, found.start(), segment.end):
        return
    closes = grammar.resolved.search(text, segment.start, segment.end) is not None
    keywords = reading.about(number, 1)
    first = min([*reading.before(number, 1), number])
    passage = text[reading.passages.segments[first].start : segment.end]
    thread, words = _linked(reading, passage, threads)
    if not closes and len(words) < _SURE_WORDS:
        return  # "at last" and "indeed" are said of anything
    keywords = list(dict.fromkeys([*words, *keywords]))[:_MAX_KEYWORDS]
    if not keywords:
        return
    yield Payoff(
        outcome="paid_off" if closes else "advanced",
        description=_flat(text, segment),
        keywords=keywords,
        seed_quote=thread.quote[:2000] if thread else "",
        evidence=reading.passages.evidence(found.start(), found.start() + 1),
        confidence=round(0.45 + 0.05 * min(3, len(words)) + 0.1 * closes, 3),
        basic=True,
    )


def thread_keywords(chapter: ChapterInput, language: Language) -> Threads:
    """The open threads with their keywords, taken from the quote where none were kept."""
    bare = [t for t in chapter.open_threads if not t.keywords]
    nouns = language.nouns_of([t.quote or t.description for t in bare])
    derived = {id(t): tuple(n) for t, n in zip(bare, nouns, strict=True)}
    return [
        (t, tuple(k for k in (t.keywords or derived[id(t)]) if len(k) > 1))
        for t in chapter.open_threads
    ]


def _linked(
    reading: Reading, passage: str, threads: Threads
) -> tuple[OpenThread | None, list[str]]:
    """The thread that shares several of its own words with the passage, if it is sure which one."""
    common = Counter(word for _, theirs in threads for word in set(theirs))
    found = [
        (thread, words)
        for thread, theirs in threads
        if (words := distinct([k for k in theirs if k in passage and k not in reading.people]))
    ]
    if not found:
        return None, []
    thread, words = max(found, key=lambda x: sum(1 / common[w] for w in x[1]))
    sure = len(words) >= _SURE_WORDS or any(_is_compound(word) for word in words)
    return (thread if sure else None), words


def _is_compound(word: str) -> bool:
    """Two words in one: 寒铁令牌."""
    return len(word) >= 4 and not word.isascii()


def _flat(text: str, segment: Segment) -> str:
    return " ".join(text[segment.start : segment.end].split())
