"""Import a novel file for a writer and queue the analysis of its chapters."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis import audit
from analysis.management import terminal
from analysis.management.base import Failed, OperatorCommand, UsageError
from analysis.management.selection import find_user, whole
from arboris.db import db_now, in_transaction
from arboris.novels import trash
from arboris.novels.importing import SUFFIXES, ImportedChapter, ImportedNovel, NovelImportError
from arboris.novels.models import NovelProject
from arboris.novels.text import word_count
from arboris.workspace.chapters import service as chapters
from arboris.workspace.chapters.analysis_options import AnalysisOptions
from arboris.workspace.importing import service as importing


class Command(OperatorCommand):
    about = gettext_lazy(
        "Import a novel from a file for a writer: all of its chapters or none.\n\n"
        "Without --project it becomes a new novel, titled as the file says or by --title.\n"
        "An archive becomes an equal novel where the novel is new or empty."
    )
    examples = (
        "novel.epub --user lin --dry-run",
        "novel.txt --user lin --title 听雨楼",
        "volume2.md --user lin --project 0f1c… --priority 3",
    )

    changes = True
    asks = False
    dry_run_help = gettext_lazy("Show the chapters; import nothing.")

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help=", ".join(SUFFIXES))
        parser.add_argument("--user", required=True, metavar="NAME", help=_("The writer."))
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--project", metavar="UUID", help=_("Append to this novel of theirs."))
        where.add_argument("--title", metavar="TITLE", help=_("Title of the new novel."))
        parser.add_argument("--priority", default="5", metavar="N", help=_("1 to 10 (5)."))
        parser.add_argument(
            "--mode", default="enhanced", metavar="MODE", help=_("enhanced, or basic: no analysis.")
        )

    def run(self, options: dict[str, Any]) -> None:
        _analysis_options(options)
        user = find_user(options["user"])
        project = _project(options["project"], user.pk)
        title = _title(options["title"])
        novel, data = _read(Path(options["file"]))
        title = project.title if project else title or novel.title
        saved: list[chapters.SavedChapter] = []
        if not self.dry_run:
            project, saved = self._imported(options, novel, data, project)
        self._show(novel, project, title, saved)

    def _imported(
        self, options: dict[str, Any], novel: ImportedNovel, data: bytes, found: NovelProject | None
    ) -> tuple[NovelProject, list[chapters.SavedChapter]]:
        """All of it or nothing: a new novel is in the trash until all of it is there."""
        user = find_user(options["user"])
        title = _title(options["title"])
        project = found or NovelProject.objects.create(
            owner=user, title=title or novel.title, language=novel.language, deleted_at=db_now()
        )
        job = importing.Job(project, novel, data, _analysis_options(options))

        def work() -> list[chapters.SavedChapter]:
            if found is None:
                trash.restore_novel(project)
            saved = job.run()
            if found is None and title:  # an archive has its own
                NovelProject.objects.filter(pk=project.pk).update(title=title)
            details = {
                "user": options["user"],
                "project": str(project.pk),
                "title": title or project.title,
            }
            actor, reason = audit.at_the_terminal(), options["reason"]
            audit.record(actor, self.name, reason=reason, count=len(saved), details=details)
            return saved

        try:
            with terminal.progress(self.err, self.name, len(novel.chapters)) as advance:
                job.prepare(advance)
            return project, in_transaction(work)
        except (NovelImportError, importing.Changed) as error:
            raise Failed(str(error)) from error
        finally:
            job.discard()
            if found is None:
                NovelProject.everything.filter(pk=project.pk, deleted_at__isnull=False).delete()

    def _show(
        self,
        novel: ImportedNovel,
        project: NovelProject | None,
        title: str,
        saved: list[chapters.SavedChapter],
    ) -> None:
        rows = [_saved_row(item) for item in saved] or [_new_row(item) for item in novel.chapters]
        if self.json:
            self.data(
                {
                    "dry_run": self.dry_run,
                    "project_id": str(project.pk) if project else None,
                    "title": title,
                    "chapters": rows,
                    "set_aside": novel.set_aside,
                }
            )
            return
        for row in rows:
            cells = [str(row["chapter_number"] or "-"), str(row["word_count"]), row["title"]]
            self.stdout.write(terminal.columns(cells, (5, 8)))
        values = {"title": terminal.one_line(title), "count": len(rows)}
        if self.dry_run:
            self.stdout.write(_("Dry run: %(title)s, %(count)d chapters.") % values)
        else:
            values["project"] = str(project.pk) if project else ""
            self.stdout.write(_("Imported %(title)s (%(project)s), %(count)d chapters.") % values)


def _analysis_options(options: dict[str, Any]) -> AnalysisOptions:
    if options["mode"] not in {"enhanced", "basic"}:
        raise UsageError("--mode", _("%r is neither enhanced nor basic.") % options["mode"])
    return AnalysisOptions(options["mode"], whole("--priority", options["priority"], 1, 10))


def _project(value: Any, owner_id: int) -> NovelProject | None:
    if value is None:
        return None
    try:
        project_id = uuid.UUID(str(value))
    except ValueError:
        raise UsageError("--project", _("%(value)r is not a UUID.") % {"value": value}) from None
    project = NovelProject.objects.filter(pk=project_id, owner_id=owner_id).first()
    if project is None:
        raise UsageError("--project", _("this writer has no novel %(id)s.") % {"id": project_id})
    return project


def _title(value: str | None) -> str:
    title = (value or "").strip()
    if len(title) > 200 or (value is not None and not title):
        raise UsageError("--title", _("1 to 200 characters."))
    return title


def _read(path: Path) -> tuple[ImportedNovel, bytes]:
    try:
        with path.open("rb") as file:
            # An archive that was exported here is taken back, however large it is.
            is_archive = path.suffix.lower() == ".zip"
            data = file.read(-1 if is_archive else settings.ARBORIS_MAX_IMPORT_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError("FILE", f"{path}: {reason}") from error
    try:
        return importing.parse(path.name, data), data
    except NovelImportError as error:
        raise Failed(f"{path.name}: {error.message}") from error


def _saved_row(saved: chapters.SavedChapter) -> dict[str, Any]:
    chapter, task = saved.chapter, saved.task
    return {
        "id": chapter.pk,
        "chapter_number": chapter.chapter_number,
        "title": chapter.title,
        "word_count": chapter.word_count,
        "analysis": {"id": task.pk, "status": task.status} if task else None,
    }


def _new_row(new: ImportedChapter) -> dict[str, Any]:
    return {
        "id": None,
        "chapter_number": None,
        "title": new.title[:200],
        "word_count": word_count(new.content),
        "analysis": None,
    }
