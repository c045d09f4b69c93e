"""A bulk operation in the foreground of a command, or its rehearsal: a row for each task."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from django.utils.translation import gettext as _

from analysis import audit, bulk
from analysis.errors import CONFLICTS
from analysis.management import report
from analysis.models import BulkOperation
from analysis.queue import batch

Stopped = Callable[[], bool]


class Rehearsal:
    """What would become of these tasks; nothing is changed and nothing recorded."""

    def __init__(self, kind: BulkOperation.Kind, ids: Sequence[int]) -> None:
        self.count, self.reason, self.lost = 0, "", False
        self.ids: list[int] = []
        self._look = bulk.CHANGES[kind].look
        self._ids = ids
        self.size = len(ids)

    def rows(self, stopped: Stopped) -> Iterator[report.Row]:
        taken: set[int] = set()
        for start in range(0, len(self._ids), bulk.BATCH):
            if stopped():
                return
            ids = self._ids[start : start + bulk.BATCH]
            found = self._look(batch.read(ids), taken=taken)
            left = {pk: conflict.code for pk, conflict in found.left.items()}
            yield from _rows(_before(ids), left)

    def close(self, *, interrupted: bool = False) -> None:
        """There is no record."""

    def how_to_go_on(self, command: str) -> str:
        return ""


class ForegroundRun:
    """An operation that this process runs."""

    def __init__(self, operation: BulkOperation, token: str) -> None:
        self._operation = operation
        self._token = token
        self._record = operation.record_id
        self.reason = operation.reason
        self.size = operation.selected - operation.changed - operation.refused
        self.count, self.lost = 0, False
        self.ids: list[int] = []

    @classmethod
    def of(cls, operation: BulkOperation) -> ForegroundRun:
        token = bulk.start_here(operation.pk, f"{operation.actor}:{os.getpid()}")
        operation.refresh_from_db()  # it may have gone on since it was read
        return cls(operation, token)

    def rows(self, stopped: Stopped) -> Iterator[report.Row]:
        """Rows of tasks as they were before, a batch at a time; ends early once ``stopped``."""
        parts = self._operation.parts.filter(number__gte=self._operation.position)
        for number in range(self._operation.position, self._operation.size):
            if stopped():
                return
            before = _before(parts.get(number=number).ids)
            try:
                done = bulk.step(self._operation.pk, self._token)
            except bulk.Lost:  # somebody stopped it in the admin, or it stood still for too long
                self.lost = True
                return
            assert done is not None  # there is a part of that number
            self.count += len(done.changed)
            self.ids += done.changed[: audit.NAMED - len(self.ids)]
            yield from _rows(before, done.left)

    def close(self, *, interrupted: bool = False) -> None:
        """Done where nothing is left, else stopped: either is told to the writers."""
        bulk.stop(self._operation.pk, self._token)

    def how_to_go_on(self, command: str) -> str:
        text = _("Go on with: manage.py %(command)s --resume %(number)d")
        return " " + text % {"command": command, "number": self._operation.pk}


Tasks = Mapping[int, report.Row]


def _before(ids: Sequence[int]) -> Tasks:
    return {
        pk: report.task_row(task) if task else report.not_found(pk)
        for pk, task in report.loaded(ids)
    }


def _rows(before: Tasks, left: Mapping[int, str]) -> Iterator[report.Row]:
    for pk, row in before.items():
        code = left.get(pk, report.OK)
        if "status" not in row:
            yield row
        elif code == bulk.NOT_FOUND:
            yield report.not_found(pk)
        else:
            yield {
                **row,
                "outcome": code,
                "reason": _(CONFLICTS[code]) if code in CONFLICTS else "",
            }
