"""What an import does to a novel, once the writer has agreed to it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.utils.translation import gettext as _

from arboris.db import in_transaction
from arboris.novels import services as novels
from arboris.novels.importing import ImportedNovel, NovelImportError, parse_novel
from arboris.novels.importing.matching import KnownChapter, match
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from arboris.workspace.archive import restore
from arboris.workspace.chapters import service as chapters
from arboris.workspace.chapters.analysis_options import AnalysisOptions

# add: every chapter found is new. replace: one that is there gets the found text as a new version.
# skip: one that is there stays as it is.
Mode = Literal["add", "replace", "skip"]
MODES: tuple[Mode, ...] = ("add", "replace", "skip")


def parse(name: str, data: bytes, encoding: str = "") -> ImportedNovel:
    """The novel in a file, each chapter within the limit of the API; raises NovelImportError."""
    novel = parse_novel(name, data, encoding=encoding)
    longest = max(len(item.content) for item in novel.chapters)
    if longest > settings.ARBORIS_MAX_CHAPTER_CHARS:
        said = _("A chapter has %(length)d characters; %(limit)d are allowed.")
        values = {"length": longest, "limit": settings.ARBORIS_MAX_CHAPTER_CHARS}
        raise NovelImportError("too_large", said % values)
    return novel


@dataclass(frozen=True, slots=True)
class Job:
    """One import, made ready outside of any transaction: ``run`` is what goes into one."""

    project_id: uuid.UUID
    novel: ImportedNovel
    data: bytes
    texts: list[novels.ChapterText]  # of the novel's chapters
    options: AnalysisOptions
    mode: Mode
    before: Callable[[], None] = lambda: None  # runs first, and may refuse

    def run(self) -> list[chapters.SavedChapter]:
        """The chapters that were added or changed. Raises NovelImportError."""
        return in_transaction(self._work)

    def _work(self) -> list[chapters.SavedChapter]:
        project = novels.lock_project(self.project_id)
        self.before()
        if self.novel.is_archive:
            longest = settings.ARBORIS_MAX_CHAPTER_CHARS
            restored = restore.restore(self.project_id, self.data, longest)
            if restored is not None:
                return restored
        known: list[KnownChapter | None] = [None] * len(self.texts)
        if self.mode != "add":
            known = matches(project, self.novel)
        added, changed = [], []
        for there, item, text in zip(known, self.novel.chapters, self.texts, strict=True):
            title = item.title[:200]
            if there is None:
                chapter, version = novels.add_chapter(project, text, title=title)
                added.append(chapters.enqueue(chapter, version, self.options))
            elif self.mode == "replace":
                changed.append(chapters.change(there.id, text, title, self.options))
        chapters.wake(added)  # the others have seen to it
        return sorted(added + changed, key=lambda one: one.chapter.chapter_number)


def ready(
    project: NovelProject,
    novel: ImportedNovel,
    data: bytes,
    options: AnalysisOptions,
    mode: Mode = "add",
    before: Callable[[], None] = lambda: None,
) -> Job:
    texts = [
        novels.ChapterText.of(item.content, ChapterVersion.Source.IMPORTED)
        for item in novel.chapters
    ]
    return Job(project.pk, novel, data, texts, options, mode, before)


def matches(project: NovelProject, novel: ImportedNovel) -> list[KnownChapter | None]:
    """For each chapter found the one of the novel that it corresponds to."""
    rows = Chapter.objects.filter(project=project).order_by("chapter_number")
    known = [KnownChapter(*row) for row in rows.values_list("pk", "chapter_number", "title")]
    return match([item.title for item in novel.chapters], known)
