"""Commands that do one thing to each of the selected tasks: a bulk operation, run here."""

from __future__ import annotations

import dataclasses
import logging
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, ClassVar

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from analysis import audit, bulk
from analysis.management import report
from analysis.management.base import Failed, OperatorCommand, PartlyDone, UsageError
from analysis.management.bulk_run import ForegroundRun, Rehearsal
from analysis.management.selection import (
    HIGHEST_ID,
    NAMES,
    Selection,
    Tasks,
    add_selectors,
    named,
    read_selectors,
    require,
    whole,
)
from analysis.models import BulkOperation, Status
from arboris.stop_request import StopRequest

OK = report.OK


class TaskCommand(OperatorCommand):
    """Subclasses say which states they act on, how, and in which words."""

    changes = True
    kind: ClassVar[BulkOperation.Kind]
    priority: int | None = None
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

    def details(self) -> dict[str, Any]:
        """What the record tells beside the selectors."""
        return {}

    def narrow(self, tasks: Tasks) -> Tasks:
        """Leave out, of what filters find, the tasks that the command can never act on."""
        return tasks

    def arguments(self, parser: CommandParser) -> None:
        add_selectors(parser)
        parser.add_argument(
            "--resume",
            metavar="N",
            help=_("Go on with the bulk operation of that number, which was stopped."),
        )

    # --- one run -------------------------------------------------------------------------
    def run(self, options: dict[str, Any]) -> None:
        if options["resume"] is not None:
            self._resume(options)
            return
        selection = self._selection(options)
        ids = [found for batch in selection.batches(self._tasks(selection)) for found in batch]
        missing = selection.missing()
        if ids:
            self.confirm(self.question(len(ids)), options)
        if self.dry_run or not ids:
            self._report(Rehearsal(self.kind, ids), missing)
            return
        operation = bulk.prepare(
            self.kind,
            ids,
            actor=audit.at_the_terminal(),
            action=self.name,
            reason=options["reason"],
            criteria={"selectors": named(options), **self.details()},
            priority=self.priority,
            foreground=True,
            foresee=False,
        )
        self._report(ForegroundRun.of(operation), missing)

    def _resume(self, options: dict[str, Any]) -> None:
        """What an earlier run, or the workers, have left."""
        names = (*NAMES, "priority")
        if given := [name for name in names if options.get(name) not in (None, False, [], ())]:
            raise UsageError("--resume", _("takes no selectors: %(given)s.") % {"given": given[0]})
        number = whole("--resume", options["resume"], 1, HIGHEST_ID)
        operation = BulkOperation.objects.filter(pk=number, kind=self.kind).first()
        if operation is None:
            text = _("there is no such operation of this command: %(number)d.")
            raise UsageError("--resume", text % {"number": number})
        left = operation.selected - operation.changed - operation.refused
        self.confirm(self.question(left), options)
        if self.dry_run:
            parts = operation.parts.filter(number__gte=operation.position).order_by("number")
            ids = [pk for part in parts.values_list("ids", flat=True) for pk in part]
            self._report(Rehearsal(self.kind, ids), [])
            return
        try:
            work = ForegroundRun.of(operation)
        except bulk.Lost:
            state = operation.get_state_display()
            text = _("The operation %(number)d is not stopped: %(state)s.")
            raise Failed(text % {"number": number, "state": state}) from None
        self._report(work, [])

    def _report(self, work: Rehearsal | ForegroundRun, missing: list[int]) -> None:
        """Do it, with a row for each task."""
        outcomes: Counter[str] = Counter()
        selected = work.size + len(missing)

        def rows(stop: StopRequest) -> Iterator[report.Row]:
            for row in chain(map(report.not_found, missing), work.rows(stop.is_set)):
                outcomes[row["outcome"]] += 1
                yield row

        def totals() -> dict[str, Any]:
            done = outcomes[OK]
            counts = {"done": done, "refused": outcomes.total() - done}
            return {"dry_run": self.dry_run, "selected": selected, **counts}

        with _rows_alone():
            interrupted = report.take(self, rows, selected, work, totals)
        if interrupted or outcomes.total() < selected:  # somebody has stopped it elsewhere
            done = outcomes[OK] if self.dry_run else work.count
            text = _("Interrupted; %(done)d were done.")
            if work.lost:
                text = _(
                    "Somebody has stopped the operation, or it was stopped because nothing took "
                    "its output for more than %(seconds)d s; %(done)d were done."
                )
            values = {"done": done, "seconds": bulk.LEASE.total_seconds()}
            raise PartlyDone(text % values + work.how_to_go_on(self.name))
        self._conclude(outcomes[OK], totals()["refused"])

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

    def _conclude(self, done: int, refused: int) -> None:
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


@contextmanager
def _rows_alone() -> Iterator[None]:
    """The rows tell of each analysis: the log, which goes to the same terminal, need not."""
    log = logging.getLogger("analysis.queue.cancel")
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)


def dry_run(text: str) -> str:
    return _("Dry run, nothing was changed: %(text)s") % {"text": text}
