"""The parts of a prompt that are words; one instance for each language."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.features import FeatureKey
from arboris.bible.findings import WorldKind


@dataclass(frozen=True, slots=True)
class Wording:
    rules: str  # the system message, before the task; {token} is what makes the markers
    tasks: dict[FeatureKey, str]
    part: str  # {number} of {total}, where a chapter comes in pieces
    aliases: str  # opens the list of other names, in brackets after a name
    separator: str  # between names
    chapter_of_seed: str  # {number}
    kinds: dict[WorldKind, str]
    reminder: str  # the user message's last line, after all data
