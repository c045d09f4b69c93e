"""Save a chapter: text, version, summary and the queued analysis, in one transaction.

The text is made ready before (``new_text``, ``changed_text``), as a model may be asked for its
summary.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from asgiref.sync import async_to_sync
from django.db.models import F
from django.utils.translation import gettext as _

from analysis import queue
from analysis.djangoq import wakeups
from analysis.models import PendingAnalysis
from arboris.bible import service as bible_service
from arboris.db import in_transaction
from arboris.llm.accounting.admission import Payer
from arboris.novels import model_summary
from arboris.novels import services as novels
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from arboris.novels.working_copies import OutdatedChange, copy_of
from arboris.web_threads import aside
from arboris.workspace.chapters.analysis_options import AnalysisOptions


@dataclass(frozen=True, slots=True)
class NewChapter:
    text: novels.ChapterText
    title: str = ""
    number: int | None = None  # None: after the last chapter


@dataclass(frozen=True, slots=True)
class SavedChapter:
    """A chapter with its newest text and that text's analysis; ``note`` says why there is none."""

    chapter: Chapter
    content: str
    task: PendingAnalysis | None
    note: str = ""
    source: ChapterVersion.Source = ChapterVersion.Source.WRITTEN

    @classmethod
    def draft(cls, chapter: Chapter, content: str) -> SavedChapter:
        note = _("The text broke off while it was being written. Save it to have it analysed.")
        return cls(chapter, content, None, note, ChapterVersion.Source.DRAFT)

    @classmethod
    def read(cls, chapter: Chapter) -> SavedChapter:
        """Read the newest text of a chapter, and that text's newest analysis."""
        current = chapter.current
        if current.source == ChapterVersion.Source.DRAFT:
            return cls.draft(chapter, current.content)
        task = newest_tasks(chapter.project_id, [chapter.pk]).get(chapter.pk)
        note = "" if task else AnalysisOptions().as_before(chapter.pk).why_not(current.content)
        return cls(chapter, current.content, task, note, ChapterVersion.Source(current.source))


class NothingWritten(Exception):
    """The writer has deleted the whole text: there is nothing to make a version of."""


def check_base(chapter: Chapter, base_version: int | None) -> None:
    """Raise OutdatedChange where a change was made to an older version; None is not checked."""
    if base_version is not None and base_version < chapter.version:
        raise OutdatedChange(chapter, copy_of(chapter))


def new_text(content: str, options: AnalysisOptions, project: NovelProject) -> novels.ChapterText:
    """Return the text with its summary, by the model where one makes summaries.

    That may take ARBORIS_SUMMARY_TIMEOUT seconds: no connection is held meanwhile. Of many chapters
    at once the extractive summary is enough, see ``ChapterText.of``.
    """
    if not model_summary.wanted():
        return novels.ChapterText.of(content)
    with aside():
        summary = async_to_sync(summary_of)(content, options, project)
    return novels.ChapterText.of(content, summary=summary)


def changed_text(chapter: Chapter, content: str, options: AnalysisOptions) -> novels.ChapterText:
    """Return ``new_text`` for a chapter that exists; no model sums up the same text again."""
    if model_summary.wanted():
        current = chapter.current
        if current.content == content and current.source != ChapterVersion.Source.DRAFT:
            return novels.ChapterText.of(content)
        options = options.as_before(chapter.pk)
    return new_text(content, options, chapter.project)


async def summary_of(
    content: str, options: AnalysisOptions, project: NovelProject, *, generated: bool = False
) -> str:
    """Return the basic summary, by the model that the options name. It never fails."""
    return await model_summary.summarize(
        content,
        generated=generated,
        model=(options.config or {}).get("model_name"),
        payer=Payer("summary", project_id=project.pk, user_id=project.owner_id),
    )


def add(
    project_id: uuid.UUID, new: Sequence[NewChapter], options: AnalysisOptions
) -> list[SavedChapter]:
    """Save new chapters and queue their analyses, all or nothing. Raises novels.ChapterExists."""

    def work() -> list[SavedChapter]:
        project = novels.lock_project(project_id)
        saved = []
        for item in new:
            chapter, version = novels.add_chapter(
                project, item.text, title=item.title, number=item.number
            )
            saved.append(enqueue(chapter, version, options))
        wake(saved)
        return saved

    return in_transaction(work)


def change(
    chapter_id: int,
    text: novels.ChapterText | None,
    title: str | None,
    options: AnalysisOptions,
    base_version: int | None = None,
    notes: str | None = None,
) -> SavedChapter:
    """Change a chapter's title, notes or text; a new text supersedes the analysis of the old one.

    ``base_version`` is the version that the change was made to. Raises OutdatedChange where it is
    not the newest, ObjectDoesNotExist where the chapter or its novel was deleted, as ``add`` does.
    """

    def work() -> SavedChapter:
        chapter = novels.lock_chapter(chapter_id)
        check_base(chapter, base_version)
        if title is not None:
            novels.rename(chapter, title)
        if notes is not None:
            chapter.notes = notes
            chapter.save(update_fields=["notes"])
        return save_text(chapter, text, options)

    return in_transaction(work)


