"""What some chapters will look for, fetched in a few queries instead of one for each name."""

from __future__ import annotations

from collections.abc import Iterable

from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.continuity import parts
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Person, Thread, WorldEntry, quote_key, thread_key, world_key
from arboris.bible.types.findings import (
    Appearance,
    Contradiction,
    Finding,
    Foreshadowing,
    NewCharacter,
    Payoff,
    Relation,
    StateChange,
    WorldFact,
)
from arboris.bible.types.names import key, short_forms
from arboris.bible.types.placed_finding import PlacedFinding
from arboris.bible.types.sounds import sound


def prefetch(store: MemoryEntryStore, rules: Rules, findings: Iterable[PlacedFinding]) -> None:
    people: dict[str, None] = {}
    world_entries: dict[str, None] = {}
    threads: dict[str, None] = {}
    seeds: dict[str, None] = {}
    for placed in findings:
        for name in _people(placed.finding):
            for form in (name, *short_forms(name)):
                people.setdefault(rules.canonical(Person.scope, key(form)))
            if isinstance(placed.finding, Appearance) and sound(name):
                people.setdefault(sound(name))
        for name in _things(placed.finding):
            world_entries.setdefault(rules.canonical(WorldEntry.scope, name))
        if isinstance(placed.finding, Foreshadowing):
            threads.setdefault(thread_key(placed.chapter_id, placed.finding.evidence.quote))
        if isinstance(placed.finding, Payoff) and placed.finding.seed_quote:
            seeds.setdefault(quote_key(placed.finding.seed_quote))
    store.fetch_search_keys(Person.scope, people)
    store.fetch_search_keys(WorldEntry.scope, world_entries)
    store.fetch_search_keys(Thread.scope, seeds)
    store.fetch(Thread.scope, threads)


def _people(finding: Finding) -> list[str]:
    if isinstance(finding, Appearance | NewCharacter):
        return [finding.name, *finding.aliases]
    if isinstance(finding, StateChange | Contradiction):
        return [finding.character]
    if isinstance(finding, Relation):
        return [finding.source, finding.target]
    return list(finding.keywords) if isinstance(finding, Payoff) else []


def _things(finding: Finding) -> list[str]:
    if isinstance(finding, WorldFact):
        return [world_key(finding.type, key(name)) for name in (finding.name, *finding.aliases)]
    if isinstance(finding, StateChange) and finding.kind == "possession":
        return [world_key("item", key(name)) for name in parts(finding.description)]
    return []
