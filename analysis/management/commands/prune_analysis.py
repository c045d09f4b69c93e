"""Delete analyses that ended long ago; failed ones are kept longer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis import queue
from analysis.management import terminal
from analysis.management.base import OperatorCommand, PartlyDone, UsageError
from analysis.management.selection import Selection, add_selectors, duration, read_selectors
from analysis.management.units import short
from analysis.models import Status
from arboris.db import db_now

ENDED = (Status.COMPLETED, Status.CANCELLED, Status.FAILED)
KEPT = timedelta(days=30)
FAILED_KEPT = timedelta(days=90)
Row = dict[str, Any]


class Command(OperatorCommand):
    about = gettext_lazy(
        "Delete analyses that ended long ago, in small batches: completed and cancelled ones\n"
        "after 30 days, failed ones after 90, unless other ages are given. Chapters, findings,\n"
        "the story bible, notifications and the counters of /metrics stay."
    )
    examples = (
        "--all --dry-run",
        "--older-than 30d --failed-older-than 90d --noinput",
        "--status cancelled --older-than 1d",
        "--all --limit 10000 --noinput --json",
    )
    changes = True

    def arguments(self, parser: CommandParser) -> None:
        add_selectors(parser)
        parser.add_argument(
            "--failed-older-than",
            metavar="AGE",
            help=_(
                "Failed ones that ended longer ago than this (here --older-than counts so too)."
            ),
        )

    def run(self, options: dict[str, Any]) -> None:
        selection = read_selectors(options)
        failed_age = duration("--failed-older-than", options["failed_older_than"])
        if not selection.given and failed_age is None:
            raise UsageError("", _("Say which analyses: --older-than, --status, … or --all."))
        live = [status.value for status in selection.statuses if status not in ENDED]
        if live:
            raise UsageError("--status", _("%s: only ended analyses are pruned.") % ", ".join(live))
        only = _narrowed(selection)
        rows = _plan(selection, failed_age, only)
        total = sum(row["count"] for row in rows)
        interrupted = False
        if total:
            text = ngettext("Delete %(n)d analysis?", "Delete %(n)d analyses?", total)
            self.confirm(text % {"n": total}, options)
        if total and not self.dry_run:
            interrupted = self._prune(rows, only, total, options["reason"])
        self._show(rows, interrupted)

    def _prune(self, rows: list[Row], only: Q, total: int, reason: str) -> bool:
        """Delete, and put what was really deleted into the rows; True when it was interrupted."""
        planned = [row["count"] for row in rows]
        for row in rows:
            row["count"] = 0
        try:
            with terminal.progress(self.err, self._name(), total) as advance:
                for row, limit in zip(rows, planned, strict=True):

                    def count(deleted: int, row: Row = row) -> None:
                        row["count"] += deleted
                        advance(deleted)

                    queue.prune(
                        [Status(row["status"])],
                        row["ended_before"],
                        progress=count,
                        only=only,
                        limit=limit,
                    )
        except KeyboardInterrupt:
            return True
        finally:
            self.record(f"{sum(row['count'] for row in rows)} deleted", reason)
        return False

    def _show(self, rows: list[Row], interrupted: bool) -> None:
        total = sum(row["count"] for row in rows)
        if self.json:
            self.data({"dry_run": self.dry_run, "deleted": total, "by_status": rows})
        now = db_now()
        for row in rows:
            age = short((now - row["ended_before"]).total_seconds())
            self.say(
                _("%(status)-10s ended over %(age)s ago: %(count)d")
                % {"status": row["status"], "age": age, "count": row["count"]}
            )
        text = ngettext("%(n)d analysis deleted.", "%(n)d analyses deleted.", total) % {"n": total}
        if interrupted:
            raise PartlyDone(_("Interrupted: %(text)s") % {"text": text})
        if self.dry_run:
            text = _("Dry run, nothing was changed: %(text)s") % {"text": text}
        self.say(text)


def _plan(selection: Selection, failed_age: timedelta | None, only: Q) -> list[Row]:
    """For each status from when on it is deleted, and how many that are."""
    now, left = db_now(), selection.limit
    rows: list[Row] = []
    for status in selection.statuses or ENDED:
        before = now - _age(status, selection, failed_age)
        found = queue.prunable([status], before, only)
        count = (found if left is None else found.order_by()[:left]).count()
        left = None if left is None else left - count
        rows.append({"status": status.value, "ended_before": before, "count": count})
        if left == 0:
            break
    return rows


def _age(status: Status, selection: Selection, failed_age: timedelta | None) -> timedelta:
    """How long ago a task of that status must have ended; failed ones are never kept shorter,
    unless the operator names them."""
    if status != Status.FAILED:
        return selection.older_than if selection.older_than is not None else KEPT
    if failed_age is not None:
        return failed_age
    if selection.older_than is None:
        return FAILED_KEPT
    if Status.FAILED in selection.statuses:
        return selection.older_than
    return max(FAILED_KEPT, selection.older_than)


def _narrowed(selection: Selection) -> Q:
    """The selectors beside status and age."""
    only = Q()
    if selection.ids:
        only &= Q(pk__in=selection.ids)
    if selection.error_types:
        only &= Q(error_type__in=selection.error_types)
    if selection.project:
        only &= Q(project_id=selection.project)
    if selection.user_id is not None:
        only &= Q(user_id=selection.user_id)
    return only
