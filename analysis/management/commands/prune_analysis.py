"""Delete analyses that ended long ago; failed ones are kept longer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis import audit, queue
from analysis.management import report
from analysis.management.base import Failed, OperatorCommand, PartlyDone, UsageError
from analysis.management.selection import (
    Selection,
    add_selectors,
    duration,
    named,
    read_selectors,
)
from analysis.management.tasks import OK, dry_run
from analysis.management.units import short
from analysis.models import PendingAnalysis, Status
from arboris.db import db_now
from arboris.stop_request import StopRequest

ENDED = (Status.COMPLETED, Status.CANCELLED, Status.FAILED)
KEPT = timedelta(days=30)
FAILED_KEPT = timedelta(days=90)
BATCH = 200


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
        only = selection.subject()
        if selection.ids:
            only &= Q(pk__in=selection.ids)
        plans = _plan(selection, failed_age, only)
        total = sum(plan.count for plan in plans)
        if total:
            text = ngettext("Delete %(n)d analysis?", "Delete %(n)d analyses?", total)
            self.confirm(text % {"n": total}, options)
        ages = {"failed_older_than": str(failed_age)} if failed_age is not None else {}
        entry = self.entry(options, selectors=named(options) | ages)
        interrupted = report.take(
            self,
            lambda stop: self._rows(plans, only, entry, stop),
            total,
            entry,
            lambda: self._totals(plans),
        )
        self._conclude(plans, interrupted)

    def _rows(
        self, plans: list[Plan], only: Q, entry: audit.Entry, stop: StopRequest
    ) -> Iterator[report.Row]:
        """Delete batch by batch (or, rehearsing, only look); a row for each analysis."""
        for plan in plans:
            for ids in plan.batches(only):
                if stop.is_set():
                    return
                tasks = list(report.loaded(ids))
                kept = self._delete(plan, ids, only, entry)
                for task_id, task in tasks:
                    if task is None:
                        continue  # somebody else deleted it in between
                    row = report.task_row(task)
                    if task_id in kept:
                        reason = _("The analysis changed in this very moment.")
                        plan.refused += 1
                        yield {**row, "outcome": "changed", "reason": reason}
                    else:
                        plan.done += 1
                        yield {**row, "outcome": OK, "reason": ""}

    def _delete(self, plan: Plan, ids: list[int], only: Q, entry: audit.Entry) -> set[int]:
        """Returns those that are left, because they changed in between."""
        if self.dry_run:
            return set()
        return entry.step(
            lambda: plan.delete(ids, only), lambda kept: [pk for pk in ids if pk not in kept]
        )

    def _totals(self, plans: list[Plan]) -> report.Row:
        return {
            "dry_run": self.dry_run,
            "deleted": sum(plan.done for plan in plans),
            "by_status": [
                {"status": plan.status.value, "ended_before": plan.before, "count": plan.done}
                for plan in plans
            ],
        }

    def _conclude(self, plans: list[Plan], interrupted: bool) -> None:
        now = db_now()
        for plan in plans:
            age = short((now - plan.before).total_seconds())
            self.say(
                _("%(status)-10s ended over %(age)s ago: %(count)d")
                % {"status": plan.status.value, "age": age, "count": plan.done}
            )
        total = sum(plan.done for plan in plans)
        text = self._summary(total)
        if interrupted:
            raise PartlyDone(_("Interrupted: %(text)s") % {"text": text})
        if refused := sum(plan.refused for plan in plans):
            error = PartlyDone if total else Failed
            raise error(_("%(text)s Refused: %(refused)d.") % {"text": text, "refused": refused})
        self.say(text)

    def _summary(self, total: int) -> str:
        if self.dry_run:
            text = ngettext(
                "%(n)d analysis would be deleted.", "%(n)d analyses would be deleted.", total
            )
            return dry_run(text % {"n": total})
        return ngettext("%(n)d analysis deleted.", "%(n)d analyses deleted.", total) % {"n": total}


@dataclass(slots=True)
class Plan:
    """What is deleted of one status: those that ended ``before``, ``count`` of them at most."""

    status: Status
    before: datetime
    count: int
    done: int = 0
    refused: int = 0

    def batches(self, only: Q) -> Iterator[list[int]]:
        """Their ids in primary-key order, each once."""
        last, left = 0, self.count
        while left > 0:
            found = queue.prunable([self.status], self.before, only).filter(pk__gt=last)
            ids = list(found.order_by("pk").values_list("pk", flat=True)[: min(BATCH, left)])
            if not ids:
                return
            yield ids
            last, left = ids[-1], left - len(ids)

    def delete(self, ids: list[int], only: Q) -> set[int]:
        """Delete them; returns those that are left, because they changed in between."""
        queue.prune(
            [self.status], self.before, progress=lambda deleted: None, only=only & Q(pk__in=ids)
        )
        left = PendingAnalysis.objects.filter(pk__in=ids)
        return set(left.values_list("pk", flat=True))


def _plan(selection: Selection, failed_age: timedelta | None, only: Q) -> list[Plan]:
    """For each status from when on it is deleted, and how many that are."""
    now, left = db_now(), selection.limit
    plans: list[Plan] = []
    for status in selection.statuses or ENDED:
        before = now - _age(status, selection, failed_age)
        found = queue.prunable([status], before, only)
        count = (found if left is None else found.order_by()[:left]).count()
        left = None if left is None else left - count
        plans.append(Plan(status, before, count))
        if left == 0:
            break
    return plans


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
