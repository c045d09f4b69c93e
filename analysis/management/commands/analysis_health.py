"""Whether the whole can do its work, or why not: what /readyz says, for scripts and probes."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis import health
from analysis.management.base import Failed, OperatorCommand
from analysis.management.units import short


class Command(OperatorCommand):
    about = gettext_lazy(
        "Check database, broker, workers and queue; exit 1 when something is wrong.\n\n"
        "The same report as the address /readyz gives."
    )
    examples = ("", "--json")

    def run(self, options: dict[str, Any]) -> None:
        report = health.report()
        if self.json:
            self.data(report)
        elif "database" in report:
            self.stdout.write(_("Database: %(state)s") % {"state": report["database"]})
            self.stdout.write(_("Workers: %(count)d") % {"count": report["workers"]})
            self.stdout.write(_("Wake-ups: %(count)d") % {"count": report["broker"]["wakeups"]})
            oldest = short(report["oldest_pending_seconds"])
            self.stdout.write(_("Oldest due analysis waits: %(age)s") % {"age": oldest})
            if report["paused"]:
                self.stdout.write(_("The queue is paused."))
            if report["pauses"]:
                text = _("Paused novels and writers: %(count)d")
                self.stdout.write(text % {"count": report["pauses"]})
            for state in report["endpoints"]:
                text = _("The endpoint %(name)s refuses us: %(error_type)s")
                self.stdout.write(text % state)
        if report["status"] != "ok":
            raise Failed("\n".join(report["reasons"]))
        self.say(_("Everything is well."))
