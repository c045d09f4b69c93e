"""Cancel pending or running analyses."""

from __future__ import annotations

from django.utils.translation import gettext_lazy, ngettext

from analysis.management.tasks import TaskCommand
from analysis.models import BulkOperation, Status


class Command(TaskCommand):
    about = gettext_lazy(
        "Cancel pending or running analyses; a running one stops within seconds.\n\n"
        "Without --status or ids it takes both. Their writers are told."
    )
    examples = (
        "17",
        "--status pending --older-than 1d --dry-run",
        "--user lin --noinput",
        "--all --reason 'wrong model configured'",
    )
    kind = BulkOperation.Kind.CANCEL
    acts_on = (Status.PENDING, Status.PROCESSING)
    by_default = acts_on

    def question(self, count: int) -> str:
        text = ngettext("Cancel %(count)d analysis?", "Cancel %(count)d analyses?", count)
        return text % {"count": count}

    def summary(self, count: int) -> str:
        text = ngettext(
            "%(count)d analysis was cancelled.", "%(count)d analyses were cancelled.", count
        )
        return text % {"count": count}

    def dry_run_summary(self, count: int) -> str:
        text = ngettext(
            "%(count)d analysis would be cancelled.",
            "%(count)d analyses would be cancelled.",
            count,
        )
        return text % {"count": count}
