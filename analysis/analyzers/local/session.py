"""One chapter, all features: the shared reading is made by whichever feature comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from analysis.analyzers.base import ChapterInput, Check, FeatureResult, Session
from analysis.features import FeatureKey
from arboris.bible.types.findings import Finding

from .common.changes import find_changes
from .common.observed import observe
from .common.payoffs import ThreadIndex, find_payoffs
from .common.people import appearance, most_mentions, new_character
from .common.reading import Language, Reading
from .common.relations import find_relations, office_holders
from .common.seeds import find_seeds
from .common.spans import Passages
from .common.world import find_rules, item_fact, place_fact
from .en.reader import EN
from .zh.reader import ZH

_SHARED = 0.8  # share of the time that reading takes, for the first feature's progress
_STEP = 64  # passages between two checks


class LocalSession(Session):
    """Safe to use from several threads: the reading is made once."""

    def __init__(self, chapter: ChapterInput) -> None:
        self._chapter = chapter
        self._language: Language = EN if chapter.language == "en" else ZH
        self._grammar = self._language.grammar
        self._reading: Reading | None = None
        self._lock = threading.Lock()

    def run(self, feature: FeatureKey, check: Check) -> FeatureResult:
        with self._lock:
            fresh = self._reading is None
            if self._reading is None:
                self._reading = self._read(lambda done: check(_SHARED * done))
        base = _SHARED if fresh else 0.0
        reading = self._reading

        def progress(done: float) -> None:
            check(base + (1 - base) * done)

        progress(0.0)
        findings = list(FINDERS[feature](self, reading, progress))
        progress(1.0)
        return FeatureResult(findings=findings, notes=list(reading.notes))

    def _read(self, check: Callable[[float], None]) -> Reading:
        passages = Passages(self._chapter.text, self._chapter.language)
        check(0.02)
        return self._language.read(self._chapter, passages, check)

    def new_characters(
        self, reading: Reading, progress: Callable[[float], None]
    ) -> Iterator[Finding]:
        people = reading.cast.of("person")
        top = most_mentions(people)
        for number, person in enumerate(people):
            found = new_character(reading, self._grammar, person, top)
            if found.description or not person.known:
                yield found
            _tick(number, len(people), progress)

    def tracking(self, reading: Reading, progress: Callable[[float], None]) -> Iterator[Finding]:
        observed = observe(reading, self._language.marks)
        for person in reading.cast.of("person"):
            yield appearance(reading, person, observed.get(id(person), []))
        said: set[tuple[str, ...]] = set()
        holders = office_holders(reading, self._grammar)
        segments = reading.passages.segments
        for number, segment in enumerate(segments):
            _tick(number, len(segments), progress)
            yield from find_changes(reading, self._grammar, segment)
            for relation in find_relations(reading, self._grammar, segment, holders):
                key = (relation.source, relation.target, relation.relation)
                if key not in said:
                    said.add(key)
                    yield relation

    def world(self, reading: Reading, progress: Callable[[float], None]) -> Iterator[Finding]:
        for entity in reading.cast.of("location", "faction"):
            yield place_fact(reading, self._grammar, entity)
        for item in reading.items:
            yield item_fact(reading, item)
        named: set[str] = set()
        segments = reading.passages.segments
        for number, segment in enumerate(segments):
            _tick(number, len(segments), progress)
            for rule in find_rules(reading, self._grammar, segment):
                if rule.name not in named:
                    named.add(rule.name)
                    yield rule

    def threads(self, reading: Reading, progress: Callable[[float], None]) -> Iterator[Finding]:
        def tick(number: int, total: int) -> None:
            _tick(number, 2 * total, progress)

        yield from find_seeds(reading, self._language, tick)
        index = ThreadIndex(self._chapter, self._language)
        yield from find_payoffs(reading, self._language, index, tick)

    def comparing(self, reading: Reading, progress: Callable[[float], None]) -> Iterator[Finding]:
        """Nothing: see ``Analyzer.compares``."""
        return iter(())


def _tick(number: int, total: int, progress: Callable[[float], None]) -> None:
    if number % _STEP == 0:
        progress(number / total)


# What finds each feature's findings in the reading.
FINDERS: dict[
    FeatureKey, Callable[[LocalSession, Reading, Callable[[float], None]], Iterator[Finding]]
] = {
    "character_tracking": LocalSession.tracking,
    "new_character_detection": LocalSession.new_characters,
    "world_expansion": LocalSession.world,
    "foreshadowing": LocalSession.threads,
    "continuity": LocalSession.comparing,
}
