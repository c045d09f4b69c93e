"""Replace words in many chapters: each becomes one version, which can be restored like any.

A text that nobody has looked at is left alone: where the chapter was changed since the preview, or
somebody is typing in it (a working copy), that is told and nothing is replaced there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext as _

from arboris.db import in_transaction
from arboris.novels import services as novels
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from arboris.novels.working_copies import OutdatedChange, copy_of
from arboris.workspace.chapters import service as chapters
from arboris.workspace.chapters.analysis_options import AnalysisOptions
from arboris.workspace.search.pattern import pattern
from arboris.workspace.search.service import Hit, names_of
from arboris.workspace.search.texts import Shown, shown

SHOWN_MOST = 500  # hits in a preview
AT_ONCE = 100  # chapters that one call changes: the caller goes on with the rest
LONGEST_NAME = 200  # of a version


@dataclass(frozen=True, slots=True)
class Wish:
    """``wanted``: chapters by id, None: all. ``bases``: by id, the version that was looked at."""

    query: str
    by: str
    aliases: bool = False
    wanted: Collection[int] | None = None
    bases: Mapping[int, int] = field(default_factory=dict)

    def pattern(self, project: NovelProject) -> re.Pattern[str]:
        return pattern(self.query, names_of(project, self.query) if self.aliases else ())


@dataclass(slots=True)
class Replaced:
    """What is, or would be, done in a chapter. ``status``: ready, replaced, or why it is not.

    ``version`` is the newest one then, ``undo`` the one to restore.
    """

    chapter: Shown
    count: int
    status: str
    version: int
    undo: int | None = None
    hits: list[Hit] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """``total`` hits; ``left``: chapters (ids) that the next call has to go on with."""

    total: int = 0
    chapters: list[Replaced] = field(default_factory=list)
    left: list[int] = field(default_factory=list)


class NotReplaced(Exception):
    """Nothing was changed in the chapter; ``code`` says why."""

    def __init__(self, code: str, version: int) -> None:
        super().__init__(code)
        self.code = code
        self.version = version


def preview(project: NovelProject, wish: Wish) -> Outcome:
    """What ``replace`` would do, with the first SHOWN_MOST hits. Nothing is saved."""
    outcome, wanted = Outcome(), wish.pattern(project)
    for chapter in shown(project, wish.wanted):
        matches = list(wanted.finditer(chapter.text))
        if not matches:
            continue
        room = max(0, SHOWN_MOST - outcome.total)
        hits = [Hit(chapter, one.start(), len(one.group())) for one in matches[:room]]
        status = _obstacle(chapter, wish) or "ready"
        one = Replaced(chapter, len(matches), status, chapter.version, hits=hits)
        outcome.chapters.append(one)
        outcome.total += len(matches)
    return outcome


def replace(project: NovelProject, wish: Wish) -> Outcome:
    """Replace in at most AT_ONCE chapters, each in a transaction of its own."""
    outcome, wanted = Outcome(), wish.pattern(project)
    for chapter in shown(project, wish.wanted):
        if not wanted.search(chapter.text):
            if wish.wanted is not None:  # asked for by its id: it had some when it was looked at
                status = _obstacle(chapter, wish) or "none"
                outcome.chapters.append(Replaced(chapter, 0, status, chapter.version))
            continue
        if len(outcome.chapters) >= AT_ONCE:
            outcome.left.append(chapter.id)
            continue
        one = _replace_in(chapter, wish, wanted)
        outcome.chapters.append(one)
        outcome.total += one.count if one.status == "replaced" else 0
    return outcome


def _obstacle(chapter: Shown, wish: Wish) -> str:
    """Why the chapter is left alone; empty where it is not."""
    if chapter.unsaved:
        return "unsaved"
    if chapter.is_draft:
        return "draft"
    if wish.bases.get(chapter.id, chapter.version) != chapter.version:
        return "changed"
    return ""


def _replace_in(chapter: Shown, wish: Wish, wanted: re.Pattern[str]) -> Replaced:
    count = len(wanted.findall(chapter.text))
    try:
        if found := _obstacle(chapter, wish):
            raise NotReplaced(found, chapter.version)
        content = wanted.sub(lambda _match: wish.by, chapter.text)
        version = _save(chapter, content, wish)
    except NotReplaced as refused:
        return Replaced(chapter, count, refused.code, refused.version)
    return Replaced(chapter, count, "replaced", version, undo=chapter.version)


def _save(chapter: Shown, content: str, wish: Wish) -> int:
    """Make the new version; returns its number. Raises NotReplaced."""
    if content == chapter.text:
        raise NotReplaced("same", chapter.version)
    if not content.strip():
        raise NotReplaced("empty", chapter.version)
    if len(content) > settings.ARBORIS_MAX_CHAPTER_CHARS:
        raise NotReplaced("too_long", chapter.version)
    text = novels.ChapterText.of(content)
    name = _("“%(old)s” replaced by “%(new)s”") % {"old": wish.query, "new": wish.by}

    def work() -> int:
        locked = novels.lock_chapter(chapter.id)
        if copy_of(locked) is not None:
            raise NotReplaced("unsaved", locked.version)
        # Between our look and the lock anybody may have saved.
        options = AnalysisOptions(together=True)
        saved = chapters.change(chapter.id, text, None, options, chapter.version)
        made = ChapterVersion.objects.filter(chapter=chapter.id, number=saved.chapter.version)
        made.update(name=name[:LONGEST_NAME])
        return saved.chapter.version

    try:
        return in_transaction(work)
    except OutdatedChange as error:
        raise NotReplaced("changed", error.current.version) from error
    except Chapter.DoesNotExist:
        raise NotReplaced("deleted", chapter.version) from None
