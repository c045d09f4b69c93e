"""Commands that do one thing to each of the selected tasks: each in a transaction of its own."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from analysis import audit
from analysis.errors import QueueConflict
from analysis.management import report
from analysis.management.base import Failed, OperatorCommand, PartlyDone, UsageError
from analysis.management.selection import (
    Selection,
    Tasks,
    add_selectors,
    named,
    read_selectors,
    require,
)
from analysis.models import PendingAnalysis, Status
from arboris.stop_request import StopRequest

OK = "ok"


class TaskCommand(OperatorCommand):
    """Subclasses say which states they act on, how, and in which words."""

    changes = True
    acts_on: ClassVar[tuple[Status, ...]] = ()
    # What a filter without --status means; single ids may be in any state.
    by_default: ClassVar[tuple[Status, ...]] = ()

    @abstractmethod
    def question(self, count: int) -> str: ...

    @abstractmethod
    def summary(self, count: int) -> str: ...

    @abstractmethod
    def dry_run_summary(self, count: int) -> str:
        """The summary of a dry run: what would have been done."""

    @abstractmethod
    def check_task(self, task: PendingAnalysis) -> None:
        """Raise the QueueConflict that ``act`` would meet."""

    @abstractmethod
    def act(self, task_id: int) -> None: ...

    def details(self) -> dict[str, Any]:
        """What the record tells beside the selectors."""
        return {}

    def narrow(self, tasks: Tasks) -> Tasks:
        """Leave out, of what filters find, the tasks that the command can never act on."""
        return tasks

    def arguments(self, parser: CommandParser) -> None:
        add_selectors(parser)

    # --- one run -------------------------------------------------------------------------
    def run(self, options: dict[str, Any]) -> None:
        selection = self._selection(options)
        ids = [found for batch in selection.batches(self._tasks(selection)) for found in batch]
        missing = selection.missing()
        totals = {"dry_run": self.dry_run, "selected": len(ids) + len(missing)}
        if ids:
            self.confirm(self.question(len(ids)), options)
        entry = self.entry(options, selectors=named(options), **self.details())
        outcomes: Counter[str] = Counter()

        def rows(stop: StopRequest) -> Iterator[report.Row]:
            for row in self._rows(ids, missing, entry, stop):
                outcomes[row["outcome"]] += 1
                yield row

        def counted() -> dict[str, Any]:
            done = outcomes[OK]
            return {**totals, "done": done, "refused": outcomes.total() - done}

        interrupted = report.take(self, rows, totals["selected"], entry, counted)
        self._conclude(outcomes[OK], counted()["refused"], interrupted)

    def _selection(self, options: dict[str, Any]) -> Selection:
        selection = read_selectors(options)
        require(selection)
        wrong = [status.value for status in selection.statuses if status not in self.acts_on]
        if wrong:
            allowed = ", ".join(status.value for status in self.acts_on)
            raise UsageError(
                "--status",
                _("%(wrong)s: this command acts on %(allowed)s.")
                % {"wrong": ", ".join(wrong), "allowed": allowed},
            )
        if not selection.ids and not selection.statuses:
            selection = dataclasses.replace(selection, statuses=self.by_default)
        return selection

    def _tasks(self, selection: Selection) -> Tasks:
        return selection.tasks() if selection.ids else self.narrow(selection.tasks())

    def _rows(
        self, ids: list[int], missing: list[int], entry: audit.Entry, stop: StopRequest
    ) -> Iterator[report.Row]:
        yield from map(report.not_found, missing)
        for task_id, task in report.loaded(ids):
            if stop.is_set():
                return
            yield self._one(task, entry) if task else report.not_found(task_id)

    def _one(self, task: PendingAnalysis, entry: audit.Entry) -> report.Row:
        row = report.task_row(task)
        try:
            if self.dry_run:
                self.check_task(task)
            else:
                entry.step(lambda: self.act(task.pk), lambda _: [task.pk])
        except QueueConflict as conflict:
            return {**row, "outcome": conflict.code, "reason": str(conflict)}
        except PendingAnalysis.DoesNotExist:
            return report.not_found(task.pk)
        return {**row, "outcome": OK, "reason": ""}

    def _conclude(self, done: int, refused: int, interrupted: bool) -> None:
        if interrupted:
            raise PartlyDone(_("Interrupted; %(done)d were done.") % {"done": done})
        if not done and not refused:
            self.say(_("No analysis matches."))
            return
        text = self.summary(done)
        if self.dry_run:
            text = dry_run(self.dry_run_summary(done))
        if refused:
            error = PartlyDone if done else Failed
            raise error(_("%(text)s Refused: %(refused)d.") % {"text": text, "refused": refused})
        self.say(text)


def dry_run(text: str) -> str:
    return _("Dry run, nothing was changed: %(text)s") % {"text": text}
