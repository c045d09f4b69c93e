"""What each feature asks of the model: its answer's form, what it is told, how it is read.

The words of the task are in ``prompts/zh.toml`` and ``en.toml``, under ``[tasks]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from analysis.analyzers.llm.answers import Newcomers, Threads, Tracking, World
from analysis.analyzers.llm.prompts import Told, known_characters, known_entities, known_threads
from analysis.analyzers.llm.reading import Reader
from analysis.features import FeatureKey
from arboris.bible.types.findings import Finding


@dataclass(frozen=True, slots=True)
class Task:
    """``told`` makes the block of the prompt that says what the bible knows."""

    form: type[BaseModel]
    told: Told
    read: Callable[[Reader, Any], Iterator[Finding]]


TASKS: dict[FeatureKey, Task] = {
    "character_tracking": Task(Tracking, known_characters, Reader.tracking),
    "new_character_detection": Task(Newcomers, known_characters, Reader.newcomers),
    "world_expansion": Task(World, known_entities, Reader.world),
    "foreshadowing": Task(Threads, known_threads, Reader.threads),
}
