"""Stop claiming: what runs goes on to its end, nothing new begins."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis import queue
from analysis.management.base import OperatorCommand
from analysis.management.tasks import dry_run
from analysis.models import QueueControl


class Command(OperatorCommand):
    about = gettext_lazy("Pause the queue: running analyses end, no new one begins.")
    examples = ("--reason 'database moves' --noinput", "--dry-run")
    changes = True

    def run(self, options: dict[str, Any]) -> None:
        self.confirm(_("Pause the whole queue?"), options)
        if not self.dry_run:
            queue.pause(options["reason"])
            self.record("paused", options["reason"])
        would, is_so = _("The queue would be paused."), _("The queue is paused.")
        conclude(self, would if self.dry_run else is_so)


def conclude(command: OperatorCommand, text: str) -> None:
    """Say, or give as JSON, how the queue stands now."""
    command.say(dry_run(text) if command.dry_run else text)
    if command.json:
        control = QueueControl.objects.get(pk=1)
        command.data(
            {
                "dry_run": command.dry_run,
                "paused": control.paused_at is not None,
                "paused_at": control.paused_at,
                "reason": control.paused_reason,
            }
        )
