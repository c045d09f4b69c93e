"""Let the workers claim again."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis import audit, queue
from analysis.management.base import OperatorCommand
from analysis.management.commands.pause_analysis import document
from analysis.management.pause_target import NamedTarget, add_target, read_target
from analysis.management.tasks import dry_run
from analysis.models import QueueControl, QueuePause
from analysis.queue import endpoints


class Command(OperatorCommand):
    about = gettext_lazy(
        "End the pause of the queue, of one novel, one writer or one endpoint, and wake the "
        "workers.\n\n"
        "Each pause is ended by itself: that of the whole queue leaves those of novels and writers."
    )
    examples = (
        "--noinput",
        "--project 0f1c… --noinput",
        "--endpoint api.example.com --reason 'new key' --noinput",
        "--dry-run",
    )
    changes = True

    def arguments(self, parser: CommandParser) -> None:
        add_target(parser, endpoint=True)

    def run(self, options: dict[str, Any]) -> None:
        what = read_target(options)
        resumed = what.state().at is not None
        if resumed:
            self.confirm(_("Resume %(what)s?") % {"what": what.words}, options)
            if not self.dry_run:
                resumed = self._resume(what, options["reason"])
        if not resumed:
            text = what.sentence(_("%(what)s is not paused."))
        elif self.dry_run:
            text = dry_run(what.sentence(_("%(what)s would run again.")))
        else:
            text = what.sentence(_("%(what)s runs again."))
        if self.json:
            self.data(document(self, what) | {"resumed": resumed and not self.dry_run})
        self.say(text)
        self._tell_of_others(what)

    def _resume(self, what: NamedTarget, reason: str) -> bool:
        resume = partial(queue.resume, what.target)
        if what.endpoint is not None:
            resume = partial(endpoints.resume, what.endpoint)
        actor = audit.at_the_terminal()
        resumed = audit.recorded(actor, self.name, resume, reason=reason, details=what.row())
        if resumed:
            self.log(f"{what.row()} resumed", reason)
        return resumed

    def _tell_of_others(self, what: NamedTarget) -> None:
        """A pause that is left may be why nothing begins even so."""
        everything = what.target.everything and what.endpoint is None
        if not everything and QueueControl.objects.get(pk=1).paused_at is not None:
            self.note(_("The queue as a whole is paused."))
        elif everything and (others := QueuePause.objects.count()):
            text = ngettext(
                "%(count)d novel or writer is still paused.",
                "%(count)d novels or writers are still paused.",
                others,
            )
            self.note(text % {"count": others})
