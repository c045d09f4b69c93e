"""What an import does to a novel, once the writer has agreed to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Literal

from django.conf import settings
from django.utils.translation import gettext as _

from analysis import queue
from analysis.djangoq import wakeups
from arboris.db import in_transaction
from arboris.novels import import_jobs, making, uploads
from arboris.novels import services as novels
from arboris.novels.importing import ImportedNovel, ImportLimits, NovelImportError, parse_novel
from arboris.novels.importing.matching import KnownChapter, match
from arboris.novels.models import (
    Chapter,
    ChapterVersion,
    ImportJob,
    ImportUpload,
    NovelProject,
)
from arboris.workspace.archive import restore
from arboris.workspace.chapters import service as chapters
from arboris.workspace.chapters.analysis_options import AnalysisOptions

# add: every chapter found is new. replace: one that is there gets the found text as a new version.
# skip: one that is there stays as it is.
Mode = Literal["add", "replace", "skip"]
MODES: tuple[Mode, ...] = ("add", "replace", "skip")


def mode_of(word: str) -> Mode:
    """The mode of that name; raises ValueError."""
    return MODES[MODES.index(word)]


def largest(name: str) -> int:
    """The bytes that a file of this name may have."""
    if name.lower().rstrip().endswith(".zip"):
        return int(settings.ARBORIS_MAX_ARCHIVE_BYTES)
    return int(settings.ARBORIS_MAX_IMPORT_BYTES)


def parse(name: str, data: bytes, encoding: str = "") -> ImportedNovel:
    """The novel in a file, each chapter within the limit of the API; raises NovelImportError.

    Only an archive of a novel may have no chapters. The caller has seen to an archive's size.
    """
    limits = ImportLimits(file_bytes=settings.ARBORIS_MAX_IMPORT_BYTES)
    novel = parse_novel(name, data, limits, encoding)
    longest = max((len(item.content) for item in novel.chapters), default=0)
    if longest > settings.ARBORIS_MAX_CHAPTER_CHARS:
        said = _("A chapter has %(length)d characters; %(limit)d are allowed.")
        values = {"length": longest, "limit": settings.ARBORIS_MAX_CHAPTER_CHARS}
        raise NovelImportError("too_large", said % values)
    return novel


class Changed(Exception):
    """The novel has changed since its writer was shown what the file would do to it."""

    def __init__(self) -> None:
        super().__init__(_("The novel has changed meanwhile. Import the file again."))


class NoRoom(Exception):
    """More of the writer's analyses would wait than ARBORIS_MAX_PENDING allows."""


def refusal(error: Exception) -> tuple[str, str] | None:
    """The code and the sentence of an error that an import may end with; None of any other."""
    if isinstance(error, NovelImportError):
        return error.code, str(error)
    if isinstance(error, Changed):
        return "changed", str(error)
    if isinstance(error, NoRoom):
        return "too_many_pending", str(error)
    if isinstance(error, uploads.AlreadyImported):
        return "already_imported", _("This file was imported already.")
    return None


def queue_import(
    upload: ImportUpload, mode: Mode, options: AnalysisOptions, language: str
) -> ImportJob:
    """Leave the upload to a worker, in the caller's transaction.

    Raises uploads.AlreadyImported, import_jobs.TooMany.
    """
    uploads.lock(upload)  # two at once for one upload get the same job
    job = import_jobs.add(upload, mode, asdict(options), language)
    wakeups.issue()
    return job


