"""One analysis: how it stands, why it waits, what was tried, and who did what."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rich.console import Console

from analysis import task_detail
from analysis.management import task_view
from analysis.management.base import Failed, OperatorCommand
from analysis.management.selection import HIGHEST_ID, whole
from analysis.models import PendingAnalysis


class Command(OperatorCommand):
    about = gettext_lazy(
        "Show one analysis: how it stands, why it waits, its attempts, calls to language models\n"
        "with tokens and cost, its notifications, and what people did to it. Times are in UTC."
    )
    examples = ("17", "17 --json")

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", metavar="ID", help=_("Number of the analysis."))

    def run(self, options: dict[str, Any]) -> None:
        task_id = whole("ID", options["id"], 1, HIGHEST_ID)
        try:
            seen = task_detail.look(task_id)
        except PendingAnalysis.DoesNotExist:
            raise Failed(_("There is no such analysis.")) from None
        if self.json:
            self.data(seen)
            return
        width = None if self.stdout.isatty() else 160
        Console(file=self.out, width=width, highlight=False).print(task_view.draw(seen))
