"""A chapter's way in: text, version, summary and the queued analysis, in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from analysis import queue
from analysis.models import PendingAnalysis
from analysis.pipeline import GenerationConfig
from analysis.queue import wakeup
from arboris.bible import story
from arboris.db import in_transaction
from arboris.novels import services as novels
from arboris.novels.models import Chapter, ChapterVersion

DEFAULT_PRIORITY = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """What the writer wants done with a text beside its being saved.

    What is None is as in the chapter's last analysis; without one, DEFAULT_PRIORITY and {}.
    """

    mode: str = "enhanced"
    priority: int | None = None
    config: dict[str, Any] | None = None

    def as_before(self, chapter_id: int) -> Wish:
        """With the chapter's last priority and configuration where the wish leaves them open."""
        last = (
            PendingAnalysis.objects.filter(chapter_id=chapter_id)
            .order_by("-pk")
            .values_list("priority", "generation_config")
            .first()
        )
        if last is None:
            return self
        priority = last[0] if self.priority is None else self.priority
        return replace(
            self, priority=priority, config=last[1] if self.config is None else self.config
        )

    def why_not(self, content: str) -> str:
        """Why this text is not analysed; empty when it is."""
        if self.mode == "basic":
            return _("Basic mode: only the summary was made.")
        config = GenerationConfig.parse(self.config or {})
        if not config.enabled:
            return _("All features are switched off: only the summary was made.")
        shortest = config.dynamic_threshold.min_chapter_length
        if len(content.strip()) < shortest:
            return _(
                "The chapter is shorter than %(shortest)d characters: only the summary was made."
            ) % {"shortest": shortest}
        return ""


@dataclass(frozen=True, slots=True)
class Saved:
    """A chapter with its text; ``note`` says why that is not analysed."""

    chapter: Chapter
    content: str
    task: PendingAnalysis | None
    note: str = ""
    source: ChapterVersion.Source = ChapterVersion.Source.WRITTEN

    @classmethod
    def draft(cls, chapter: Chapter, content: str) -> Saved:
        note = _("The text broke off while it was being written. Save it to have it analysed.")
        return cls(chapter, content, None, note, ChapterVersion.Source.DRAFT)

    @classmethod
    def read(cls, chapter: Chapter) -> Saved:
        """The chapter as it is, with the newest analysis of the text that it has now."""
        current = chapter.current
        if current.source == ChapterVersion.Source.DRAFT:
            return cls.draft(chapter, current.content)
        task = newest_tasks(chapter.project_id, [chapter.pk]).get(chapter.pk)
        note = "" if task else Wish().as_before(chapter.pk).why_not(current.content)
        return cls(chapter, current.content, task, note, ChapterVersion.Source(current.source))


class Outdated(Exception):
    """The change was made to an older version of the chapter than ``current``."""

    def __init__(self, current: Chapter) -> None:
        super().__init__(_("The chapter was changed elsewhere since you opened it."))
        self.current = current


def check_base(chapter: Chapter, base_version: int | None) -> None:
    """Raise Outdated where a change was made to an older version; None is not checked."""
    if base_version is not None and base_version < chapter.version:
        raise Outdated(chapter)


@dataclass(frozen=True, slots=True)
class NewChapter:
    draft: novels.Draft
    title: str = ""
    number: int | None = None


def add(project_id: uuid.UUID, new: Sequence[NewChapter], wish: Wish) -> list[Saved]:
    """Save new chapters and queue their analyses, all or nothing. Raises novels.ChapterExists."""

    def work() -> list[Saved]:
        project = novels.lock_project(project_id)
        saved = []
        for item in new:
            chapter, version = novels.add_chapter(
                project, item.draft, title=item.title, number=item.number
            )
            saved.append(enqueue(chapter, version, wish))
        wake(saved)
        return saved

    return in_transaction(work)


def change(
    chapter_id: int,
    draft: novels.Draft | None,
    title: str | None,
    wish: Wish,
    base_version: int | None = None,
) -> Saved:
    """Change a chapter's title or text; a new text supersedes the analysis of the old one.

    ``base_version`` is the version that the change was made to. Raises Outdated where it is not
    the newest, ObjectDoesNotExist where the chapter or its novel was deleted, as ``add`` does.
    """

    def work() -> Saved:
        chapter = Chapter.objects.get(pk=chapter_id)
        chapter.project = novels.lock_project(chapter.project_id)
        chapter.refresh_from_db(fields=["version", "title"])
        check_base(chapter, base_version)
        if title is not None:
            chapter.title = title
            chapter.save(update_fields=["title", "updated_at"])
        version = novels.change_text(chapter, draft) if draft is not None else None
        if version is None:
            return Saved.read(chapter)
        saved = enqueue(chapter, version, wish.as_before(chapter.pk))
        if saved.task is None:
            queue.supersede(chapter.pk)
            story.forget(chapter.project_id, chapter.pk)
        wake([saved])
        return saved

    return in_transaction(work)


def enqueue(chapter: Chapter, version: ChapterVersion, wish: Wish) -> Saved:
    """Queue the analysis of a version just saved, or say why not; in its transaction."""
    source = ChapterVersion.Source(version.source)
    note = wish.why_not(version.content)
    if note:
        return Saved(chapter, version.content, None, note, source)
    priority = wish.priority or DEFAULT_PRIORITY
    task = queue.enqueue(chapter, version, priority=priority, config=wish.config, wake=False)
    return Saved(chapter, version.content, task, source=source)


def wake(saved: list[Saved]) -> None:
    """Issue the wake-ups for what was queued; in its transaction."""
    queued = sum(item.task is not None for item in saved)
    if queued:
        wakeup.issue(queued)


def newest_tasks(project_id: uuid.UUID, wanted: Collection[int]) -> dict[int, PendingAnalysis]:
    """The newest analysis of each chapter's present text, by chapter; of an older text there is
    nothing to be shown."""
    rows = (
        PendingAnalysis.objects.filter(
            project_id=project_id,
            chapter_id__in=wanted,
            version__number=F("chapter__version"),
        )
        .defer("result", "checkpoint", "generation_config", "token_usage")
        .order_by("pk")
    )
    # A later row of the same chapter replaces an earlier one.
    return {row.chapter_id: row for row in rows}