@dataclass(slots=True)
class Job:
    """One import. ``prepare`` makes the new chapters out of sight, in many transactions; ``run``,
    which shows them, is what goes into one; ``discard`` deletes what did not appear.
    """

    project: NovelProject
    novel: ImportedNovel
    data: bytes
    options: AnalysisOptions
    mode: Mode = "add"
    before: Callable[[], None] = lambda: None  # runs first, and may refuse
    _restoration: restore.Restoration | None = None
    # By the places of the chapters in the file.
    _texts: list[novels.ChapterText] = field(default_factory=list)
    _known: list[KnownChapter | None] = field(default_factory=list)
    _made: dict[int, tuple[Chapter, ChapterVersion]] = field(default_factory=dict)

    def prepare(self, advance: Callable[[int], object] = lambda _count: None) -> None:
        """``advance`` is told of each chapter that is made. Raises NovelImportError, NoRoom."""
        if self.novel.is_archive and restore.is_empty(self.project.pk):
            longest = settings.ARBORIS_MAX_CHAPTER_CHARS
            self._restoration = restore.Restoration(self.project, self.data, longest)
            self._restoration.make(advance)
            self._check_room(self._restoration.to_analyse())
            return
        if not self.novel.chapters:
            raise NovelImportError("empty", _("The file contains no text."))
        self._texts = [
            novels.ChapterText.of(item.content, ChapterVersion.Source.IMPORTED)
            for item in self.novel.chapters
        ]
        self._known = self._matches()
        self._check_room(sum(not self.options.why_not(text.content) for text in self._texts))
        making.in_steps(self._steps(advance))

    def run(self) -> list[chapters.SavedChapter]:
        """The chapters that were added or changed. Raises Changed."""
        return in_transaction(self._work)

    def discard(self) -> None:
        if self._restoration is not None:
            self._restoration.discard()
        making.remove([chapter.pk for chapter, _version in self._made.values()])

    def _check_room(self, analysed: int) -> None:
        room = queue.room(self.project.owner_id)
        if room is None or analysed <= room:
            return
        said = _(
            "Of the chapters %(count)d would wait for their analysis; %(limit)d of yours may, and "
            "there is room for %(room)d."
        )
        if self._restoration is None:
            advice = _("Import the file again when some have ended, or without analysis.")
        else:  # it says itself what is to be analysed
            advice = _("Import the archive again when some have ended.")
        limit = settings.ARBORIS_MAX_PENDING
        values = {"count": analysed, "limit": limit, "room": room}
        raise NoRoom(f"{said % values} {advice}")

    def _steps(self, advance: Callable[[int], object]) -> Iterator[Callable[[], None]]:
        new = [place for place, there in enumerate(self._known) if there is None]
        for number, place in enumerate(new):
            yield partial(self._make, place, number)
            advance(1)

    def _make(self, place: int, number: int) -> None:
        text, title = self._texts[place], self._title(place)
        self._made[place] = making.add(self.project, text, title=title, place=number)

    def _title(self, place: int) -> str:
        return self.novel.chapters[place].title[:200]

    def _work(self) -> list[chapters.SavedChapter]:
        project = novels.lock_project(self.project.pk)
        self.before()
        try:
            if self._restoration is None:
                return self._show(project)
            if restore.is_empty(project.pk):
                return self._restoration.finish(project)
        except making.Removed:
            raise Changed from None
        raise Changed

    def _show(self, project: NovelProject) -> list[chapters.SavedChapter]:
        if self._matches() != self._known:
            raise Changed
        options = replace(self.options, together=True)
        changed = [
            chapters.change(there.id, self._texts[place], self._title(place), options)
            for place, there in enumerate(self._known)
            if there is not None and self.mode == "replace"
        ]
        first, volume = novels.place_for(project)
        new = [self._made[place] for place in sorted(self._made)]
        making.show([chapter.pk for chapter, _version in new], add=first, volume=volume)
        for number, (chapter, _version) in enumerate(new, start=first):
            chapter.chapter_number = number
        added = chapters.enqueue_all(new, self.options)
        return sorted(added + changed, key=lambda one: one.chapter.chapter_number)

    def _matches(self) -> list[KnownChapter | None]:
        if self.mode == "add":
            return [None] * len(self.novel.chapters)
        return matches(self.project, self.novel)


def matches(project: NovelProject, novel: ImportedNovel) -> list[KnownChapter | None]:
    """For each chapter found the one of the novel that it corresponds to."""
    rows = Chapter.objects.filter(project=project).order_by("chapter_number")
    known = [KnownChapter(*row) for row in rows.values_list("pk", "chapter_number", "title")]
    return match([item.title for item in novel.chapters], known)
