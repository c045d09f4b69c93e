"""Stop claiming: what runs goes on to its end, nothing new begins."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis import queue
from analysis.management.base import OperatorCommand
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
        conclude(self, _("The queue is paused."))


def conclude(command: OperatorCommand, text: str) -> None:
    """Say, or give as JSON, how the queue stands now."""
    if command.dry_run:
        text = _("Dry run, nothing was changed: %(text)s") % {"text": text}
    command.say(text)
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
