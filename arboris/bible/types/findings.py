"""What an analysis may state about a chapter: typed findings, each resting on a quote.

No ORM here: analyzers, the pipeline and the fold all speak these types.
Offsets count Unicode code points from the start of the chapter version's text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, cast, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json

Name = Annotated[str, Field(min_length=1, max_length=100)]
Aliases = Annotated[list[Name], Field(default_factory=list, max_length=50)]
Text = Annotated[str, Field(default="", max_length=2000)]
Role = Literal["main", "supporting", "minor"]
ROLES: tuple[Role, ...] = ("minor", "supporting", "main")  # from the least
StateKind = Literal["ability", "condition", "relation", "location", "possession", "knowledge"]
WorldKind = Literal["location", "faction", "item", "rule"]
# What of a person can be compared between chapters: see ``fold.continuity``.
Aspect = Literal["acts", "eyes", "hair", "mark", "lost", "uses", "age", "elapsed", "at"]
DEAD = "dead"  # the aspect of a death among the facts that an analysis is told of
ForeshadowingKind = Literal["mystery", "prophecy", "hint", "setup"]
ContradictionKind = Literal["dead_acts", "item_in_two_hands", "looks", "age", "two_places"]


class Evidence(BaseModel):
    """The passage a finding rests on: ``text[start:end] == quote`` once it is verified."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quote: Annotated[str, Field(min_length=1, max_length=2000)]
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]


class BaseFinding(BaseModel):
    """What every finding has; ``type`` names its class in ``TYPES``."""

    model_config = ConfigDict(extra="forbid")

    evidence: Evidence
    confidence: Annotated[float, Field(ge=0.0, le=1.0)]
    basic: bool = False  # found by patterns alone, without understanding the text


class Observed(BaseModel):
    """What a passage shows of a person, and another chapter might contradict.

    ``value`` by aspect: acts, nothing; eyes and hair, a colour as it is written; mark, lost and
    uses, a part of the body and its side ("scar on the brow/left"); age, years ("17"); elapsed, the
    years that the story has moved on; at, a time and a place ("Friday night|Leeds").
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    aspect: Aspect
    value: Annotated[str, Field(default="", max_length=200)]
    evidence: Evidence


class Appearance(BaseFinding):
    """A character acts or is named in the chapter; ``name`` is the most complete form used.

    ``doubts``: names of others, one of whom this might be; the writer is asked.
    """

    type: Literal["appearance"] = "appearance"
    name: Name
    aliases: Aliases
    mentions: Annotated[int, Field(ge=1)] = 1
    observed: list[Observed] = Field(default_factory=list, max_length=100)
    doubts: Aliases = Field(default_factory=list)


class NewCharacter(BaseFinding):
    """Who a character is, as the chapter says it; a ``description`` is one of somebody whom the
    known list held. To the bible both are the same."""

    type: Literal["character", "description"] = "character"
    name: Name
    aliases: Aliases
    mentions: Annotated[int, Field(ge=1)] = 1
    role: Role = "minor"
    description: Text
    personality: Text
    goals: Text
    abilities: Text


class StateChange(BaseFinding):
    """Something about a character is different from here on.

    ``growth_level`` says how much the character has grown by it: 0 not at all, 1 a step, 2 clearly,
    3 a turning point. ``item``: what it is that they have or lose, where it has a name of its own.
    """

    type: Literal["state"] = "state"
    character: Name
    kind: StateKind
    description: Annotated[str, Field(min_length=1, max_length=2000)]
    growth_level: Annotated[int, Field(ge=0, le=3)] = 0
    item: Annotated[str, Field(max_length=100)] = ""


class Relation(BaseFinding):
    """How two characters stand to each other, as the chapter says it (``source`` is the ... of
    ``target``)."""

    type: Literal["relationship"] = "relationship"
    source: Name
    target: Name
    relation: Annotated[str, Field(min_length=1, max_length=100)]


class WorldFact(BaseFinding):
    """A location, faction, item or rule of the world."""

    type: WorldKind
    name: Name
    aliases: Aliases
    description: Text
    mentions: Annotated[int, Field(ge=1)] = 1


class Foreshadowing(BaseFinding):
    """A seed that later chapters may advance or pay off; ``keywords`` name what it is about."""

    type: Literal["foreshadowing"] = "foreshadowing"
    kind: ForeshadowingKind
    description: Annotated[str, Field(min_length=1, max_length=2000)]
    keywords: Aliases


class Payoff(BaseFinding):
    """A passage that advances or resolves an earlier seed.

    ``seed_quote`` names the seed outright where the analyzer knows it; otherwise the fold
    links by ``keywords``, and a pay-off without a seed in an earlier chapter is not applied.
    """

    type: Literal["payoff"] = "payoff"
    outcome: Literal["advanced", "paid_off"]
    description: Annotated[str, Field(min_length=1, max_length=2000)]
    keywords: Aliases
    seed_quote: Text


class Contradiction(BaseFinding):
    """A passage that does not fit to what an earlier chapter says of a character.

    ``earlier`` is the quote that the bible has for that. ``item``, and ``holder`` who has it now,
    belong to an item in two hands. Without the earlier passage, nothing contradicts it.
    """

    type: Literal["contradiction"] = "contradiction"
    kind: ContradictionKind
    character: Name
    description: Text
    earlier: Annotated[str, Field(min_length=1, max_length=2000)]
    item: Annotated[str, Field(max_length=100)] = ""
    holder: Annotated[str, Field(max_length=100)] = ""


Finding: TypeAlias = (
    Appearance
    | NewCharacter
    | StateChange
    | Relation
    | WorldFact
    | Foreshadowing
    | Payoff
    | Contradiction
)

# The class of each type of finding; ``parse`` reads stored findings by it.
TYPES: dict[str, type[BaseFinding]] = {
    name: kind
    for kind in get_args(Finding)
    for name in get_args(kind.model_fields["type"].annotation)
}


def parse_json(text: str | bytes) -> Finding:
    """A finding from JSON; raises ValueError."""
    return parse(from_json(text))


def parse(plain: Mapping[str, Any]) -> Finding:
    """A finding from plain values; raises ValueError where they are none of a known type."""
    kind = TYPES.get(plain.get("type", ""))
    if kind is None:
        raise ValueError(f"no finding has the type {plain.get('type')!r}")
    return cast(Finding, kind.model_validate(plain))
