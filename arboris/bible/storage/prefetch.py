"""What some chapters will look for, fetched in a few queries instead of one for each name."""

from __future__ import annotations

from collections.abc import Iterable

from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.continuity import parts
from arboris.bible.storage.memory import Shelf
from arboris.bible.types.entries import Person, Thing, thing_key
from arboris.bible.types.findings import (
    Appearance,
    Finding,
    NewCharacter,
    Payoff,
    Relation,
    StateChange,
    WorldFact,
)
from arboris.bible.types.names import key, short_forms
from arboris.bible.types.placed_finding import Placed


def prefetch(shelf: Shelf, rules: Rules, findings: Iterable[Placed]) -> None:
    people: dict[str, None] = {}
    things: dict[str, None] = {}
    for placed in findings:
        for name in _people(placed.finding):
            for form in (name, *short_forms(name)):
                people.setdefault(rules.canonical(Person.scope, key(form)))
        for name in _things(placed.finding):
            things.setdefault(rules.canonical(Thing.scope, name))
    shelf.fetch_handles(Person.scope, people)
    shelf.fetch_handles(Thing.scope, things)


def _people(finding: Finding) -> list[str]:
    if isinstance(finding, Appearance | NewCharacter):
        return [finding.name, *finding.aliases]
    if isinstance(finding, StateChange):
        return [finding.character]
    if isinstance(finding, Relation):
        return [finding.source, finding.target]
    return list(finding.keywords) if isinstance(finding, Payoff) else []


def _things(finding: Finding) -> list[str]:
    if isinstance(finding, WorldFact):
        return [thing_key(finding.type, key(name)) for name in (finding.name, *finding.aliases)]
    if isinstance(finding, StateChange) and finding.kind == "possession":
        return [thing_key("item", key(name)) for name in parts(finding.description)]
    return []
