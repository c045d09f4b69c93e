"""The story bible as a pure function of findings and the writer's decisions, in chapter order.

No clock and no ids of rows: the same findings and decisions always give the same bible, whatever
order they came in. A chapter is folded onto what the chapters before it left (``Fold.chapter``),
so that one more chapter costs what it holds, however long the novel is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Protocol, get_args

from arboris.bible.decisions.rules import Rules
from arboris.bible.fold import continuity
from arboris.bible.fold.foreshadowing import Threads
from arboris.bible.fold.people import People
from arboris.bible.fold.writer_entries import add_writer_entries, relationships
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import (
    ChapterEntries,
    Entry,
    Person,
    RelationshipEntry,
    State,
    Thread,
    WorldEntry,
    relationship_key,
    world_key,
)
from arboris.bible.types.findings import (
    Appearance,
    Foreshadowing,
    NewCharacter,
    Payoff,
    Relation,
    StateChange,
    WorldKind,
)
from arboris.bible.types.names import key
from arboris.bible.types.placed_finding import PlacedFinding, fact_of


@dataclass(slots=True)
class Bible:
    people: list[Person] = field(default_factory=list)
    world_entries: list[WorldEntry] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    relationships: list[RelationshipEntry] = field(default_factory=list)
    chapters: dict[int, ChapterEntries] = field(default_factory=dict)


def fold(findings: Iterable[PlacedFinding], rules: Rules | None = None) -> Bible:
    """Findings in, bible out, its entries in the order of their natural ids."""
    store = MemoryEntryStore()
    rules = rules or Rules()
    add_writer_entries(store, rules)
    folding = Fold(store, rules)
    ordered = sorted(findings, key=lambda placed: placed.order)
    for _, chapter in groupby(ordered, key=lambda placed: placed.chapter_number):
        folding.chapter(list(chapter))
    return bible_of(store, rules)


def bible_of(store: MemoryEntryStore, rules: Rules) -> Bible:
    """What a store holds once the last chapter is folded, the writer's relationships included."""
    bible = Bible(
        chapters={
            at: chapter_entries
            for at, chapter_entries in sorted(store.chapters.items())
            if chapter_entries != ChapterEntries()
        }
    )
    lists: dict[type[Entry], list[Entry]] = {
        Person: bible.people,  # type: ignore[dict-item]
        WorldEntry: bible.world_entries,  # type: ignore[dict-item]
        Thread: bible.threads,  # type: ignore[dict-item]
        RelationshipEntry: bible.relationships,  # type: ignore[dict-item]
    }
    for natural_key, relationship in relationships(store, rules).items():
        store.entries[(RelationshipEntry.scope, natural_key)] = relationship
    for _, entry in sorted(store.entries.items(), key=lambda item: item[0]):
        if entry is not None:
            lists[type(entry)].append(entry)
    return bible


