"""Whether what the crowd did was right: its diaries, gone through again claim by claim."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from analysis.models import PendingAnalysis
from tests.queue.crowd import Entry

FOREVER = 10**9


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was seen: after claim ``lo - 1`` and before claim ``hi`` was through."""

    lo: int
    hi: int


@dataclass(slots=True)
class Row:
    """A task as it was queued, and what became of it by the diaries."""

    id: int
    project_id: str
    user_id: int
    priority: int
    age: tuple[Any, int]
    edits: list[Entry] = field(default_factory=list)
    cancel: Entry | None = None
    claimed: int = FOREVER
    endpoint: str = ""
    end: Entry | None = None

    def priorities(self, at: Moment) -> set[int]:
        """Those that it may have had."""
        sure = self.priority
        maybe: set[int] = set()
        for edit in self.edits:
            if edit["hi"] < at.lo:
                sure, maybe = edit["priority"], set()
            elif edit["lo"] < at.hi:
                maybe.add(edit["priority"])
        return {sure} | maybe

    def runs(self, at: Moment, *, surely: bool) -> bool:
        ends = [entry for entry in (self.end, self.cancel) if entry is not None]
        if surely:
            return self.claimed < at.lo and all(at.hi <= entry["lo"] for entry in ends)
        return self.claimed < at.hi and all(at.lo <= entry["hi"] for entry in ends)

    def waits(self, at: Moment) -> bool:
        """Surely."""
        return self.claimed >= at.hi and (self.cancel is None or at.hi <= self.cancel["lo"])


class Replay:
    def __init__(self, tasks: list[PendingAnalysis], per_project: int, per_endpoint: int) -> None:
        self.rows = {
            task.pk: Row(
                task.pk,
                str(task.project_id),
                task.user_id,
                task.priority,
                (task.created_at, task.pk),
            )
            for task in tasks
        }
        self.per_project, self.per_endpoint = per_project, per_endpoint
        self.pauses: list[Entry] = []
        self.claims: list[Entry] = []
        self.refusals: list[Entry] = []

    def read(self, diary: list[Entry]) -> None:
        for entry in diary:
            row = self.rows.get(entry.get("task", 0))
            match entry["kind"], row:
                case "claim", Row():
                    self.claims.append(entry)
                    row.claimed, row.endpoint = entry["clock"], entry["endpoint"]
                case "end", Row():
                    row.end = entry
                case "priority", Row():
                    row.edits.append(entry)
                case "cancel", Row():
                    row.cancel = entry
                case "pause", None:
                    self.pauses.append(entry)
                case "nothing", None:
                    self.refusals.append(entry)
                case _:
                    raise AssertionError(f"not understood: {entry}")
        self.claims.sort(key=lambda entry: int(entry["clock"]))

    def faults(self) -> Iterator[str]:
        """What should not have been."""
        for claim in self.claims:
            at = Moment(claim["clock"], claim["clock"])
            yield from self._claim_faults(self.rows[claim["task"]], claim["endpoint"], at)
        for refusal in self.refusals:
            # Where it stands among what else happened between two claims is not known.
            at = Moment(refusal["clock"], refusal["clock"] + 1)
            if self._running(at, surely=False)[refusal["endpoint"]] < self.per_endpoint:
                for row in self._may_be_claimed(at):
                    yield f"{refusal}: nothing was claimed, though {row} was there"

    def _claim_faults(self, row: Row, endpoint: str, at: Moment) -> Iterator[str]:
        running = self._running(at, surely=True)
        if running[row.project_id] >= self.per_project:
            yield f"{at}: {row} is one too many of its novel"
        if running[endpoint] >= self.per_endpoint:
            yield f"{at}: {row} is one too many of its endpoint"
        if row.cancel is not None and row.cancel["hi"] < at.lo:
            yield f"{at}: {row} was cancelled"
        if any(
            _concerns(pause["scope"], row) and pause["held_from"] < at.lo <= pause["held_to"]
            for pause in self.pauses
        ):
            yield f"{at}: {row} was paused"
        place = (-max(row.priorities(at)), row.age)
        for other in self._may_be_claimed(at):
            if other is not row and (-min(other.priorities(at)), other.age) < place:
                yield f"{at}: {row} went before {other}"

    def _may_be_claimed(self, at: Moment) -> Iterator[Row]:
        """What surely waits, is surely not paused, and is surely below its novel's limit."""
        running = self._running(at, surely=False)
        pauses = [pause for pause in self.pauses if pause["lo"] < at.hi and at.lo <= pause["hi"]]
        for row in self.rows.values():
            if (
                row.waits(at)
                and running[row.project_id] < self.per_project
                and not any(_concerns(pause["scope"], row) for pause in pauses)
            ):
                yield row

    def _running(self, at: Moment, *, surely: bool) -> dict[str, int]:
        """How many ran, by novel and by endpoint."""
        numbers: dict[str, int] = defaultdict(int)
        for row in self.rows.values():
            if row.runs(at, surely=surely):
                numbers[row.project_id] += 1
                numbers[row.endpoint] += 1
        return numbers

    def held_back(self, pause: Entry) -> list[Row]:
        """What waited all the time that the pause lasted."""
        whole = Moment(pause["held_from"], pause["held_to"] + 1)
        return [r for r in self.rows.values() if _concerns(pause["scope"], r) and r.waits(whole)]


def _concerns(scope: Entry, row: Row) -> bool:
    named = {"project_id": row.project_id, "user_id": row.user_id}
    return all(named[column] == value for column, value in scope.items())
