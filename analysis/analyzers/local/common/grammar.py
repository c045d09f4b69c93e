"""What a language says outright, as patterns: one engine serves both languages.

The patterns are data: ``words/zh_grammar.toml`` and ``words/en_grammar.toml``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from arboris.bible.types.findings import ForeshadowingKind, StateKind

from ..words import read


@dataclass(frozen=True, slots=True)
class StateRule:
    kind: StateKind
    verb: re.Pattern[str]
    certainty: float
    place: bool = False  # an object that is a known place of the chapter must follow


@dataclass(frozen=True, slots=True)
class GrowthRule:
    words: re.Pattern[str]
    level: int


@dataclass(frozen=True, slots=True)
class SeedRule:
    kind: ForeshadowingKind
    cue: re.Pattern[str]
    certainty: float
    narrated: bool = False  # counts outside of speech alone
    spoken: bool = False  # counts in speech alone


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
class MineRule:
    """What stands around a name that a speaker claims: one of the two has the relation, group r."""

    before: re.Pattern[str]  # searched in the text that ends at the name
    after: re.Pattern[str]  # matched right behind the name


@dataclass(frozen=True, slots=True)
class SubjectRule:
    """What stands around a name says what the person is to whoever the sentence speaks of.

    The relation is the group r, else ``label``. ``swap``: it says what that one is to the person.
    """

    before: re.Pattern[str]  # searched in the text that ends at the name
    after: re.Pattern[str]  # matched right behind the name
    label: str = ""
    swap: bool = False


@dataclass(frozen=True, slots=True)
class HandedRule:
    """Something happens to somebody: what stands before and after their name."""

    before: re.Pattern[str]
    after: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Grammar:
    states: tuple[StateRule, ...]
    growth: tuple[GrowthRule, ...]  # in a new ability: how much of a growth; the first counts
    no_growth: re.Pattern[str]  # in it: it is lost, or only had again
    lead: re.Pattern[str]  # what may stand between the subject and its verb
    omitted: re.Pattern[str]  # what may stand before the verb of a clause that names no subject
    agent: re.Pattern[str]  # at the end of what stands before a name: it does it to somebody
    owner: re.Pattern[str]  # right behind a name: something of theirs is spoken of
    relative: re.Pattern[str]  # at the start of a clause: it speaks of the name right before it
    pronoun: re.Pattern[str]  # at the start of a clause: it means somebody named before
    he: re.Pattern[str]  # the same, where a name can stand in its place
    opener: re.Pattern[str]  # see Tongue
    somewhere: re.Pattern[str]  # right behind a verb of motion: plainly a place
    joins: str  # between a name and what is said of it
    denied: re.Pattern[str]  # in the lead: it did not happen, or not yet
    unsure: re.Pattern[str]  # in the rest of the sentence
    clause_end: re.Pattern[str]
    handed: tuple[HandedRule, ...]
    suffered: tuple[HandedRule, ...]  # what stands around the name of whoever is killed or hurt
    relations: tuple[RelationRule, ...]
    mine: tuple[MineRule, ...]  # in speech: of the speaker
    humble: dict[str, str]  # what a polite word of one's own kin means
    of_subject: tuple[SubjectRule, ...]  # in narration: "her brother X"
    office_before: re.Pattern[str]  # at the end of what stands before a name: an office, group o
    office_after: re.Pattern[str]  # right behind a name: the person's office
    is_a: re.Pattern[str]  # after a name: what the person is (group d)
    apposed: re.Pattern[str]  # before a name, matched at its end (group d)
    portrait: re.Pattern[str]  # right behind a name or pronoun: the sentence shows what one is like
    lead_in: re.Pattern[str]  # at the start of what is said before a name: no part of it
    seeds: tuple[SeedRule, ...]
    verse_cue: re.Pattern[str]  # a rhyme or prophecy (group c) is about to be quoted
    verse: re.Pattern[str]  # matched right behind the cue: the verse (group v)
    this_verse: re.Pattern[str]  # matched from the passage's start: it speaks of what was quoted
    verse_before: re.Pattern[str]  # or right before the cue's passage, matched at its end
    verse_line: re.Pattern[str]  # a short line of it, good to recognise it by
    asked: re.Pattern[str]  # a spoken question
    shunned: re.Pattern[str]  # matched right behind the question: nobody answers
    payoff: re.Pattern[str]  # any cue
    resolved: re.Pattern[str]  # a cue that closes the matter
    laws: re.Pattern[str]  # what must, may not or always does happen, with its subject
    not_laws: re.Pattern[str]  # in that: it binds somebody here and now, not everybody
    law_lead: re.Pattern[str]  # what a rule's wording may begin with and its name should not
    law_length: int  # code points of a rule's name
    reach: int  # code points after a verb of motion within which its place must begin


RULES = {
    "states": StateRule,
    "growth": GrowthRule,
    "seeds": SeedRule,
    "relations": RelationRule,
    "mine": MineRule,
    "of_subject": SubjectRule,
    "handed": HandedRule,
    "suffered": HandedRule,
}
PATTERNS = {"verb", "words", "cue", "between", "before", "after"}


def load_grammar(name: str, humble: dict[str, str], **lists: str) -> Grammar:
    """Read the grammar of the data file ``name``. ``lists``: what <kin> and the like stand for."""

    def compiled(pattern: str) -> re.Pattern[str]:
        pattern = pattern.replace("\n", "")
        for key, words in lists.items():
            pattern = pattern.replace(f"<{key}>", words)
        return re.compile(pattern)

    def field(key: str, value: Any) -> Any:
        if key not in RULES:
            return compiled(value) if isinstance(value, str) and key != "joins" else value
        return tuple(
            RULES[key](**{k: compiled(v) if k in PATTERNS else v for k, v in rule.items()})
            for rule in value
        )

    return Grammar(humble=humble, **{key: field(key, value) for key, value in read(name).items()})
