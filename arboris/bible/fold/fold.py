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
from arboris.bible.fold.foreshadowing import Ledger
from arboris.bible.fold.people import People
from arboris.bible.fold.writer_entries import lay, ties
from arboris.bible.storage.memory import Shelf
from arboris.bible.types.entries import (
    Entry,
    Page,
    Person,
    State,
    Thing,
    Thread,
    Tie,
    thing_key,
    tie_nid,
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
from arboris.bible.types.placed_finding import Placed, fact_of


@dataclass(slots=True)
class Bible:
    people: list[Person] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    pages: dict[int, Page] = field(default_factory=dict)


def fold(findings: Iterable[Placed], rules: Rules | None = None) -> Bible:
    """Findings in, bible out, its entries in the order of their natural ids."""
    shelf = Shelf()
    rules = rules or Rules()
    lay(shelf, rules)
    folding = Fold(shelf, rules)
    ordered = sorted(findings, key=lambda placed: placed.order)
    for _, chapter in groupby(ordered, key=lambda placed: placed.chapter_number):
        folding.chapter(list(chapter))
    bible = Bible(pages={at: page for at, page in sorted(shelf.pages.items()) if page != Page()})
    lists: dict[type[Entry], list[Entry]] = {
        Person: bible.people,  # type: ignore[dict-item]
        Thing: bible.things,  # type: ignore[dict-item]
        Thread: bible.threads,  # type: ignore[dict-item]
        Tie: bible.ties,  # type: ignore[dict-item]
    }
    for nid, tie in ties(shelf, rules).items():
        shelf.entries[(Tie.scope, nid)] = tie
    for _, entry in sorted(shelf.entries.items(), key=lambda item: item[0]):
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
    def __init__(self, shelf: Shelf, rules: Rules) -> None:
        self._shelf = shelf
        self._rules = rules
        self._people = People(shelf, rules)
        self._ledger = Ledger(shelf, rules, self._people)

    def chapter(self, findings: list[Placed]) -> None:
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
        for placed in ordered:
            if isinstance(placed.finding, Payoff):
                self._ledger.harvest(placed, placed.finding)
        continuity.look(self._shelf, self._rules, self._people, ordered)

    def _heeded(self, placed: Placed) -> Placed | None:
        """The finding unless the writer rejected it, or has yet to accept it."""
        if placed.ref in self._rules.rejected_refs:
            return None
        if placed.tier == "waiting":
            accepted = placed.ref in self._rules.accepted_refs
            return replace(placed, tier="accepted") if accepted else None
        return placed

    def add_thing(self, placed: Placed, finding: NamedFinding) -> None:
        own, rules = self._thing_key(finding, finding.name), self._rules
        if (Thing.scope, own) in rules.rejected:
            return
        names = (finding.name, *finding.aliases)
        found = (self._shelf.owner(Thing, self._thing_key(finding, name)) for name in names)
        thing = next(
            (known for known in found if known and not self._are_apart(known, finding)), None
        ) or self._shelf.get(Thing, own)
        fact = fact_of(placed)
        if thing is None:
            shown = rules.shown.get((Thing.scope, own), finding.name)
            thing = Thing(own, finding.type, shown, fact)
            self._shelf.put(thing)
        self._shelf.touch(thing)
        for name in names:
            self._call(thing, finding, name, placed)
        thing.mentions += finding.mentions
        thing.description = thing.description or finding.description
        self._shelf.put(thing)

    def _thing_key(self, finding: NamedFinding, name: str) -> str:
        return self._rules.canonical(Thing.scope, thing_key(finding.type, key(name)))

    def _are_apart(self, thing: Thing, finding: NamedFinding) -> bool:
        other = thing_key(finding.type, key(finding.name))
        return self._rules.are_apart(Thing.scope, thing.keys(), other)

    def _call(self, thing: Thing, finding: NamedFinding, name: str, placed: Placed) -> None:
        own = self._thing_key(finding, name)
        plain = thing_key(finding.type, key(name))
        if self._rules.are_apart(Thing.scope, thing.keys(), plain):
            return
        owner = self._shelf.owner(Thing, own)
        if (owner is None or owner is thing) and key(name) != key(thing.name):
            thing.aliases.setdefault(name, fact_of(placed))
            self._shelf.put(thing)

    def add_state(self, placed: Placed, finding: StateChange) -> None:
        person = self._people.find(finding.character)
        if person is None:
            return
        states = self._shelf.page(placed.chapter_id).states
        state = State(
            person.nid, finding.kind, finding.description, finding.growth_level, fact_of(placed)
        )
        states.setdefault((person.nid, finding.kind, finding.description), state)

    def add_relation(self, placed: Placed, finding: Relation) -> None:
        source, target = self._people.find(finding.source), self._people.find(finding.target)
        if source is None or target is None or source is target:
            return
        nid = tie_nid(source.nid, target.nid, finding.relation)
        if nid in self._rules.rejected_refs:
            return
        if self._shelf.get(Tie, nid) is None:
            tie = Tie(nid, source.nid, target.nid, finding.relation, fact_of(placed))
            self._shelf.put(tie)

    def add_seed(self, placed: Placed, finding: Foreshadowing) -> None:
        self._ledger.plant(placed, finding)


# What each type of finding adds once the chapter's people are known; pay-offs come after them.
ADD: dict[str, Callable[[Fold, Placed, Any], None]] = {
    **dict.fromkeys(get_args(WorldKind), Fold.add_thing),
    "state": Fold.add_state,
    "relationship": Fold.add_relation,
    "foreshadowing": Fold.add_seed,
}


def _by_completeness(placed: Placed) -> tuple[int, int]:
    name = getattr(placed.finding, "name", "")
    return (-len(name), placed.finding.evidence.start)
