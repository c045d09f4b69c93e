"""What the bible is made of while it is folded: plain values, no ORM.

``natural_key`` names an entry for good, whatever row holds it: a person or a world entry by the key
of the name it was first known by, a thread by the place of its seed. The scopes ``thing`` and
``tie`` are kept as they are stored.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, TypeAlias

from arboris.bible.types.findings import (
    Appearance,
    Contradiction,
    Finding,
    NewCharacter,
    Relation,
    StateChange,
    WorldFact,
)
from arboris.bible.types.names import ends, key, short_forms
from arboris.bible.types.sounds import sound

Tier = Literal["applied", "marked", "waiting", "accepted", "writer"]
Scope = Literal["person", "thing", "thread", "tie"]
# What describes a person; the writer may set each.
PERSON_FIELDS = ("role", "description", "personality", "goals", "abilities")
# A name or word by which an entry is looked for, and whether it is only a part of its own.
SearchKey: TypeAlias = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Fact:
    """Where an entry is written, taken from the finding that first stated it.

    ``chapter_id`` is None, and there is no quote, where the writer said so. ``ref`` is what a
    decision calls the finding.
    """

    chapter_id: int | None
    quote: str
    confidence: float
    basic: bool
    tier: Tier
    ref: str


@dataclass(slots=True)
class Person:
    natural_key: str
    name: str
    fact: Fact
    last_chapter_id: int | None = None
    role: str = "minor"
    description: str = ""
    personality: str = ""
    goals: str = ""
    abilities: str = ""
    mentions: int = 0
    aliases: dict[str, Fact] = field(default_factory=dict)
    # In how many chapters each of the names stands, ``name`` among them.
    uses: dict[str, int] = field(default_factory=dict)
    death: Fact | None = None
    # What can be compared between chapters, by "aspect:value": the first passage that shows it.
    # An aspect is one of ``findings.Aspect`` or of ``fold.continuity.told``.
    traits: dict[str, Fact] = field(default_factory=dict)

    scope: ClassVar[Scope] = "person"

    def keys(self) -> set[str]:
        return {self.natural_key, key(self.name), *map(key, self.aliases)}

    def search_keys(self) -> set[SearchKey]:
        whole = {(name, False) for name in self.keys()}
        heard = {(sound(name), True) for name in (self.name, *self.aliases) if sound(name)}
        return whole | {(key(short), True) for short in short_forms(self.name)} | heard


@dataclass(slots=True)
class WorldEntry:
    """A location, faction, item or rule; ``holder``: who has the item, by natural key."""

    natural_key: str
    kind: str
    name: str
    fact: Fact
    description: str = ""
    mentions: int = 0
    aliases: dict[str, Fact] = field(default_factory=dict)
    holder: str = ""
    held: Fact | None = None

    scope: ClassVar[Scope] = "thing"

    def keys(self) -> set[str]:
        names = (key(self.name), *map(key, self.aliases))
        return {self.natural_key, *(world_key(self.kind, name) for name in names)}

    def search_keys(self) -> set[SearchKey]:
        return {(name, False) for name in self.keys()}


@dataclass(slots=True)
class Thread:
    natural_key: str
    kind: str
    description: str
    keywords: list[str]
    chapter_number: int
    fact: Fact
    status: str = "open"

    scope: ClassVar[Scope] = "thread"

    def keys(self) -> set[str]:
        return {self.natural_key}

    def search_keys(self) -> set[SearchKey]:
        words = [key(word) for word in self.keywords]
        whole = {(word, False) for word in words}
        parts = {(end, True) for word in words for end in ends(word)}
        return whole | parts | {(quote_key(self.fact.quote), False)}


@dataclass(slots=True)
class RelationshipEntry:
    """How two people stand to each other; both by natural key."""

    natural_key: str
    source: str
    target: str
    relation: str
    fact: Fact

    scope: ClassVar[Scope] = "tie"

    def search_keys(self) -> set[SearchKey]:
        return set()


Entry = Person | WorldEntry | Thread | RelationshipEntry


@dataclass(frozen=True, slots=True)
class State:
    person: str
    kind: str
    description: str
    growth_level: int
    fact: Fact


@dataclass(frozen=True, slots=True)
class Event:
    """A passage that carries a thread on. ``certain`` is False where the words alone suggest it."""

    thread: str
    outcome: str
    description: str
    certain: bool
    distance: int  # chapters between the seed and this
    fact: Fact


@dataclass(frozen=True, slots=True)
class Notice:
    """Something for the writer: a contradiction, or a question that only they can answer."""

    kind: str
    subject: str
    chapter_id: int
    ref: str
    data: dict[str, Any]


@dataclass(slots=True)
class ChapterEntries:
    """What one chapter adds and no other changes."""

    states: dict[tuple[str, str, str], State] = field(default_factory=dict)
    events: dict[tuple[str, str], Event] = field(default_factory=dict)
    notices: dict[str, Notice] = field(default_factory=dict)


def world_key(kind: str, name_key: str) -> str:
    return f"{kind}:{name_key}"[:200]


def digest(*parts: object) -> str:
    return hashlib.sha1("\x1f".join(map(str, parts)).encode()).hexdigest()[:16]


def quote_key(quote: str) -> str:
    return f"quote:{digest(quote)}"


def thread_key(chapter_id: int, quote: str) -> str:
    return f"{chapter_id}:{digest(quote)}"


def relationship_key(source: str, target: str, relation: str) -> str:
    return digest(source, target, relation)


def ref_of(chapter_id: int, finding: Finding) -> str:
    """What a decision calls the finding: the same again when a later analysis finds it anew.

    Names and relations are the same in every chapter; the rest goes by its subject and passage.
    """
    if isinstance(finding, NewCharacter):  # new or known: that may be another the next time
        return digest("character", key(finding.name))
    if isinstance(finding, Appearance | WorldFact):
        return digest(finding.type, key(finding.name))
    if isinstance(finding, Relation):
        return digest(finding.type, key(finding.source), key(finding.target), finding.relation)
    subject: tuple[str, ...] = ()
    if isinstance(finding, StateChange):
        subject = (key(finding.character), finding.kind)
    if isinstance(finding, Contradiction):
        subject = (key(finding.character), finding.kind, key(finding.earlier))
    return digest(finding.type, chapter_id, *subject, key(finding.evidence.quote))


def contradiction_ref(chapter_id: int, finding: Contradiction) -> str:
    """What a decision calls the notice that the finding becomes."""
    quote = key(finding.evidence.quote)
    return digest(finding.kind, chapter_id, key(finding.character), quote)


# --- as JSON, for the journal -----------------------------------------------------------------
_KINDS: dict[str, type[Any]] = {
    kind.scope: kind for kind in (Person, WorldEntry, Thread, RelationshipEntry)
}


def to_json(entry: Entry) -> dict[str, Any]:
    """As dataclasses.asdict, which takes five times as long: every change is kept so."""
    return {part.name: _plain(getattr(entry, part.name)) for part in fields(entry)}


def _plain(value: Any) -> Any:
    if isinstance(value, Fact):
        return {part.name: getattr(value, part.name) for part in fields(value)}
    if isinstance(value, dict):
        return {name: _plain(fact) for name, fact in value.items()}
    return list(value) if isinstance(value, list) else value


def from_json(scope: Scope, plain: dict[str, Any]) -> Entry:
    values = dict(plain)
    for name in ("fact", "death", "held"):
        if values.get(name):
            values[name] = Fact(**values[name])
    for name in ("aliases", "traits"):
        if isinstance(values.get(name), dict):
            values[name] = {key: Fact(**fact) for key, fact in values[name].items()}
    entry: Entry = _KINDS[scope](**values)
    return entry
