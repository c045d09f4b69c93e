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
from arboris.db import in_transaction
from arboris.novels import services as novels
from arboris.novels.importing import (
    SUFFIXES,
    ImportedNovel,
    ImportLimits,
    NovelImportError,
    parse_novel,
)
from arboris.novels.models import ChapterVersion, NovelProject
from arboris.workspace.archive import restore
from arboris.workspace.chapters import service as chapters
from arboris.workspace.chapters.analysis_options import AnalysisOptions


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
        analysis = _analysis_options(options)
        user = find_user(options["user"])
        project = _project(options["project"], user.pk)
        title = _title(options["title"])
        novel, data = _read(Path(options["file"]))
        language = project.language if project else novel.language
        new = self._new_chapters(novel)
        title = project.title if project else title or novel.title
        saved: list[chapters.SavedChapter] = []
        if not self.dry_run:

            def work() -> tuple[NovelProject, list[chapters.SavedChapter]]:
                added = project or _new_project(user.pk, title, language)
                its = _restored(added, novel, data, options["title"])
                if its is None:
                    its = chapters.add(added.pk, new, analysis)
                details = {"user": options["user"], "project": str(added.pk), "title": title}
                actor, count = audit.at_the_terminal(), len(its)
                reason = options["reason"]
                audit.record(actor, self.name, reason=reason, count=count, details=details)
                return added, its

            project, saved = in_transaction(work)
        self._show(novel, project, title, new, saved)

    def _new_chapters(self, novel: ImportedNovel) -> list[chapters.NewChapter]:
        """Summaries and word counts are computed before any transaction is opened."""
        new = []
        with terminal.progress(self.err, self.name, len(novel.chapters)) as advance:
            for item in novel.chapters:
                if len(item.content) > settings.ARBORIS_MAX_CHAPTER_CHARS:
                    raise Failed(
                        _("Chapter %(number)d has %(length)d characters; %(limit)d are allowed.")
                        % {
                            "number": item.number,
                            "length": len(item.content),
                            "limit": settings.ARBORIS_MAX_CHAPTER_CHARS,
                        }
                    )
                text = novels.ChapterText.of(item.content, ChapterVersion.Source.IMPORTED)
                new.append(chapters.NewChapter(text, title=item.title[:200]))
                advance(1)
        return new

    def _show(
        self,
        novel: ImportedNovel,
        project: NovelProject | None,
        title: str,
        new: list[chapters.NewChapter],
        saved: list[chapters.SavedChapter],
    ) -> None:
        rows = [_saved_row(item) for item in saved] or [_new_row(item) for item in new]
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
    limits = ImportLimits(file_bytes=settings.ARBORIS_MAX_IMPORT_BYTES)
    try:
        with path.open("rb") as file:
            data = file.read(limits.file_bytes + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError("FILE", f"{path}: {reason}") from error
    try:
        return parse_novel(path.name, data, limits), data
    except NovelImportError as error:
        raise Failed(f"{path.name}: {error.message}") from error


def _new_project(owner_id: int, title: str, language: str) -> NovelProject:
    return NovelProject.objects.create(owner_id=owner_id, title=title, language=language)


def _restored(
    project: NovelProject, novel: ImportedNovel, data: bytes, title: str | None
) -> list[chapters.SavedChapter] | None:
    """The chapters of an archive that became the novel; None where the file's texts are added."""
    if not novel.is_archive:
        return None
    try:
        saved = restore.restore(project.pk, data, settings.ARBORIS_MAX_CHAPTER_CHARS)
    except NovelImportError as error:
        raise Failed(error.message) from error
    if saved is not None and title:
        NovelProject.objects.filter(pk=project.pk).update(title=_title(title))
    return saved


def _saved_row(saved: chapters.SavedChapter) -> dict[str, Any]:
    chapter, task = saved.chapter, saved.task
    return {
        "id": chapter.pk,
        "chapter_number": chapter.chapter_number,
        "title": chapter.title,
        "word_count": chapter.word_count,
        "analysis": {"id": task.pk, "status": task.status} if task else None,
    }


def _new_row(new: chapters.NewChapter) -> dict[str, Any]:
    return {
        "id": None,
        "chapter_number": None,
        "title": new.title,
        "word_count": new.text.words,
        "analysis": None,
    }