def copied_text(chapter: Chapter) -> novels.ChapterText | None:
    """Return the working copy's text made ready for ``cut``, as ``changed_text`` does."""
    copy = copy_of(chapter)
    return None if copy is None else changed_text(chapter, copy.content, AnalysisOptions())


def cut(chapter: Chapter, prepared: novels.ChapterText | None, name: str = "") -> SavedChapter:
    """Make a version of the working copy; where there is none, the newest version stays.

    ``prepared`` is its ``copied_text``. ``name`` is given to the version that the chapter has then.
    Raises NothingWritten, and ObjectDoesNotExist where the chapter or its novel was deleted.
    """
    options = AnalysisOptions()

    def work() -> SavedChapter:
        locked = novels.lock_chapter(chapter.pk)
        text, copy = prepared, copy_of(locked)
        if copy is not None:
            if not copy.content.strip():
                raise NothingWritten
            if text is None or text.content != copy.content:  # typed while it was prepared
                text = novels.ChapterText.of(copy.content)
            if copy.title is not None:
                novels.rename(locked, copy.title)
        saved = save_text(locked, text if copy is not None else None, options)
        if name:
            locked.versions.filter(number=locked.version).update(name=name)
        return saved

    return in_transaction(work)


def restore(chapter: Chapter, text: novels.ChapterText, base_version: int | None) -> SavedChapter:
    """Make a new version of an earlier one's text; the working copy's becomes one before it.

    Raises OutdatedChange, and ObjectDoesNotExist where the chapter or its novel was deleted.
    """

    def work() -> SavedChapter:
        locked = novels.lock_chapter(chapter.pk)
        check_base(locked, base_version)
        novels.end_working_copy(locked, text.content)
        return save_text(locked, text, AnalysisOptions())

    return in_transaction(work)


def save_text(
    chapter: Chapter, text: novels.ChapterText | None, options: AnalysisOptions
) -> SavedChapter:
    """Save a text and queue its analysis where it is a new one; the project is locked."""
    version = novels.change_text(chapter, text) if text is not None else None
    if version is None:
        return SavedChapter.read(chapter)
    saved = enqueue(chapter, version, options.as_before(chapter.pk))
    if saved.task is None:
        queue.supersede(chapter.pk)
        bible_service.forget(chapter.project_id, chapter.pk)
    wake([saved])
    return saved


def enqueue(chapter: Chapter, version: ChapterVersion, options: AnalysisOptions) -> SavedChapter:
    """Queue the analysis of a version just saved, or say why not; in its transaction."""
    source = ChapterVersion.Source(version.source)
    if note := options.why_not(version.content) or _why_not_now(chapter):
        return SavedChapter(chapter, version.content, None, note, source)
    task = queue.enqueue(
        chapter,
        version,
        priority=options.allowed_priority,
        config=options.config,
        in_order=options.together or not bible_service.holds(chapter.pk),
        wake=False,
    )
    return SavedChapter(chapter, version.content, task, source=source)


def _why_not_now(chapter: Chapter) -> str:
    """Why the queue takes no analysis of this chapter; empty where it does."""
    if queue.room(chapter.project.owner_id) != 0:
        return ""
    if PendingAnalysis.objects.filter(active_chapter=chapter.pk).exists():
        return ""  # it gives its place to the new one
    return _(
        "As many of your analyses are waiting as may: only the summary was made. The chapter is "
        "analysed when you change it next, once some of them have ended."
    )


def enqueue_all(
    new: Sequence[tuple[Chapter, ChapterVersion]], options: AnalysisOptions
) -> list[SavedChapter]:
    """As ``enqueue``, of chapters that are new, in their order, with the wake-ups."""
    priority, config = options.allowed_priority, options.config or {}
    notes = {chapter.pk: options.why_not(version.content) for chapter, version in new}
    wanted = [one for one in new if not notes[one[0].pk]]
    tasks = queue.enqueue_all([queue.NewTask(*one, priority, config) for one in wanted])
    saved = []
    for chapter, version in new:
        task, note = tasks.get(chapter.pk), notes[chapter.pk]
        source = ChapterVersion.Source(version.source)
        saved.append(SavedChapter(chapter, version.content, task, note, source))
    wake(saved)
    return saved


def wake(saved: list[SavedChapter]) -> None:
    """Issue the wake-ups for what was queued; in its transaction."""
    queued = sum(item.task is not None for item in saved)
    if queued:
        wakeups.issue(queued)


def newest_tasks(project_id: uuid.UUID, wanted: Collection[int]) -> dict[int, PendingAnalysis]:
    """Return the newest analysis of each chapter's newest text, by chapter.

    The analysis of an older text is left out: its findings point to the wrong places.
    """
    rows = (
        PendingAnalysis.objects.filter(
            project_id=project_id,
            chapter_id__in=wanted,
            version__number=F("chapter__version"),
        )
        .defer("checkpoint", "generation_config", "token_usage")
        .order_by("pk")
    )
    # A later row of the same chapter replaces an earlier one.
    return {row.chapter_id: row for row in rows}
