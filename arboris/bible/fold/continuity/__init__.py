"""Contradictions between chapters: the dead act, an item in two hands, looks, ages, places, names.

Precision goes before recall: what a memory, a dream or a handing over explains is no contradiction.
One alarm a fact: what has been told is taken as it was written last, and not told again.
"""

from __future__ import annotations

from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.continuity import dead, items, spelling, told, traits
from arboris.bible.fold.continuity.items import parts
from arboris.bible.fold.continuity.notes import CONTRADICTIONS
from arboris.bible.fold.people import People
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.findings import (
    Appearance,
    Contradiction,
    NewCharacter,
    StateChange,
)
from arboris.bible.types.placed_finding import PlacedFinding

__all__ = ["CONTRADICTIONS", "look", "look_at_names", "parts"]


def look(
    store: MemoryEntryStore, rules: Rules, people: People, findings: list[PlacedFinding]
) -> None:
    """Note what contradicts earlier chapters; then keep what later ones must not contradict."""
    for placed in findings:
        finding = placed.finding
        if isinstance(finding, Appearance | StateChange):
            dead.look(store, rules, people, placed, finding)
        if isinstance(finding, Appearance):
            traits.look(store, rules, people, placed, finding)
    for placed in findings:
        if isinstance(placed.finding, StateChange):
            dead.keep(store, people, placed, placed.finding)
            if placed.finding.kind == "possession":
                items.hand_over(store, rules, people, placed, placed.finding)
    for placed in findings:  # what the patterns have told is not told again
        if isinstance(placed.finding, Contradiction):
            told.look(store, rules, people, placed, placed.finding)
    for placed in findings:
        if isinstance(placed.finding, StateChange | NewCharacter):
            told.keep(store, people, placed, placed.finding)


def look_at_names(
    store: MemoryEntryStore, rules: Rules, people: People, findings: list[PlacedFinding]
) -> None:
    """Note names that are most likely others, miswritten; those that wait for the writer too."""
    for placed in sorted(findings, key=lambda placed: placed.order):
        if isinstance(placed.finding, Appearance):
            spelling.look(store, rules, people, placed, placed.finding)
