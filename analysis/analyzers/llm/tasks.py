"""What each feature asks of the model: its answer's form, and how it is read.

The words of the task are in ``prompts/zh.toml`` and ``en.toml``, under ``[tasks]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from analysis.analyzers.llm.answers import Contradictions, Newcomers, Threads, Tracking, World
from analysis.analyzers.llm.reading import Reader
from analysis.features import FeatureKey
from arboris.bible.types.findings import Finding


@dataclass(frozen=True, slots=True)
class Task:
    form: type[BaseModel]
    read: Callable[[Reader, Any], Iterator[Finding]]


TASKS: dict[FeatureKey, Task] = {
    "character_tracking": Task(Tracking, Reader.tracking),
    "new_character_detection": Task(Newcomers, Reader.newcomers),
    "world_expansion": Task(World, Reader.world),
    "foreshadowing": Task(Threads, Reader.threads),
    "continuity": Task(Contradictions, Reader.contradictions),
}
