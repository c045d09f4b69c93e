"""Work through what is due, here and now, without a cluster."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis import queue, services
from analysis.management import report, terminal
from analysis.management.base import OperatorCommand, PartlyDone
from analysis.management.selection import HIGHEST_ID, whole
from analysis.models import PendingAnalysis, QueueControl, Status, WorkerHeartbeat
from analysis.queue import Claim
from analysis.steward import Steward
from arboris.db import db_now


class Command(OperatorCommand):
    about = gettext_lazy(
        "Run the analyses that are due in the foreground, by priority and age, until none is due.\n\n"
        "May run beside a cluster. Ctrl-C gives the running analysis back to the queue; its\n"
        "finished features are kept. Exit 3 when some did not complete."
    )
    examples = ("", "--once", "--limit 10 --json", "--dry-run")

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", metavar="N", help=_("Stop after so many."))
        parser.add_argument("--once", action="store_true", help=_("Stop after one."))
        parser.add_argument(
            "--dry-run", action="store_true", help=_("Show what is due, in its order; run nothing.")
        )
        parser.add_argument(
            "--noinput", "--no-input", action="store_true", help=_("No effect: nothing is asked.")
        )

    def run(self, options: dict[str, Any]) -> None:
        given = options["limit"]
        limit = HIGHEST_ID if given is None else whole("--limit", given, 1, HIGHEST_ID)
        if options["once"]:
            limit = 1
        control = QueueControl.objects.get(pk=1)
        if control.paused_at is not None:
            text = _("The queue is paused (%(reason)s); resume_analysis lets it run.")
            self.note(text % {"reason": control.paused_reason or "-"})
        out = report.Report(self.stdout, as_document=self.json, now=db_now())
        ends: Counter[str] = Counter()
        keeper = Steward()
        paused = control.paused_at is not None
        try:
            if self.dry_run:
                for row in _due(0 if paused else limit):
                    out.add(row)
                    ends["due"] += 1
            else:
                with running(keeper, self):
                    self._work(keeper, limit, out, ends)
        finally:
            totals = {"dry_run": self.dry_run, "paused": paused, **_totals(ends)}
            out.close({**totals, "interrupted": keeper.stopping.is_set()})
        self._conclude(ends, keeper.stopping.is_set())

    def _work(self, keeper: Steward, limit: int, out: report.Report, ends: Counter[str]) -> None:
        waiting = PendingAnalysis.objects.filter(status=Status.PENDING, due_at__lte=db_now())
        total = waiting.order_by()[:limit].count() if self.err.isatty() else 0
        with terminal.progress(self.err, self._name(), total) as advance:
            while ends.total() < limit and not keeper.stopping.is_set():
                claim = queue.claim(keeper.worker, queue.configured())
                if claim is None:
                    return
                row = _run(claim, keeper)
                out.add(row)
                ends[row["outcome"]] += 1
                advance(1)

    def _conclude(self, ends: Counter[str], interrupted: bool) -> None:
        totals = _totals(ends)
        if self.dry_run:
            self.say(_("Dry run: %(due)d are due.") % {"due": ends["due"]})
            return
        text = _("%(completed)d completed, %(failed)d failed, %(retried)d to be tried again.")
        text = text % totals
        later = PendingAnalysis.objects.filter(status=Status.PENDING, due_at__gt=db_now()).count()
        if later:
            text += " " + _("%(later)d are due later.") % {"later": later}
        if interrupted:
            raise PartlyDone(_("Interrupted: %(text)s") % {"text": text})
        if totals["failed"] or totals["retried"]:
            raise PartlyDone(text)
        self.say(text)


def _run(claim: Claim, keeper: Steward) -> report.Row:
    """Work on one claim; the row says how it ended."""
    keeper.hold(claim)
    try:
        services.run(claim, keeper)
    finally:
        keeper.hold(None)
    task = report.load([claim.task_id]).get(claim.task_id)
    if task is None:  # its chapter was deleted meanwhile
        return {"id": claim.task_id, "outcome": "gone", "reason": _("The chapter was deleted.")}
    row = report.task_row(task)
    row["duration_seconds"] = task.duration_seconds
    return {**row, "outcome": task.status, "reason": ""}


def _due(limit: int) -> Iterator[report.Row]:
    """What is due in the order in which it would be claimed."""
    due = PendingAnalysis.objects.filter(status=Status.PENDING, due_at__lte=db_now())
    ordered = due.select_related(*report.LOADED).defer(*report.HEAVY)
    for task in ordered.order_by("-priority", "created_at", "id")[:limit].iterator(500):
        yield {**report.task_row(task), "outcome": "due", "reason": ""}


def _totals(ends: Counter[str]) -> dict[str, int]:
    return {
        "run": ends.total() - ends["due"],
        "completed": ends[Status.COMPLETED],
        "failed": ends[Status.FAILED],
        "retried": ends[Status.PENDING],
    }


@contextmanager
def running(keeper: Steward, command: OperatorCommand) -> Iterator[None]:
    """The steward at work, with Ctrl-C and SIGTERM asking it to stop; a second one ends at once."""

    def stop(number: int, frame: object) -> None:
        if keeper.stopping.is_set():
            raise KeyboardInterrupt
        keeper.stopping.set()
        command.note(_("Stopping: the running analysis goes back to the queue (again: at once)."))

    in_main = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGINT, signal.SIGTERM) if in_main else ()
    before = {number: signal.signal(number, stop) for number in numbers}
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
        WorkerHeartbeat.objects.filter(worker=keeper.worker).delete()
