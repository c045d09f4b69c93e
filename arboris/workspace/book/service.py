"""The order of a book, and chapters that are put in, split and joined: each in one transaction.

The bible is folded in the new order, as if the novel had been written so.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext as _

from arboris.bible import service as bible_service
from arboris.db import in_transaction
from arboris.novels import order
from arboris.novels import services as novels
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from arboris.novels.services import ChapterText
from arboris.novels.working_copies import OutdatedChange, copy_of
from arboris.workspace.chapters import service as chapters
from arboris.workspace.chapters.analysis_options import AnalysisOptions
from arboris.workspace.chapters.service import SavedChapter
from arboris.workspace.trash import service as trash


class NothingToSplit(Exception):
    """One of the two chapters would be empty."""


class NothingToJoin(Exception):
    """It is the last chapter."""


class TooLong(Exception):
    """The joined chapter would have more characters than are allowed."""

    def __init__(self, length: int) -> None:
        limit = settings.ARBORIS_MAX_CHAPTER_CHARS
        text = _("The text has %(length)d characters; %(limit)d are allowed.")
        super().__init__(text % {"length": length, "limit": limit})


def arrange(project_id: uuid.UUID, wanted: Sequence[order.Part]) -> NovelProject:
    """Give the novel this order; raises order.NotTheNovel, NovelProject.DoesNotExist."""

    def work() -> NovelProject:
        project = novels.lock_project(project_id)
        _follow(project, order.arrange(project, wanted))
        return project

    return in_transaction(work)


def insert(
    project_id: uuid.UUID, new: chapters.NewChapter, after: int, options: AnalysisOptions
) -> SavedChapter:
    """Save a new chapter after that one (its id; 0: before the first), and queue its analysis.

    Raises Chapter.DoesNotExist where the novel has no such chapter.
    """

    def work() -> SavedChapter:
        project = novels.lock_project(project_id)
        before = project.chapters.get(pk=after).chapter_number if after else 0
        chapter, version = _put_after(project, before, new.text, new.title)
        saved = chapters.enqueue(chapter, version, options)
        chapters.wake([saved])
        return saved

    return in_transaction(work)


def split(
    chapter_id: int, at: int, title: str, base_version: int | None
) -> tuple[SavedChapter, SavedChapter]:
    """Make two chapters of one: what stands from the character ``at`` on becomes the next one.

    The whole text stays in the first one's versions. Raises OutdatedChange, NothingToSplit.
    """

    def work() -> tuple[SavedChapter, SavedChapter]:
        chapter = _settled(novels.lock_chapter(chapter_id), base_version)
        content = chapter.current.content
        first, second = content[:at].rstrip(), content[at:].lstrip("\r\n")
        if not first.strip() or not second.strip():
            raise NothingToSplit
        options = AnalysisOptions().as_before(chapter.pk)
        text = ChapterText.of(second)
        added, version = _put_after(chapter.project, chapter.chapter_number, text, title)
        kept = chapters.save_text(chapter, ChapterText.of(first), options)
        saved = chapters.enqueue(added, version, options)
        chapters.wake([saved])
        return kept, saved

    return in_transaction(work)


def join(chapter_id: int, base_version: int | None, next_version: int | None) -> SavedChapter:
    """Put the next chapter's text and notes at the end of this one's; the next goes to the trash.

    Raises OutdatedChange, NothingToJoin, TooLong.
    """

    def work() -> SavedChapter:
        chapter = _settled(novels.lock_chapter(chapter_id), base_version)
        later = chapter.project.chapters.filter(chapter_number__gt=chapter.chapter_number)
        following = later.first()
        if following is None:
            raise NothingToJoin
        following.project = chapter.project
        _settled(following, next_version)
        both = (chapter.current.content.rstrip(), following.current.content.lstrip("\r\n"))
        content = "\n\n".join(both)
        if len(content) > settings.ARBORIS_MAX_CHAPTER_CHARS:
            raise TooLong(len(content))
        chapter.notes = "\n\n".join(filter(None, (chapter.notes, following.notes)))
        chapter.save(update_fields=["notes"])
        if not chapter.title and following.title:
            novels.rename(chapter, following.title)
        trash.discard(following)
        return chapters.save_text(chapter, ChapterText.of(content), AnalysisOptions())

    return in_transaction(work)


def _settled(chapter: Chapter, base_version: int | None) -> Chapter:
    """The chapter, where its newest version is all there is. Raises OutdatedChange.

    What is typed and not yet a version is neither cut in two nor left behind: it comes first.
    """
    chapters.check_base(chapter, base_version)
    copy = copy_of(chapter)
    if copy is not None and (
        copy.content != chapter.current.content or copy.title not in (None, chapter.title)
    ):
        raise OutdatedChange(chapter, copy)
    return chapter


def _put_after(
    project: NovelProject, number: int, text: ChapterText, title: str
) -> tuple[Chapter, ChapterVersion]:
    free, moved = order.make_room(project, number)
    added = novels.add_chapter(project, text, title=title, number=free)
    _follow(project, moved)
    return added


def _follow(project: NovelProject, moved: dict[int, int]) -> None:
    if moved:
        bible_service.follow_order(project.pk, moved)
