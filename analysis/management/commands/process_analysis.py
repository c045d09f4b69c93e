"""Work through what is due, here and now, without a cluster."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis import audit, queue, run_analysis
from analysis.api.waiting import sentence
from analysis.management import report, terminal
from analysis.management.base import Failed, OperatorCommand, PartlyDone, UsageError
from analysis.management.selection import (
    HIGHEST_ID,
    Selection,
    Tasks,
    add_selectors,
    named,
    read_selectors,
)
from analysis.models import PendingAnalysis, QueueControl, Status, WorkerHeartbeat
from analysis.queue import Claim, due
from analysis.worker.steward import Steward
from arboris.db import db_now

DUE, GONE = "due", "gone"
RUN = (*Status.values, GONE)
MOST = 1_000_000  # rows that a dry run looks at


class Command(OperatorCommand):
    about = gettext_lazy(
        "Run the analyses that are due in the foreground, in the queue's order, until none is "
        "due.\n\n"
        "Selectors narrow it to some of them. May run beside a cluster; pauses and limits hold "
        "for\n"
        "it too. Ctrl-C gives the running analysis back to the queue; its finished features are\n"
        "kept. Exit 3 when some did not complete."
    )
    examples = (
        "",
        "--once",
        "17 18 --reason 'the writer waits for them'",
        "--project 0f1c… --limit 10 --json",
        "--dry-run",
    )
    changes = True
    asks = False
    dry_run_help = gettext_lazy("Show what is due, in its order; run nothing.")

    def arguments(self, parser: CommandParser) -> None:
        add_selectors(parser)
        parser.add_argument("--once", action="store_true", help=_("Stop after one."))

    def run(self, options: dict[str, Any]) -> None:
        selection = read_selectors(options)
        if wrong := [word.value for word in selection.statuses if word != Status.PENDING]:
            values = {"wrong": ", ".join(wrong), "allowed": Status.PENDING.value}
            text = _("%(wrong)s: this command acts on %(allowed)s.")
            raise UsageError("--status", text % values)
        limit = 1 if options["once"] else selection.limit or HIGHEST_ID
        control = QueueControl.objects.get(pk=1)
        paused = control.paused_at is not None
        if paused:
            text = _("The queue is paused (%(reason)s); resume_analysis lets it run.")
            self.note(text % {"reason": control.paused_reason or "-"})
        out = report.Report(self.stdout, as_document=self.json, now=db_now())
        entry = self.entry(options, selectors=named(options))
        ends: Counter[str] = Counter()
        steward = Steward()
        try:
            for row in self._rows(steward, selection, limit, entry):
                out.add(row)
                ends[row["outcome"]] += 1
        except KeyboardInterrupt:  # the second one: the lease of what was running will end
            steward.stopping.set()
        finally:
            totals = {"dry_run": self.dry_run, "paused": paused, **_totals(ends)}
            out.close({**totals, "interrupted": steward.stopping.is_set()})
            self.close(entry, interrupted=steward.stopping.is_set())
        self._conclude(ends, steward.stopping.is_set(), selection)

    def _rows(
        self, steward: Steward, selection: Selection, limit: int, entry: audit.Entry
    ) -> Iterator[report.Row]:
        only = _narrowed(selection)
        seen: set[int] = set()
        if self.dry_run:
            rows = _due(min(limit, MOST), only)
        else:
            rows = self._work(steward, limit, only, entry)
        for row in rows:
            seen.add(row["id"])
            yield row
        if selection.ids and len(seen) < limit and not steward.stopping.is_set():
            yield from _left(selection, seen)

    def _work(
        self, steward: Steward, limit: int, only: Tasks | None, entry: audit.Entry
    ) -> Iterator[report.Row]:
        endpoint = queue.configured()
        total = len(due.first(endpoint, min(limit, MOST), only)) if self.err.isatty() else 0
        done = 0
        with running(steward, self), terminal.progress(self.err, self.name, total) as advance:
            while done < limit and not steward.stopping.is_set():
                claim = queue.claim(steward.worker, endpoint, only=only)
                if claim is None:
                    return
                row = _run(claim, steward)
                entry.step(lambda: None, lambda _, row=row: [row["id"]])  # type: ignore[misc]
                done += 1
                advance(1)
                yield row

    def _conclude(self, ends: Counter[str], interrupted: bool, selection: Selection) -> None:
        totals = _totals(ends)
        refused = sum(ends.values()) - totals["run"] - ends[DUE]
        if self.dry_run:
            text = _("Dry run: %(due)d are due.") % {"due": ends[DUE]}
        else:
            text = _("%(completed)d completed, %(failed)d failed, %(retried)d to be tried again.")
            text = text % totals
        pending = selection.tasks().filter(status=Status.PENDING, due_at__gt=db_now())
        if not self.dry_run and not selection.ids and (later := pending.count()):
            text += " " + _("%(later)d are due later.") % {"later": later}
        if interrupted:
            raise PartlyDone(_("Interrupted: %(text)s") % {"text": text})
        if refused:
            error = PartlyDone if totals["run"] or ends[DUE] else Failed
            raise error(_("%(text)s Refused: %(refused)d.") % {"text": text, "refused": refused})
        if totals["failed"] or totals["retried"]:
            raise PartlyDone(text)
        self.say(text)


def _narrowed(selection: Selection) -> Tasks | None:
    """The selected tasks; None where everything may run."""
    if not selection.given - {"all", "limit", "status"}:
        return None
    tasks = selection.tasks()
    return tasks.filter(pk__in=selection.ids) if selection.ids else tasks


def _run(claim: Claim, steward: Steward) -> report.Row:
    """Work on one claim; the row says how it ended."""
    with steward.looking_after(claim):
        run_analysis.run(claim, steward)
    ((_pk, task),) = report.loaded([claim.task_id])
    if task is None:  # its chapter was deleted meanwhile
        return {"id": claim.task_id, "outcome": GONE, "reason": _("The chapter was deleted.")}
    row = report.task_row(task)
    row["duration_seconds"] = task.duration_seconds
    return {**row, "outcome": task.status, "reason": ""}


def _due(limit: int, only: Tasks | None) -> Iterator[report.Row]:
    """What is due in the order in which it would be claimed."""
    for _pk, task in report.loaded(due.first(queue.configured(), limit, only)):
        if task is not None:
            yield {**report.task_row(task), "outcome": DUE, "reason": ""}


def _left(selection: Selection, seen: set[int]) -> Iterator[report.Row]:
    """What was asked for by its number and could not be run, with the reason."""
    for task_id, task in report.loaded(sorted(set(selection.ids) - seen)):
        yield report.not_found(task_id) if task is None else _why_not(task)


def _why_not(task: PendingAnalysis) -> report.Row:
    held = queue.blocked_reason(task, queue.configured())
    if task.status != Status.PENDING:
        code, reason = "not_pending", _("Only a pending analysis can be run.")
    elif held is None:
        code, reason = "left_out", _("It was not due, or other selectors leave it out.")
    elif held.code == "writer_paused":  # the API says it to the writer
        code, reason = held.code, _("The analyses of this writer are paused.")
    else:
        code, reason = held.code, sentence(held)
    return {**report.task_row(task), "outcome": code, "reason": reason}


def _totals(ends: Counter[str]) -> dict[str, int]:
    return {
        "run": sum(ends[outcome] for outcome in RUN),
        "completed": ends[Status.COMPLETED],
        "failed": ends[Status.FAILED],
        "retried": ends[Status.PENDING],
    }


@contextmanager
def running(steward: Steward, command: OperatorCommand) -> Iterator[None]:
    """The steward at work, with Ctrl-C and SIGTERM asking it to stop; a second one ends at once.

    The command's rows tell how each analysis ended: the log tells of what went wrong alone.
    """

    def stop() -> None:
        steward.stopping.set()
        command.note(_("Stopping: the running analysis goes back to the queue (again: at once)."))

    with terminal.asking(stop):
        steward.start()
        level = run_analysis.log.level
        run_analysis.log.setLevel(logging.WARNING)
        try:
            yield
        finally:
            run_analysis.log.setLevel(level)
            steward.stop()
            WorkerHeartbeat.objects.filter(worker=steward.worker).delete()
