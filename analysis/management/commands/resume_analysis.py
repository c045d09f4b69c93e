"""Let the workers claim again."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis import queue
from analysis.management.base import OperatorCommand
from analysis.management.commands.pause_analysis import conclude


class Command(OperatorCommand):
    about = gettext_lazy("Resume a paused queue and wake the workers.")
    examples = ("--noinput", "--dry-run")
    changes = True

    def run(self, options: dict[str, Any]) -> None:
        self.confirm(_("Resume the whole queue?"), options)
        if not self.dry_run:
            queue.resume()
            self.record("resumed", options["reason"])
        would, is_so = _("The queue would run again."), _("The queue runs.")
        conclude(self, would if self.dry_run else is_so)
