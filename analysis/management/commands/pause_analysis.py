"""Stop claiming: what runs goes on to its end, nothing new begins."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis import audit, queue
from analysis.management import terminal
from analysis.management.base import OperatorCommand, PartlyDone, UsageError
from analysis.management.pause_target import NamedTarget, add_target, read_target
from analysis.management.selection import duration
from analysis.management.tasks import dry_run
from arboris.stop_request import StopRequest

LOOK_SECONDS = 0.25


class Command(OperatorCommand):
    about = gettext_lazy(
        "Pause the queue, one novel or one writer: running analyses end, no new one begins.\n\n"
        "--drain waits until the running ones have ended; exit 3 when they have not in time, "
        "or on\n"
        "Ctrl-C: the pause stays. resume_analysis ends it."
    )
    examples = (
        "--reason 'database moves' --noinput",
        "--drain --timeout 10m --reason 'new version' --noinput",
        "--project 0f1c… --reason 'too many chapters at once'",
        "--user lin --dry-run",
    )
    changes = True

    def arguments(self, parser: CommandParser) -> None:
        add_target(parser)
        parser.add_argument(
            "--drain", action="store_true", help=_("Wait until nothing of it is running.")
        )
        parser.add_argument(
            "--timeout",
            metavar="TIME",
            help=_("How long --drain waits: 90s, 10m (the default), 2h."),
        )

    def run(self, options: dict[str, Any]) -> None:
        what = read_target(options)
        if options["timeout"] is not None and not options["drain"]:
            raise UsageError("--timeout", _("goes with --drain."))
        patience = duration("--timeout", options["timeout"] or "10m")
        assert patience is not None
        self.confirm(_("Pause %(what)s?") % {"what": what.words}, options)
        drained: bool | None = None
        # From before the pause: whoever sees it in the database may already stop the wait for it.
        with terminal.between_steps() as stop:
            text = self._pause(what, options["reason"])
            if options["drain"] and not self.dry_run:
                drained = self._drain(what, patience.total_seconds(), stop)
        self._conclude(what, text, drained)

    def _pause(self, what: NamedTarget, reason: str) -> str:
        """What is paused already stays as it is, unless there is another reason now."""
        if self.dry_run:
            return dry_run(what.sentence(_("%(what)s would be paused.")))
        state = what.state()
        if state.at is not None and reason[:500] in ("", state.reason):
            return what.sentence(_("%(what)s was paused already."))
        actor = audit.at_the_terminal()
        pause = partial(queue.pause, reason, what.target, by=actor)
        audit.recorded(actor, self.name, pause, reason=reason, details=what.row())
        self.log(f"{what.row()} paused", reason)
        return what.sentence(_("%(what)s is paused."))

    def _drain(self, what: NamedTarget, seconds: float, stop: StopRequest) -> bool:
        """Wait until nothing of it is running; False when that has not come about."""
        ends, running = time.monotonic() + seconds, what.running()
        with terminal.progress(self.err, self.name, running) as advance:
            while running and not stop.wait(min(LOOK_SECONDS, max(0.0, ends - time.monotonic()))):
                if time.monotonic() >= ends:
                    break
                before, running = running, what.running()
                advance(before - running)
        return not what.running()

    def _conclude(self, what: NamedTarget, text: str, drained: bool | None) -> None:
        running = what.running()
        if self.json:
            self.data(document(self, what) | {"drained": drained})
        if drained is False:
            left = ngettext(
                "%(count)d analysis is still running.",
                "%(count)d analyses are still running.",
                running,
            )
            stays = _("The pause stays.")
            raise PartlyDone(f"{text} {left % {'count': running}} {stays}")
        if drained:
            nothing = _("Nothing of it is running.")
            text = f"{text} {nothing}"
        elif running:
            going_on = ngettext(
                "%(count)d analysis goes on to its end.",
                "%(count)d analyses go on to their end.",
                running,
            )
            text = f"{text} {going_on % {'count': running}}"
        self.say(text)


def document(command: OperatorCommand, what: NamedTarget) -> dict[str, Any]:
    """How it stands now, as JSON."""
    state = what.state()
    return {
        "dry_run": command.dry_run,
        "scope": what.row(),
        "paused": state.at is not None,
        "paused_at": state.at,
        "reason": state.reason,
        "running": what.running(),
    }
