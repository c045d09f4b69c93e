"""How the queue stands: counts, what waits, who works, what fails."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rich.console import Console
from rich.live import Live

from analysis.management import report, status_view, terminal
from analysis.management.base import OperatorCommand, UsageError
from analysis.management.selection import Selection, add_selectors, read_selectors
from analysis.management.units import short
from arboris.db import db_now

LISTING = {"ids", "status", "error_type", "group", "older_than", "limit", "all"}
LISTED = 50
SHORTEST, LONGEST, USUAL = 0.2, 3600.0, 2.0


class Command(OperatorCommand):
    about = gettext_lazy(
        "Show counts, the oldest pending analysis, workers, and recent failures grouped by "
        "error.\n\n"
        "--project and --user narrow all of it; other selectors list the analyses that fit, 50 of\n"
        "them unless --limit or --all is given."
    )
    examples = (
        "",
        "--watch",
        "--watch 5 --user lin",
        "--status failed --limit 20",
        "17 18 --json",
    )

    def arguments(self, parser: CommandParser) -> None:
        add_selectors(parser)
        parser.add_argument(
            "--watch",
            nargs="?",
            const=str(USUAL),
            metavar="SECONDS",
            help=_("Look again every so many seconds (2) until Ctrl-C; on a terminal."),
        )

    def run(self, options: dict[str, Any]) -> None:
        selection = read_selectors(options)
        if options["watch"] is not None:
            self._watch(selection, _seconds(options["watch"]))
            return
        seen = status_view.look(selection)
        listed = self._listed(selection) if selection.given & LISTING else None
        if self.json:
            self.data(seen if listed is None else {**seen, "tasks": listed})
            return
        self.console().print(status_view.draw(seen))
        now = db_now()
        if listed:
            self.stdout.write(report.head())
        for row in listed or []:
            self.stdout.write(report.line(row, now))

    def _listed(self, selection: Selection) -> list[report.Row]:
        rows: list[report.Row] = []
        at_most = sys.maxsize if selection.all or selection.limit or selection.ids else LISTED
        for ids in selection.batches(selection.tasks()):
            rows += [report.task_row(task) for _pk, task in report.loaded(ids) if task]
            if len(rows) >= at_most:
                break
        missing = [
            {"id": pk, "reason": _("There is no such analysis.")} for pk in selection.missing()
        ]
        return missing + rows[:at_most]

    def _watch(self, selection: Selection, seconds: float) -> None:
        if self.json or not self.stdout.isatty():
            raise UsageError("--watch", _("needs a terminal, and no --json."))
        with (
            terminal.between_steps() as stop,
            Live(console=self.console(), auto_refresh=False, screen=True) as view,
        ):
            view.update(status_view.draw(status_view.look(selection)), refresh=True)
            while not stop.wait(seconds):
                view.update(status_view.draw(status_view.look(selection)), refresh=True)
        self.note(_("Watched every %(age)s.") % {"age": short(seconds)})

    def console(self) -> Console:
        return Console(file=self.out, width=None if self.stdout.isatty() else 120, highlight=False)


def _seconds(value: Any) -> float:
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = -1
    if not SHORTEST <= seconds <= LONGEST:
        raise UsageError(
            "--watch",
            _("%(value)r is not a number of seconds from 0.2 to 3600.") % {"value": value},
        )
    return seconds
