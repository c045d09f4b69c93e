"""Reading an archive back into a novel that has nothing in it yet."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from analysis import queue
from analysis.models import PendingAnalysis, Status
from arboris.bible import portable
from arboris.bible.models import Decision
from arboris.db import in_transaction
from arboris.novels import services as novels
from arboris.novels.importing import novel_archive as archive
from arboris.novels.models import Chapter, ChapterVersion, NovelProject, Volume, WorkingCopy
from arboris.novels.text import word_count
from arboris.workspace.chapters import service as chapters
from arboris.workspace.chapters.analysis_options import AnalysisOptions, check_config


def is_empty(project_id: uuid.UUID) -> bool:
    """Whether an archive can become this novel: it holds nothing that could get lost."""
    return not (
        Chapter.everything.filter(project_id=project_id).exists()
        or Volume.objects.filter(project_id=project_id).exists()
        or Decision.objects.filter(project_id=project_id).exists()
    )


def restore(project_id: uuid.UUID, data: bytes, longest: int) -> list[chapters.SavedChapter] | None:
    """Make the novel that of the archive, with all that was known of it; the caller has checked
    whose it is. None where the novel is not empty (any more).

    ``longest``: characters that a text may have. What was analysed is not analysed again. Raises
    NovelImportError.
    """

    def work() -> list[chapters.SavedChapter] | None:
        project = novels.lock_project(project_id)
        if not is_empty(project_id):
            return None
        source = archive.NovelArchive(data)
        for name, value in source.manifest.novel.model_dump(exclude={"volumes"}).items():
            setattr(project, name, value)
        project.save(update_fields=["title", "genre", "synopsis", "language", "updated_at"])
        reader = _Reader(project, source, longest)
        saved = [reader.chapter(place) for place in range(1, source.manifest.chapters + 1)]
        reader.decisions()
        waiting = [one for one in saved if one.task and one.task.status == Status.PENDING]
        chapters.wake(waiting)
        return saved

    return in_transaction(work)


class _Reader:
    """Writes what an archive holds into one novel's tables, in the caller's transaction."""

    def __init__(self, project: NovelProject, source: archive.NovelArchive, longest: int) -> None:
        self._project = project
        self._source = source
        self._longest = longest
        self._ids: dict[int, int] = {}  # of the chapters, by their places
        self._number = 0
        self._volumes = [
            Volume.objects.create(project=project, title=title, position=position)
            for position, title in enumerate(source.manifest.novel.volumes, start=1)
        ]

    def chapter(self, place: int) -> chapters.SavedChapter:
        about = self._source.chapter(place)
        if about.number <= self._number:
            name = f"{archive.chapter_name(place)}: number"
            raise archive.wrong(name, _("they are not in order"))
        self._number = about.number
        chapter = Chapter.objects.create(
            project=self._project,
            chapter_number=about.number,
            volume=self._volumes[about.volume - 1] if about.volume else None,
            title=about.title,
            notes=about.notes,
            summary=about.summary,
            version=about.versions[-1].number,
        )
        self._ids[place] = chapter.pk
        for one in about.versions:
            version = self._version(place, chapter, one)
        _update(
            chapter,
            created_at=about.created_at,
            updated_at=about.updated_at,
            word_count=version.word_count,
        )
        if about.working is not None:
            self._working(place, chapter, about.working)
        return self._saved(place, chapter, version, about.analysis)

    def decisions(self) -> None:
        found = [
            portable.PortableDecision(one.action, one.params, one.created_at, one.undone_at)
            for one in self._source.decisions()
        ]
        try:
            portable.restore(self._project.pk, self._project.owner_id, found, self._ids)
        except portable.BadDecision as error:
            raise archive.wrong(archive.DECISIONS, _("this value is not allowed")) from error

    def _text(self, place: int, version: int) -> str:
        return self._bounded(archive.text_name(place, version), self._source.text(place, version))

    def _bounded(self, name: str, text: str) -> str:
        if len(text) > self._longest:
            said = _("The text has %(length)d characters; %(limit)d are allowed.")
            reason = said % {"length": len(text), "limit": self._longest}
            raise archive.wrong(name, reason.rstrip(".。"))
        return text

    def _version(
        self, place: int, chapter: Chapter, about: archive.ArchivedVersion
    ) -> ChapterVersion:
        content = self._text(place, about.number)
        version = ChapterVersion.objects.create(
            chapter=chapter,
            number=about.number,
            name=about.name,
            source=about.source,
            content=content,
            word_count=word_count(content),
        )
        _update(version, created_at=about.created_at)
        if about.findings:
            self._findings(place, chapter, version)
        return version

    def _findings(self, place: int, chapter: Chapter, version: ChapterVersion) -> None:
        found = [
            portable.PortableFinding(**one.model_dump())
            for one in self._source.findings(place, version.number)
        ]
        try:
            portable.add_findings(self._project.pk, chapter.pk, version.pk, found)
        except ValueError as error:
            name = archive.findings_name(place, version.number)
            raise archive.wrong(name, _("this value is not allowed")) from error

    def _working(self, place: int, chapter: Chapter, about: archive.ArchivedWorkingCopy) -> None:
        name = archive.working_name(place)
        WorkingCopy.objects.create(
            chapter=chapter,
            content=self._bounded(name, self._source.working_text(place)),
            title=about.title,
            client="archive",
            seq=0,
            saved_at=about.saved_at,
        )

    def _saved(
        self,
        place: int,
        chapter: Chapter,
        version: ChapterVersion,
        analysis: archive.ArchivedAnalysis | None,
    ) -> chapters.SavedChapter:
        task: PendingAnalysis | None = None
        if analysis is not None:
            try:
                config = check_config(analysis.generation_config)
            except serializers.ValidationError as error:
                name = f"{archive.chapter_name(place)}: analysis.generation_config"
                raise archive.wrong(name, _("this value is not allowed")) from error
            if analysis.completed_at is None:
                options = AnalysisOptions(priority=analysis.priority, config=config)
                return chapters.enqueue(chapter, version, options)
            task = queue.adopt(
                chapter,
                version,
                priority=analysis.priority,
                config=config,
                completed_at=analysis.completed_at,
            )
        source = ChapterVersion.Source(version.source)
        return chapters.SavedChapter(chapter, version.content, task, source=source)


def _update(row: Any, **values: Any) -> None:
    """Of the times, Django's own writes that of the insert."""
    type(row)._default_manager.filter(pk=row.pk).update(**values)
    for name, value in values.items():
        setattr(row, name, value)
