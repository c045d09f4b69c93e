"""The forms of the model's answers, one for each feature.

The schema that is sent requires every field; an answer may lack those with a default.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from arboris.bible.types.findings import ForeshadowingKind, Role, StateKind, WorldKind


def _or_empty(value: Any) -> Any:
    return "" if value is None else value


def _or_empty_list(value: Any) -> Any:
    return [] if value is None else value


def _level(value: Any) -> Any:
    """A whole number from 0 to 3: a model that counts to 5 or 10 means the highest."""
    if value is None:
        return 0
    return int(min(3, max(0, value))) if isinstance(value, int | float) else value


Words = Annotated[str, BeforeValidator(_or_empty)]
Names = Annotated[list[str], BeforeValidator(_or_empty_list)]


class _Quoted(BaseModel):
    quote: Words
    confidence: Annotated[float, Field(ge=0, le=1)]


class SeenCharacter(_Quoted):
    name: str
    known_id: int | None = None
    aliases: Names = []


class Change(_Quoted):
    character: str
    kind: StateKind
    description: str
    growth_level: Annotated[int, BeforeValidator(_level), Field(ge=0, le=3)] = 0


class Relationship(_Quoted):
    source: str
    target: str
    relation: str


class Tracking(BaseModel):
    characters: list[SeenCharacter]
    changes: list[Change] = []
    relations: list[Relationship] = []


class Newcomer(SeenCharacter):
    role: Role = "minor"
    description: Words = ""
    personality: Words = ""
    goals: Words = ""
    abilities: Words = ""


class Newcomers(BaseModel):
    characters: list[Newcomer]


class WorldEntry(_Quoted):
    kind: WorldKind
    name: str
    aliases: Names = []
    description: Words = ""


class World(BaseModel):
    entities: list[WorldEntry]


class Seed(_Quoted):
    kind: ForeshadowingKind
    description: str
    keywords: Names = []


class ThreadProgress(_Quoted):
    thread: int | None = None
    outcome: Literal["advanced", "paid_off"]
    description: str
    keywords: Names = []


class Threads(BaseModel):
    seeds: list[Seed]
    payoffs: list[ThreadProgress] = []