class NamedFinding(Protocol):
    """What ``Fold.add_thing`` needs: a named entry of the kind that ``type`` says."""

    @property
    def type(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def aliases(self) -> list[str]: ...
    @property
    def description(self) -> str: ...
    @property
    def mentions(self) -> int: ...


class Fold:
    def __init__(self, store: MemoryEntryStore, rules: Rules) -> None:
        self._store = store
        self._rules = rules
        self._people = People(store, rules)
        self._threads = Threads(store, rules, self._people)

    def chapter(self, findings: list[PlacedFinding]) -> None:
        """Fold one chapter onto those before it. People first: the rest names them in any way."""
        heeded = [placed for one in findings if (placed := self._heeded(one))]
        ordered = sorted(heeded, key=lambda placed: placed.order)
        # Full names before short ones: a chapter's own order must not split one person in two.
        self._people.open_chapter(placed.finding for placed in ordered)
        for placed in sorted(ordered, key=_by_completeness):
            if isinstance(placed.finding, Appearance | NewCharacter):
                self._people.add(placed, placed.finding)
        for placed in ordered:
            if add := ADD.get(placed.finding.type):
                add(self, placed, placed.finding)
        payoffs = [
            (placed, placed.finding) for placed in ordered if isinstance(placed.finding, Payoff)
        ]
        self._threads.open_chapter(payoff for _, payoff in payoffs)
        for placed, payoff in payoffs:
            self._threads.harvest(placed, payoff)
        continuity.look(self._store, self._rules, self._people, ordered)
        continuity.look_at_names(self._store, self._rules, self._people, findings)

    def _heeded(self, placed: PlacedFinding) -> PlacedFinding | None:
        """The finding unless the writer rejected it, or has yet to accept it."""
        if placed.ref in self._rules.rejected_refs:
            return None
        if placed.tier == "waiting":
            accepted = placed.ref in self._rules.accepted_refs
            return replace(placed, tier="accepted") if accepted else None
        return placed

    def add_thing(self, placed: PlacedFinding, finding: NamedFinding) -> None:
        own, rules = self._thing_key(finding, finding.name), self._rules
        if (WorldEntry.scope, own) in rules.rejected:
            return
        names = (finding.name, *finding.aliases)
        found = (self._store.owner(WorldEntry, self._thing_key(finding, name)) for name in names)
        entry = next(
            (known for known in found if known and not self._are_apart(known, finding)), None
        ) or self._store.get(WorldEntry, own)
        fact = fact_of(placed)
        if entry is None:
            shown = rules.shown.get((WorldEntry.scope, own), finding.name)
            entry = WorldEntry(own, finding.type, shown, fact)
            self._store.put(entry)
        self._store.touch(entry)
        for name in names:
            self._call(entry, finding, name, placed)
        entry.mentions += finding.mentions
        entry.description = entry.description or finding.description
        self._store.put(entry)

    def _thing_key(self, finding: NamedFinding, name: str) -> str:
        return self._rules.canonical(WorldEntry.scope, world_key(finding.type, key(name)))

    def _are_apart(self, entry: WorldEntry, finding: NamedFinding) -> bool:
        other = world_key(finding.type, key(finding.name))
        return self._rules.are_apart(WorldEntry.scope, entry.keys(), other)

    def _call(
        self, entry: WorldEntry, finding: NamedFinding, name: str, placed: PlacedFinding
    ) -> None:
        own = self._thing_key(finding, name)
        plain = world_key(finding.type, key(name))
        if self._rules.are_apart(WorldEntry.scope, entry.keys(), plain):
            return
        owner = self._store.owner(WorldEntry, own)
        if (owner is None or owner is entry) and key(name) != key(entry.name):
            entry.aliases.setdefault(name, fact_of(placed))
            self._store.put(entry)

    def add_state(self, placed: PlacedFinding, finding: StateChange) -> None:
        person = self._people.find(finding.character)
        if person is None:
            return
        states = self._store.of_chapter(placed.chapter_id).states
        state = State(
            person.natural_key,
            finding.kind,
            finding.description,
            finding.growth_level,
            fact_of(placed),
        )
        states.setdefault((person.natural_key, finding.kind, finding.description), state)

    def add_relation(self, placed: PlacedFinding, finding: Relation) -> None:
        source, target = self._people.find(finding.source), self._people.find(finding.target)
        if source is None or target is None or source is target:
            return
        natural_key = relationship_key(source.natural_key, target.natural_key, finding.relation)
        if natural_key in self._rules.rejected_refs:
            return
        if self._store.get(RelationshipEntry, natural_key) is None:
            relationship = RelationshipEntry(
                natural_key,
                source.natural_key,
                target.natural_key,
                finding.relation,
                fact_of(placed),
            )
            self._store.put(relationship)

    def add_seed(self, placed: PlacedFinding, finding: Foreshadowing) -> None:
        self._threads.plant(placed, finding)


# What each type of finding adds once the chapter's people are known; pay-offs come after them.
ADD: dict[str, Callable[[Fold, PlacedFinding, Any], None]] = {
    **dict.fromkeys(get_args(WorldKind), Fold.add_thing),
    "state": Fold.add_state,
    "relationship": Fold.add_relation,
    "foreshadowing": Fold.add_seed,
}


def _by_completeness(placed: PlacedFinding) -> tuple[int, int]:
    found = placed.finding
    name = found.name if isinstance(found, Appearance | NewCharacter) else ""
    return (-len(name), placed.finding.evidence.start)
