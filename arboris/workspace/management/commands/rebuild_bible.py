"""Fold story bibles anew from their findings and their writers' decisions."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.management.base import CommandParser
from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis import audit
from analysis.management import terminal
from analysis.management.base import Failed, OperatorCommand, PartlyDone, UsageError
from analysis.management.selection import find_project, find_user
from arboris.bible import service as bible_service
from arboris.db import in_transaction
from arboris.novels import services as novels
from arboris.novels.models import NovelProject

Novels = QuerySet[NovelProject]


class Command(OperatorCommand):
    about = gettext_lazy(
        "Fold story bibles anew from their findings and their writers' decisions.\n\n"
        "The outcome is the same bible, whatever befell its tables. Saving chapters of a novel "
        "waits\nwhile it is folded: 0.1 s for 20 chapters, some seconds for 2,000."
    )
    examples = (
        "--project 0f1c…",
        "--user lin --dry-run",
        "--all --noinput --json",
    )
    changes = True

    def arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--project", metavar="UUID", help=_("One novel."))
        which.add_argument("--user", metavar="NAME", help=_("All novels of one writer."))
        which.add_argument("--all", action="store_true", help=_("All novels."))

    def run(self, options: dict[str, Any]) -> None:
        rows = list(_selected(options).order_by("created_at", "pk").values_list("pk", "title"))
        if rows:
            self.confirm(_question(len(rows)), options)
        outcomes: list[dict[str, str]] = []
        with (
            terminal.between_steps() as stop,
            terminal.progress(self.err, self.name, len(rows)) as advance,
        ):
            for project_id, title in rows:
                if stop.is_set():
                    break
                outcomes.append(self._one(project_id, title))
                advance(1)
        self._conclude(outcomes, len(rows), options)

    def _one(self, project_id: uuid.UUID, title: str) -> dict[str, str]:
        outcome = "ok"
        if not self.dry_run:
            try:
                in_transaction(lambda: _rebuild(project_id))
            except NovelProject.DoesNotExist:
                outcome = "not_found"  # deleted meanwhile
            except DatabaseError as error:
                outcome = str(error)
        row = {"project_id": str(project_id), "title": title, "outcome": outcome}
        if not self.json:
            self.say(f"{project_id}  {terminal.one_line(title)}  {outcome}")
        return row

    def _conclude(self, rows: list[dict[str, str]], total: int, options: dict[str, Any]) -> None:
        done = sum(row["outcome"] == "ok" for row in rows)
        if done and not self.dry_run:
            details = {"projects": [row["project_id"] for row in rows][: audit.NAMED]}
            actor, reason = audit.at_the_terminal(), options["reason"]
            audit.record(actor, self.name, reason=reason, count=done, details=details)
        if self.json:
            self.data({"dry_run": self.dry_run, "selected": total, "done": done, "novels": rows})
        self.note(_result_line(done, dry_run=self.dry_run))
        if done < total:
            missed = _("%(missed)d of %(total)d were not.") % {
                "missed": total - done,
                "total": total,
            }
            raise PartlyDone(missed) if done else Failed(missed)


def _selected(options: dict[str, Any]) -> Novels:
    given = [name for name in ("project", "user", "all") if options.get(name)]
    if len(given) != 1:
        raise UsageError("", _("one of --project, --user and --all is required."))
    if options["project"]:
        return NovelProject.objects.filter(pk=find_project(options["project"]))
    if options["user"]:
        return NovelProject.objects.filter(owner=find_user(options["user"]))
    return NovelProject.objects.all()


def _rebuild(project_id: uuid.UUID) -> None:
    novels.lock_project(project_id)
    bible_service.rebuild(project_id)


def _question(count: int) -> str:
    text = ngettext("Fold %(count)d bible anew?", "Fold %(count)d bibles anew?", count)
    return text % {"count": count}


def _result_line(count: int, *, dry_run: bool) -> str:
    if dry_run:
        text = ngettext(
            "%(count)d bible would be folded anew.", "%(count)d bibles would be folded anew.", count
        )
    else:
        text = ngettext(
            "%(count)d bible was folded anew.", "%(count)d bibles were folded anew.", count
        )
    return text % {"count": count}
