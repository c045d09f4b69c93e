"""The story bible as a pure function of findings: in chapter order, whatever order they came in.

No ORM and no clock: the same findings always give the same bible.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from arboris.bible.findings import (
    Appearance,
    Finding,
    Foreshadowing,
    NewCharacter,
    Payoff,
    Relation,
    StateChange,
    WorldFact,
)

ROLES = ("minor", "supporting", "main")
_GROUND = 0.25  # the least that shared words must weigh: one that four earlier seeds have in common
_NAME = 0.5  # what the name of a minor character weighs, against 1 for a thing
_LEADING = 3  # who is named at least a third as often as the most named


@dataclass(frozen=True)
class Placed:
    """A verified finding and the chapter that it is about."""

    chapter_number: int
    chapter_id: int
    finding: Finding

    @cached_property
    def order(self) -> tuple[int, int, int, str, str]:
        evidence = self.finding.evidence
        return (
            self.chapter_number,
            evidence.start,
            evidence.end,
            self.finding.type,
            self.finding.model_dump_json(),
        )


@dataclass(slots=True)
class Fact:
    """Where an entry is written, taken from the finding that first stated it."""

    chapter_id: int
    quote: str
    confidence: float
    basic: bool

    @classmethod
    def of(cls, placed: Placed) -> Fact:
        finding = placed.finding
        return cls(placed.chapter_id, finding.evidence.quote, finding.confidence, finding.basic)


@dataclass(slots=True)
class Person:
    name: str
    fact: Fact
    last_chapter_id: int
    role: str = "minor"
    description: str = ""
    personality: str = ""
    goals: str = ""
    abilities: str = ""
    mentions: int = 0
    aliases: dict[str, Fact] = field(default_factory=dict)
    states: dict[tuple[int, str, str], Fact] = field(default_factory=dict)


@dataclass(slots=True)
class Entity:
    kind: str
    name: str
    fact: Fact
    description: str = ""
    mentions: int = 0
    aliases: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Thread:
    kind: str
    description: str
    keywords: list[str]
    chapter_number: int
    fact: Fact
    status: str = "open"
    events: dict[tuple[int, str], tuple[str, str, Fact]] = field(default_factory=dict)


@dataclass(slots=True)
class Bible:
    people: list[Person] = field(default_factory=list)
    entities: dict[tuple[str, str], Entity] = field(default_factory=dict)
    threads: list[Thread] = field(default_factory=list)
    relations: dict[tuple[str, str, str], Fact] = field(default_factory=dict)


def key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


def fold(findings: Iterable[Placed]) -> Bible:
    """Findings in, bible out. People first: states and relations refer to them by any name."""
    ordered = sorted(findings, key=lambda placed: placed.order)
    people, entities = _People(), _Entities()
    # Full names before short ones: a chapter's own order must not split one person in two.
    for placed in sorted(ordered, key=_by_completeness):
        if isinstance(placed.finding, Appearance | NewCharacter):
            people.add(placed, placed.finding)
    bible = Bible(people=people.people)
    for placed in ordered:
        finding = placed.finding
        if isinstance(finding, StateChange):
            people.add_state(placed, finding)
        elif isinstance(finding, WorldFact):
            entities.add(placed, finding)
        elif isinstance(finding, Relation):
            source, target = people.find(finding.source), people.find(finding.target)
            if source and target and source is not target:
                bible.relations.setdefault(
                    (source.name, target.name, finding.relation), Fact.of(placed)
                )
    bible.entities = entities.entities
    _fold_threads(bible, ordered, people)
    return bible


def _by_completeness(placed: Placed) -> tuple[int, int, int]:
    name = getattr(placed.finding, "name", "")
    return (placed.chapter_number, -len(name), placed.finding.evidence.start)


class _People:
    def __init__(self) -> None:
        self.people: list[Person] = []
        self._by_key: dict[str, Person] = {}

    def find(self, name: str) -> Person | None:
        """Whoever bears the name; a given or family name alone counts where only one fits."""
        found = self._by_key.get(key(name))
        if found is not None:
            return found
        bearers = [person for person in self.people if is_short_form(name, person.name)]
        return bearers[0] if len(bearers) == 1 else None

    def most_mentions(self) -> int:
        return max((person.mentions for person in self.people), default=0)

    def add(self, placed: Placed, finding: Appearance | NewCharacter) -> None:
        person = (
            self.find(finding.name)
            or self._known_in_short(finding.name)
            or self._known_by_alias(finding.aliases)
        )
        if person is None:
            person = Person(finding.name, Fact.of(placed), placed.chapter_id)
            self.people.append(person)
            self._by_key[key(finding.name)] = person
        elif is_short_form(person.name, finding.name):
            person.aliases.setdefault(person.name, person.fact)
            person.name = finding.name
            self._by_key.setdefault(key(finding.name), person)
        for name in (finding.name, *finding.aliases):
            owner = self._by_key.setdefault(key(name), person)
            # A name that is somebody else's already stays theirs: never merge on a weak ground.
            if owner is person and key(name) != key(person.name):
                person.aliases.setdefault(name, Fact.of(placed))
        person.aliases.pop(person.name, None)
        person.last_chapter_id = placed.chapter_id
        if isinstance(finding, Appearance):
            person.mentions += finding.mentions
        else:
            self._describe(person, finding)

    def _known_in_short(self, name: str) -> Person | None:
        """Whoever an earlier chapter called by a part of the name alone, where only one fits."""
        bearers = [person for person in self.people if is_short_form(person.name, name)]
        return bearers[0] if len(bearers) == 1 else None

    def _known_by_alias(self, aliases: list[str]) -> Person | None:
        """Whoever is mainly called by one of the aliases: many may share a mere by-name (先生)."""
        known = {key(alias) for alias in aliases}
        bearers = [person for person in self.people if key(person.name) in known]
        return bearers[0] if len(bearers) == 1 else None

    @staticmethod
    def _describe(person: Person, finding: NewCharacter) -> None:
        person.role = max(person.role, finding.role, key=ROLES.index)
        for part in ("description", "personality", "goals", "abilities"):
            if not getattr(person, part):
                setattr(person, part, getattr(finding, part))
        # Without character tracking nobody counts appearances.
        person.mentions = max(person.mentions, finding.mentions)

    def add_state(self, placed: Placed, finding: StateChange) -> None:
        person = self.find(finding.character)
        if person is not None:
            person.states.setdefault(
                (placed.chapter_id, finding.kind, finding.description), Fact.of(placed)
            )


def is_short_form(short: str, full: str) -> bool:
    """Whether ``short`` is how one would abbreviate the full name (砚秋 of 沈砚秋, Ada of Ada Finch)."""
    if short == full or not short:
        return False
    if full.isascii():
        words = full.split()
        return len(words) > 1 and short in (words[0], words[-1])
    return 2 <= len(short) < len(full) <= 4 and full.endswith(short)


class _Entities:
    def __init__(self) -> None:
        self.entities: dict[tuple[str, str], Entity] = {}
        self._by_key: dict[tuple[str, str], Entity] = {}

    def add(self, placed: Placed, finding: WorldFact) -> None:
        names = (finding.name, *finding.aliases)
        found = (self._by_key.get((finding.type, key(name))) for name in names)
        entity = next((known for known in found if known), None)
        if entity is None:
            entity = Entity(finding.type, finding.name, Fact.of(placed))
            self.entities[(finding.type, finding.name)] = entity
        for name in names:
            owner = self._by_key.setdefault((finding.type, key(name)), entity)
            if owner is entity and name != entity.name and name not in entity.aliases:
                entity.aliases.append(name)
        entity.mentions += finding.mentions
        entity.description = entity.description or finding.description


def _fold_threads(bible: Bible, ordered: list[Placed], people: _People) -> None:
    ledger = Ledger(people)
    for placed in ordered:
        finding = placed.finding
        if isinstance(finding, Foreshadowing):
            ledger.plant(placed, finding)
        elif isinstance(finding, Payoff):
            thread = ledger.thread_of(finding, placed.chapter_number)
            if thread is not None:
                thread.events.setdefault(
                    (placed.chapter_id, finding.evidence.quote),
                    (finding.outcome, finding.description, Fact.of(placed)),
                )
                thread.status = finding.outcome
    bible.threads = ledger.threads


class Ledger:
    """Seeds in the order of their planting, found again by the words that they hold.

    A word and a keyword name the same thing when one is the other or its end (手套, 黑皮手套): so
    keywords are kept under themselves and under their ends, and a word asks for both.
    """

    def __init__(self, people: _People) -> None:
        self.threads: list[Thread] = []
        self._people = people
        self._most_mentions = people.most_mentions()
        self._planted: set[tuple[int, str]] = set()
        self._by_quote: dict[str, list[int]] = {}
        self._by_keyword: dict[str, set[int]] = {}
        self._by_end: dict[str, set[int]] = {}

    def plant(self, placed: Placed, seed: Foreshadowing) -> None:
        place = (placed.chapter_id, seed.evidence.quote)
        if place in self._planted:
            return
        self._planted.add(place)
        at = len(self.threads)
        self.threads.append(
            Thread(
                seed.kind,
                seed.description,
                seed.keywords,
                placed.chapter_number,
                Fact.of(placed),
            )
        )
        self._by_quote.setdefault(seed.evidence.quote, []).append(at)
        for word in map(key, seed.keywords):
            self._by_keyword.setdefault(word, set()).add(at)
            for end in ends(word):
                self._by_end.setdefault(end, set()).add(at)

    def thread_of(self, payoff: Payoff, chapter_number: int) -> Thread | None:
        """The earlier seed that a pay-off is about: by its quote, else by the words they share.

        A matter that is closed takes no more, save a prophecy: it comes true line by line.
        """
        if payoff.seed_quote:
            planted = (self.threads[at] for at in self._by_quote.get(payoff.seed_quote, []))
            return next((t for t in planted if takes(t, chapter_number)), None)
        scores: dict[int, float] = {}
        for word in sorted({key(word) for word in payoff.keywords}):
            holders = self._holders(word, chapter_number)
            for at in holders:
                scores[at] = scores.get(at, 0.0) + self._weight(word) / len(holders)
        scored = [(scores[at], self.threads[at]) for at in sorted(scores)]
        scored = [(score, thread) for score, thread in scored if takes(thread, chapter_number)]
        best = max((score for score, _ in scored), default=0.0)
        if best < _GROUND:
            return None
        # Of equals the open one, then the first planted.
        equals = [thread for score, thread in scored if score == best]
        return next((t for t in equals if t.status != "paid_off"), equals[0])

    def _holders(self, word: str, chapter_number: int) -> set[int]:
        """Earlier seeds that name the thing."""
        found = self._by_keyword.get(word, set()) | self._by_end.get(word, set())
        for end in ends(word):
            found = found | self._by_keyword.get(end, set())
        return {at for at in found if self.threads[at].chapter_number < chapter_number}

    def _weight(self, word: str) -> float:
        """What the word says about which thread is meant; shared by its holders.

        A leading character's name says nothing, for half of all sentences hold one; that of a
        minor one says half as much as a thing.
        """
        person = self._people.find(word)
        if person is None:
            return 1.0
        return 0.0 if person.mentions * _LEADING >= self._most_mentions else _NAME


def takes(thread: Thread, chapter_number: int) -> bool:
    """Whether a pay-off in this chapter can belong to the thread."""
    earlier = thread.chapter_number < chapter_number
    return earlier and (thread.status != "paid_off" or thread.kind == "prophecy")


def ends(word: str) -> list[str]:
    """Its proper ends that can stand for it: of two letters or more, and in English whole words."""
    cut = range(1, len(word) - 1)
    return [word[at:] for at in cut if not word[at:].isascii() or word[at - 1] == " "]
