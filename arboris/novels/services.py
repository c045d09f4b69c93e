"""Saving novels: every change of a chapter's text is a new version, under the novel's row lock."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.db import IntegrityError, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from arboris.db import in_transaction, locked
from arboris.novels.manuscript.blocks import unmarked
from arboris.novels.models import Chapter, ChapterVersion, NovelProject, Volume, WorkingCopy
from arboris.novels.text import extractive_summary, guess_language, word_count

T = TypeVar("T")
REMOVAL_ATTEMPTS = 8


class ChapterExists(Exception):
    """The novel has a chapter of that number already."""

    def __init__(self, number: int) -> None:
        super().__init__(_("Chapter %(number)d exists already.") % {"number": number})


@dataclass(frozen=True, slots=True)
class ChapterText:
    """A chapter's text with all that is computed from it, before any transaction is opened."""

    content: str
    summary: str
    words: int
    source: ChapterVersion.Source = ChapterVersion.Source.WRITTEN

    @classmethod
    def of(
        cls,
        content: str,
        source: ChapterVersion.Source = ChapterVersion.Source.WRITTEN,
        summary: str = "",
    ) -> ChapterText:
        """``summary``: one that was made already; without it the extractive one."""
        plain = unmarked(content)
        summary = summary or extractive_summary(plain, guess_language(plain))
        return cls(content, summary, word_count(content), source)


def lock_project(project_id: uuid.UUID) -> NovelProject:
    """Lock the novel's row: chapters get their numbers, and bibles are folded, one at a time.

    Raises NovelProject.DoesNotExist, also where it is in the trash.
    """
    return locked(NovelProject.objects.all()).get(pk=project_id)


def lock_projects(project_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """``lock_project`` for several, in the order of their keys; those that are not in the trash."""
    rows = locked(NovelProject.objects.filter(pk__in=set(project_ids))).order_by("pk")
    return set(rows.values_list("pk", flat=True))


def lock_chapter(chapter_id: int) -> Chapter:
    """Lock the chapter's novel; returns the chapter as it is from then on.

    Raises ObjectDoesNotExist, also where the chapter or the novel is in the trash.
    """
    project_id = Chapter.objects.values_list("project_id", flat=True).get(pk=chapter_id)
    project = lock_project(project_id)
    chapter = Chapter.objects.get(pk=chapter_id)
    chapter.project = project
    return chapter


def removing(work: Callable[[], T]) -> T:
    """``in_transaction`` for a deletion: again (bounded) also where a row came in beneath it.

    The novel's lock holds off new chapters and tasks. What a worker writes beneath them, such as
    an attempt, can still arrive between Django's looking for rows and its deleting them.
    """
    for attempt in range(1, REMOVAL_ATTEMPTS + 1):
        try:
            return in_transaction(work)
        except IntegrityError:
            if attempt == REMOVAL_ATTEMPTS or connection.in_atomic_block:
                raise
            time.sleep(random.uniform(0.001, 0.01 * 2**attempt))
    raise AssertionError("unreachable")


def add_chapter(
    project: NovelProject, text: ChapterText, *, title: str = "", number: int | None = None
) -> tuple[Chapter, ChapterVersion]:
    """A new chapter with its first version; the caller holds the project's lock.

    ``number`` None: after the last one. Raises ChapterExists.
    """
    free, volume = place_for(project, number)
    if number not in (None, free):
        raise ChapterExists(number)
    chapter = Chapter.objects.create(
        project=project,
        volume=volume,
        chapter_number=free,
        title=title,
        summary=text.summary,
        word_count=text.words,
    )
    return chapter, add_version(chapter, text)


def place_for(project: NovelProject, number: int | None = None) -> tuple[int, Volume | None]:
    """A free place: that number, else the one after the last; and the volume that it is in.

    A volume's chapters follow one another, so it is the one of the chapter before, or after.
    """
    rows = project.chapters.select_related("volume").defer("summary", "notes")
    rows = rows.order_by("-chapter_number")
    before = None if number is None else rows.filter(chapter_number__lte=number).first()
    if number is None or (before is not None and before.chapter_number == number):
        before = rows.first()
        number = before.chapter_number + 1 if before else 1
    neighbour = before or rows.last()  # the one after it
    return number, neighbour.volume if neighbour else project.volumes.first()


def change_text(chapter: Chapter, text: ChapterText) -> ChapterVersion | None:
    """A new version of the chapter, or None where the text is the same; the project is locked.

    Whoever saves an unfinished text as it is takes it for finished: that is a new version too.
    The writer's working copy becomes a version before it, unless one of the two holds its text.
    """
    current = chapter.current
    if current.content == text.content and current.source != ChapterVersion.Source.DRAFT:
        return None
    end_working_copy(chapter, text.content)
    chapter.version += 1
    _describe(chapter, text)
    return add_version(chapter, text)


def newest_text(chapter: Chapter) -> str:
    """What the writer sees in the chapter: the working copy's text, else the newest version's."""
    copy = WorkingCopy.objects.filter(chapter=chapter).first()
    return chapter.current.content if copy is None else copy.content


def rename(chapter: Chapter, title: str) -> None:
    """Give the chapter a title, also in place of one in its working copy; the project is locked."""
    chapter.title = title
    chapter.save(update_fields=["title", "updated_at"])
    WorkingCopy.objects.filter(chapter=chapter).update(title=None)


def end_working_copy(chapter: Chapter, following: str) -> None:
    """Its text becomes a version unless the newest one has it, or the ``following`` one will.

    The project is locked.
    """
    copy = WorkingCopy.objects.filter(chapter=chapter).first()
    if copy is None:
        return
    copy.delete()
    if copy.title is not None:
        rename(chapter, copy.title)
    kept = {chapter.current.content, following}
    if copy.content not in kept and copy.content.strip():
        chapter.version += 1
        add_version(chapter, ChapterText.of(copy.content))


def replace_draft(version: ChapterVersion, text: ChapterText) -> None:
    """What has been written by now in the place of an unfinished text; the project is locked."""
    assert version.source == ChapterVersion.Source.DRAFT
    version.content, version.source, version.word_count = text.content, text.source, text.words
    version.save(update_fields=["content", "source", "word_count"])
    _describe(version.chapter, text)


def _describe(chapter: Chapter, text: ChapterText) -> None:
    """Put into the chapter's row what it says of its text."""
    chapter.summary = text.summary
    chapter.word_count = text.words
    chapter.updated_at = timezone.now()
    chapter.save(update_fields=["version", "summary", "word_count", "updated_at"])


def add_version(chapter: Chapter, text: ChapterText) -> ChapterVersion:
    """The row of the chapter's newest version, whose number the chapter has already."""
    return ChapterVersion.objects.create(
        chapter=chapter,
        number=chapter.version,
        content=text.content,
        source=text.source,
        word_count=text.words,
    )


def count_words(versions: Iterable[ChapterVersion]) -> None:
    """Count the words of those that were saved before each version kept its own."""
    for version in versions:
        if version.word_count is None:
            version.word_count = word_count(version.content)
            ChapterVersion.objects.filter(pk=version.pk).update(word_count=version.word_count)
