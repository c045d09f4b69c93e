"""Reading an archive back into a novel that has nothing in it yet."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import serializers

from analysis import queue
from analysis.models import PendingAnalysis
from arboris.bible import portable
from arboris.bible.models import Decision, Finding
from arboris.novels import making
from arboris.novels.importing import novel_archive as archive
from arboris.novels.models import Chapter, ChapterVersion, NovelProject, Volume, WorkingCopy
from arboris.novels.text import word_count
from arboris.workspace.chapters import service as chapters
from arboris.workspace.chapters.analysis_options import AnalysisOptions, check_config


def is_empty(project_id: uuid.UUID) -> bool:
    """Whether an archive can become this novel: it holds nothing that could get lost."""
    return not (
        Chapter.everything.filter(project_id=project_id, unfinished=False).exists()
        or Volume.objects.filter(project_id=project_id).exists()
        or Decision.objects.filter(project_id=project_id).exists()
    )


class Restoration:
    """A novel that an archive becomes: its chapters are made in steps, and appear all at once.

    The novel, which belongs to whoever asked, is empty.
    """

    def __init__(self, project: NovelProject, data: bytes, longest: int) -> None:
        """``longest``: characters that a text may have. Raises NovelImportError."""
        self._project = project
        self._source = archive.NovelArchive(data)
        self._longest = longest
        # By their places. A step that runs again after a deadlock replaces what it had made.
        self._chapters: dict[int, Chapter] = {}
        self._saved: dict[int, chapters.SavedChapter] = {}
        self._waiting: dict[int, queue.NewTask] = {}
        self._volumes: dict[int, int] = {}  # places of theirs, 0 for none
        self._decisions: list[portable.PortableDecision] = []

    def make(self, advance: Callable[[int], object]) -> None:
        """Write all that is not seen before ``finish``. Raises NovelImportError.

        ``advance`` is told of each chapter.
        """
        making.in_steps(self._jobs(advance))
        found = [
            portable.PortableDecision(one.action, one.params, one.created_at, one.undone_at)
            for one in self._source.decisions()
        ]
        ids = {place: chapter.pk for place, chapter in self._chapters.items()}
        try:
            self._decisions = portable.translated(self._project.pk, found, ids)
        except portable.BadDecision as error:
            raise archive.wrong(archive.DECISIONS, _("this value is not allowed")) from error

    def to_analyse(self) -> int:
        """How many of its chapters will wait for their analysis; known once all is made."""
        return len(self._waiting)

    def finish(self, project: NovelProject) -> list[chapters.SavedChapter]:
        """Make the novel that of the archive, in the transaction of the caller, who holds its lock.

        What was analysed is not analysed again. Raises making.Removed.
        """
        novel = self._source.manifest.novel
        for name, value in novel.model_dump(exclude={"volumes"}).items():
            setattr(project, name, value)
        project.save(update_fields=["title", "genre", "synopsis", "language", "updated_at"])
        self._show(project, novel.volumes)
        portable.add_decisions(project.pk, project.owner_id, self._decisions)
        tasks = queue.enqueue_all([self._waiting[place] for place in sorted(self._waiting)])
        saved = [self._saved[place] for place in sorted(self._saved)]
        saved = [replace(one, task=tasks.get(one.chapter.pk, one.task)) for one in saved]
        chapters.wake([one for one in saved if one.chapter.pk in tasks])
        return saved

    def discard(self) -> None:
        """Delete what was made and has not appeared."""
        making.remove([chapter.pk for chapter in self._chapters.values()])

    def _show(self, project: NovelProject, titles: Sequence[str]) -> None:
        volumes = [
            Volume.objects.create(project=project, title=title, position=position)
            for position, title in enumerate(titles, start=1)
        ]
        into: defaultdict[int, list[int]] = defaultdict(list)
        for place, volume in self._volumes.items():
            into[volume].append(self._chapters[place].pk)
        for volume, ids in into.items():
            making.show(ids, volume=volumes[volume - 1] if volume else None)

    def _jobs(self, advance: Callable[[int], object]) -> Iterator[Callable[[], None]]:
        number = 0
        for place in range(1, self._source.manifest.chapters + 1):
            about = self._source.chapter(place)
            if about.number <= number:
                name = f"{archive.chapter_name(place)}: number"
                raise archive.wrong(name, _("they are not in order"))
            number = about.number
            yield partial(self._begin, place, about)
            for one in about.versions:
                yield self._version(place, one)
            yield partial(self._end, place, about)
            advance(1)

    def _begin(self, place: int, about: archive.ArchivedChapter) -> None:
        self._chapters[place] = making.begin(
            self._project,
            chapter_number=about.number,
            title=about.title,
            notes=about.notes,
            summary=about.summary,
            version=about.versions[-1].number,
        )

    def _end(self, place: int, about: archive.ArchivedChapter) -> None:
        chapter = self._chapters[place]
        version = chapter.current
        _update(
            chapter,
            created_at=about.created_at,
            updated_at=about.updated_at,
            word_count=version.word_count,
        )
        if about.working is not None:
            self._working(place, chapter, about.working)
        self._volumes[place] = about.volume or 0
        task = self._task(place, version, about.analysis)
        source = ChapterVersion.Source(version.source)
        self._saved[place] = chapters.SavedChapter(chapter, version.content, task, source=source)

    def _text(self, place: int, version: int) -> str:
        return self._bounded(archive.text_name(place, version), self._source.text(place, version))

    def _bounded(self, name: str, text: str) -> str:
        if len(text) > self._longest:
            said = _("The text has %(length)d characters; %(limit)d are allowed.")
            reason = said % {"length": len(text), "limit": self._longest}
            raise archive.wrong(name, reason.rstrip(".。"))
        return text

    def _version(self, place: int, about: archive.ArchivedVersion) -> Callable[[], None]:
        """What writes the version; all that can be made ready is made ready before."""
        content = self._text(place, about.number)
        words = word_count(content)
        findings = self._findings(place, about) if about.findings else []

        def write() -> None:
            version = ChapterVersion.objects.create(
                chapter=self._chapters[place],
                number=about.number,
                name=about.name,
                source=about.source,
                content=content,
                word_count=words,
            )
            _update(version, created_at=about.created_at)
            portable.add_findings(version, findings)

        return write

    def _findings(self, place: int, about: archive.ArchivedVersion) -> list[Finding]:
        found = [
            portable.PortableFinding(**one.model_dump())
            for one in self._source.findings(place, about.number)
        ]
        try:
            return portable.finding_rows(self._project.pk, found)
        except ValueError as error:
            name = archive.findings_name(place, about.number)
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

    def _task(
        self, place: int, version: ChapterVersion, analysis: archive.ArchivedAnalysis | None
    ) -> PendingAnalysis | None:
        """The analysis that came with it; one that waits is queued when the chapters appear."""
        if analysis is None:
            return None
        try:
            config = check_config(analysis.generation_config)
        except serializers.ValidationError as error:
            name = f"{archive.chapter_name(place)}: analysis.generation_config"
            raise archive.wrong(name, _("this value is not allowed")) from error
        chapter = self._chapters[place]
        priority = min(analysis.priority, settings.ARBORIS_MAX_PRIORITY)
        if analysis.completed_at is None:
            if not AnalysisOptions(config=config).why_not(version.content):
                self._waiting[place] = queue.NewTask(chapter, version, priority, config)
            return None
        return queue.adopt(
            chapter,
            version,
            priority=priority,
            config=config,
            completed_at=analysis.completed_at,
        )


def _update(row: Any, **values: Any) -> None:
    """Of the times, Django's own writes that of the insert."""
    type(row)._base_manager.filter(pk=row.pk).update(**values)
    for name, value in values.items():
        setattr(row, name, value)
