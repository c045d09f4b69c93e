"""The forms of the model's answers, one for each feature.

The schema that is sent requires every field; an answer may lack those with a default. What a model
plainly meant is brought into these forms by ``arboris.llm.normalise`` with ``vocabulary``.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field

from analysis.analyzers.llm.vocabulary import VOCABULARY
from arboris.bible.types.findings import (
    ContradictionKind,
    ForeshadowingKind,
    Role,
    StateKind,
    WorldKind,
)
from arboris.llm.answer_values import Vocabulary

# Of an entry that does not say it: applied, and shown as less sure.
UNSAID = 0.6


class _Form(BaseModel):
    vocabulary: ClassVar[Vocabulary] = VOCABULARY


class _Quoted(_Form):
    quote: str = ""
    confidence: Annotated[float, Field(ge=0, le=1)] = UNSAID


class SeenCharacter(_Quoted):
    name: str
    known_id: int | None = None
    aliases: list[str] = []


class Change(_Quoted):
    character: str
    kind: StateKind
    description: str
    growth_level: Annotated[int, Field(ge=0, le=3)] = 0


class Relationship(_Quoted):
    source: str
    target: str
    relation: str


class Tracking(_Form):
    characters: list[SeenCharacter] = []
    changes: list[Change] = []
    relations: list[Relationship] = []


class Newcomer(SeenCharacter):
    role: Role = "minor"
    description: str = ""
    personality: str = ""
    goals: str = ""
    abilities: str = ""


class Newcomers(_Form):
    characters: list[Newcomer]


class WorldEntry(_Quoted):
    kind: WorldKind
    name: str
    aliases: list[str] = []
    description: str = ""


class World(_Form):
    entities: list[WorldEntry]


class Seed(_Quoted):
    kind: ForeshadowingKind
    description: str
    keywords: list[str] = []


class ThreadProgress(_Quoted):
    thread: int | None = None
    outcome: Literal["advanced", "paid_off"]
    description: str
    keywords: list[str] = []


class Threads(_Form):
    seeds: list[Seed] = []
    payoffs: list[ThreadProgress] = []


class Clash(_Quoted):
    fact: int | None = None
    earlier: str = ""
    kind: ContradictionKind
    item: str = ""
    holder: str = ""
    description: str = ""


class Contradictions(_Form):
    contradictions: list[Clash]
