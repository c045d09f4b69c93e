"""Put failed or cancelled analyses back into the queue."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis.management.selection import Tasks, whole
from analysis.management.tasks import TaskCommand
from analysis.models import BulkOperation, Status


class Command(TaskCommand):
    about = gettext_lazy(
        "Put failed or cancelled analyses back into the queue.\n\n"
        "Features that were done stay done. Without --status or ids it takes failed ones. What\n"
        "filters find leaves out analyses whose chapter has a newer text: they are out of date."
    )
    examples = (
        "17 18",
        "--error-type timeout --dry-run",
        "--group 3f1c9a0b7d2e4c55 --limit 1",
        "--user lin --older-than 2h --priority 8",
        "--status failed,cancelled --project 0f1c… --noinput --json",
        "--all --limit 100 --reason 'endpoint is back'",
    )
    kind = BulkOperation.Kind.RETRY
    acts_on = (Status.FAILED, Status.CANCELLED)
    by_default = (Status.FAILED,)

    def arguments(self, parser: CommandParser) -> None:
        super().arguments(parser)
        parser.add_argument("--priority", metavar="N", help=_("Give them this priority (1 to 10)."))

    def run(self, options: dict[str, Any]) -> None:
        given = options["priority"]
        self.priority = None if given is None else whole("--priority", given, 1, 10)
        super().run(options)

    def question(self, count: int) -> str:
        text = ngettext("Retry %(count)d analysis?", "Retry %(count)d analyses?", count)
        return text % {"count": count}

    def summary(self, count: int) -> str:
        text = ngettext(
            "%(count)d analysis is back in the queue.",
            "%(count)d analyses are back in the queue.",
            count,
        )
        return text % {"count": count}

    def dry_run_summary(self, count: int) -> str:
        text = ngettext(
            "%(count)d analysis would go back into the queue.",
            "%(count)d analyses would go back into the queue.",
            count,
        )
        return text % {"count": count}

    def details(self) -> dict[str, Any]:
        return {} if self.priority is None else {"priority": self.priority}

    def narrow(self, tasks: Tasks) -> Tasks:
        return tasks.filter(
            version__number=F("chapter__version"),
            chapter__deleted_at=None,
            project__deleted_at=None,
        )
