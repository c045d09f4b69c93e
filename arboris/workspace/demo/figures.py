"""What one analysis took, from the times that the API and the socket gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arboris.workspace.demo.client import Answer, Push


@dataclass(frozen=True, slots=True)
class Journey:
    """One chapter's way: all times are of this machine's one clock."""

    chapter: int
    title: str
    status: str
    queued: datetime
    shown: datetime
    started: datetime
    completed: datetime
    pushed: datetime
    answer_seconds: float

    @classmethod
    def of(cls, task: dict[str, Any], push: Push, answer: Answer, title: str = "") -> Journey:
        return cls(
            chapter=task["chapter_number"],
            title=title,
            status=task["status"],
            queued=datetime.fromisoformat(task["created_at"]),
            shown=answer.arrived,
            started=datetime.fromisoformat(task["started_at"]),
            completed=datetime.fromisoformat(task["completed_at"]),
            pushed=push.arrived,
            answer_seconds=answer.seconds,
        )

    @property
    def pick_up(self) -> float:
        return (self.started - self.queued).total_seconds()

    @property
    def analysis(self) -> float:
        return (self.completed - self.started).total_seconds()

    @property
    def push(self) -> float:
        return (self.pushed - self.completed).total_seconds()


def percentile(values: Sequence[float], fraction: float) -> float:
    """The value below which ``fraction`` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]
