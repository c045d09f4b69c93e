"""The shape of a language's patterns, so that one engine serves both."""

from __future__ import annotations

import re
from dataclasses import dataclass

from arboris.bible.findings import ForeshadowingKind, StateKind


@dataclass(frozen=True, slots=True)
class StateRule:
    kind: StateKind
    verb: re.Pattern[str]
    certainty: float
    place: bool = False  # an object that is a known place of the chapter must follow


@dataclass(frozen=True, slots=True)
class SeedRule:
    kind: ForeshadowingKind
    cue: re.Pattern[str]
    certainty: float


@dataclass(frozen=True, slots=True)
class RelationRule:
    """Tried on two persons in a row: the text between them, and what follows the second.

    The relation is the named group ``r`` of whichever pattern has it, else ``label``.
    ``swap`` says that the second person is the relation of the first.
    """

    between: re.Pattern[str]
    after: re.Pattern[str] | None = None
    label: str = ""
    swap: bool = False


@dataclass(frozen=True, slots=True)
class Grammar:
    states: tuple[StateRule, ...]
    lead: re.Pattern[str]  # what may stand between the subject and its verb
    denied: re.Pattern[str]  # in the lead: it did not happen, or not yet
    unsure: re.Pattern[str]  # in the rest of the sentence
    clause_end: re.Pattern[str]
    relations: tuple[RelationRule, ...]
    is_a: re.Pattern[str]  # after a name: what the person is (group d)
    apposed: re.Pattern[str]  # before a name, matched at its end (group d)
    seeds: tuple[SeedRule, ...]
    payoff: re.Pattern[str]  # any cue
    resolved: re.Pattern[str]  # a cue that closes the matter
    laws: re.Pattern[str]
    law_name: re.Pattern[str]
    reach: int  # code points after a verb of motion within which its place must begin
