"""Seeds that a chapter plants: what it leaves open, hides, forbids, promises or does not explain.

By cues alone, so they are suggestions: the strongest of a chapter, so many a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from arboris.bible.types.findings import Evidence, Foreshadowing, ForeshadowingKind

from .grammar import Grammar
from .reading import Language, Reading, distinct
from .spans import MAX_QUOTE, Segment
from .speech import is_said

_MAX_KEYWORDS = 8
_LOOK_AHEAD = 3  # passages after a question within which it would be answered
_LEAST = 3  # seeds that a chapter may have, however short it is
_PAGE = {"zh": 1500, "en": 5000}  # code points for each more
# Code points of a passage that says nothing without the one before it.
_SHORT = {"zh": 9, "en": 24}
_SURE = 0.53  # what a cue must weigh, with those beside it
_STRONG = 0.55  # from here on any words of its own will do for a seed
_FEW = 4
_UNANSWERED = 0.6
_AGREES = 0.05  # for each other cue in the passage or beside it
_MOST = 0.75


@dataclass(slots=True)
class _Candidate:
    number: int  # of the passage
    kind: ForeshadowingKind
    certainty: float
    start: int  # where the cue stands
    cues: set[int] = field(default_factory=set)
    first: int = field(init=False)  # the passages that are quoted
    last: int = field(init=False)

    def __post_init__(self) -> None:
        self.first = self.last = self.number


def find_seeds(
    reading: Reading, language: Language, tick: Callable[[int, int], None]
) -> Iterator[Foreshadowing]:
    """The verses, then the strongest other cues of the chapter, in the order of the text."""
    grammar = language.grammar
    found: dict[int, _Candidate] = {}
    total = len(reading.passages.segments)
    for number in range(total):
        tick(number, total)
        verse = _verse(reading, grammar, number)
        if verse is not None:
            yield verse
        elif candidate := _candidate(reading, grammar, number):
            found[number] = candidate
    _support(reading, found)
    ranked = sorted(found.values(), key=lambda one: (-one.certainty, one.number))
    most = _LEAST + len(reading.chapter.text) // _PAGE[reading.chapter.language]
    yield from sorted(
        _strongest(reading, language, ranked, most), key=lambda seed: seed.evidence.start
    )


def _support(reading: Reading, found: dict[int, _Candidate]) -> None:
    """Make each candidate surer by the other cues in its passage and beside it.

    What stands beside it in the same paragraph is quoted with it.
    """
    text, segments = reading.chapter.text, reading.passages.segments
    for number, candidate in found.items():
        beside = [at for at in (number - 1, number + 1) if at in found]
        others = candidate.cues.union(*(found[at].cues for at in beside))
        candidate.certainty += _AGREES * min(2, len(others) - 1)
        for at in beside:
            first, last = min(at, candidate.first), max(at, candidate.last)
            start, end = segments[first].start, segments[last].end
            if end - start <= MAX_QUOTE and "\n" not in text[start:end]:
                candidate.first, candidate.last = first, last


def _strongest(
    reading: Reading, language: Language, ranked: list[_Candidate], most: int
) -> Iterator[Foreshadowing]:
    """One of passages side by side, and of those about the same."""
    taken: set[int] = set()
    said: list[list[str]] = []
    for candidate in ranked:
        if len(said) == most:
            return
        if (
            candidate.certainty < _SURE
            or {candidate.number - 1, candidate.number, candidate.number + 1} & taken
        ):
            continue
        seed = _seed(reading, language, candidate)
        if seed is not None and seed.keywords not in said:
            taken.add(candidate.number)
            said.append(seed.keywords)
            yield seed


def _candidate(reading: Reading, grammar: Grammar, number: int) -> _Candidate | None:
    """The strongest cue of a passage, and which others there are."""
    text, segment = reading.chapter.text, reading.passages.segments[number]
    best: _Candidate | None = None
    cues: set[int] = set()
    for at, rule in enumerate(grammar.seeds):
        found = rule.cue.search(text, segment.start, segment.end)
        if found is None:
            continue
        spoken = reading.is_spoken(found.start()) or (
            rule.narrated and is_said(text, segment.start, segment.end)
        )
        if (rule.narrated and spoken) or (rule.spoken and not spoken):
            continue
        cues.add(at)
        if best is None or rule.certainty > best.certainty:
            best = _Candidate(number, rule.kind, rule.certainty, found.start())
    if _unanswered(reading, grammar, number):
        cues.add(-1)
        if best is None or best.certainty < _UNANSWERED:
            best = _Candidate(number, "mystery", _UNANSWERED, segment.start)
    if best is not None:
        best.cues = cues
    return best


def _seed(reading: Reading, language: Language, candidate: _Candidate) -> Foreshadowing | None:
    number = candidate.number
    segment = reading.passages.segments[number]
    start, end = candidate.start, candidate.start + 1
    if candidate.first < candidate.last:
        start = reading.passages.segments[candidate.first].start
        end = reading.passages.segments[candidate.last].end
    elif number and segment.end - segment.start < _SHORT[reading.chapter.language]:
        start, end = reading.passages.segments[number - 1].start, segment.end  # "Why?"
        start = max(start, end - MAX_QUOTE)
    evidence = reading.passages.evidence(start, end)
    keywords = _of_substance(reading, number)
    for at in range(candidate.first, candidate.last + 1):
        keywords = distinct([*keywords, *reading.keywords(at)])
    if all(word in reading.people for word in keywords):
        keywords = []
    if not keywords and candidate.certainty >= _STRONG:
        terms = sorted(language.terms(evidence.quote), key=lambda word: (-len(word), word))
        keywords = [word for word in distinct(terms) if word not in reading.people][:_FEW]
    if not keywords:  # nothing that a later chapter could be linked by
        return None
    return Foreshadowing(
        kind=candidate.kind,
        description=" ".join(evidence.quote.split()),
        keywords=keywords[:_MAX_KEYWORDS],
        evidence=evidence,
        confidence=round(min(_MOST, candidate.certainty + 0.02 * min(3, len(keywords))), 3),
        basic=True,
    )


def _of_substance(reading: Reading, number: int) -> list[str]:
    """Keywords of a seed: its own, or where it speaks of people alone those of what led to it.

    Talk is about what was just told: what stands out in the paragraph before belongs to it.
    """
    words = reading.keywords(number)
    if all(word in reading.people for word in words):
        first = min([*reading.before(number, number), number])
        for before in range(first - 1, max(-1, first - 3), -1):
            words = distinct([*words, *reading.nouns.counted(before)])
        words = distinct([*words, *reading.about(number, 2)])
        if all(word in reading.people for word in words) and first:
            words = distinct([*words, *reading.keywords(first - 1)])
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


def flat(text: str, segment: Segment) -> str:
    return " ".join(text[segment.start : segment.end].split())
