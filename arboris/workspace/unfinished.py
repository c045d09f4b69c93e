"""A chapter that a model is writing: kept as a draft while it grows, and finished like any other.

Not safe for several threads at a time: whoever drives it waits for each call.
"""

from __future__ import annotations

from dataclasses import replace

from django.db.models import F
from django.utils.translation import gettext as _

from arboris.db import in_transaction
from arboris.novels import services as novels
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from arboris.workspace.chapters import NewChapter, Saved, Wish, enqueue, wake


class Unfinished:
    """``new`` says title and number that are wished for; its draft is replaced by each text.

    The chapter gets its number when its first text is kept. A number that somebody else has taken
    by then does not cost the text: it gets the next free one, and ``moved`` says so. Where the
    writer has changed the draft in the meantime, what was written goes on as a new chapter.
    """

    def __init__(self, project: NovelProject, new: NewChapter) -> None:
        self._project_id = project.pk
        self._new = new
        self._version_id: int | None = None
        self.moved = ""

    def keep(self, text: str) -> Saved:
        """Save what there is as the chapter's draft; it is not analysed."""
        draft = novels.Draft.of(text, ChapterVersion.Source.DRAFT)
        return self._save(draft, None)

    def finish(self, draft: novels.Draft, wish: Wish) -> Saved:
        """Save the whole text, and queue its analysis."""
        return self._save(draft, wish)

    def _save(self, draft: novels.Draft, wish: Wish | None) -> Saved:
        saved, version_id, moved = in_transaction(lambda: self._put(draft, wish))
        # Only what was committed is ours.
        self._version_id, self.moved = version_id, moved or self.moved
        return saved

    def _put(self, draft: novels.Draft, wish: Wish | None) -> tuple[Saved, int, str]:
        project = novels.lock_project(self._project_id)
        version, moved = self._ours(), ""
        if version is None:
            chapter, version, moved = self._begin(project, draft)
        else:
            chapter = version.chapter
            chapter.project = project
            novels.write_on(version, draft)
        if wish is None:
            return Saved.draft(chapter, draft.content), version.pk, moved
        saved = enqueue(chapter, version, wish)
        wake([saved])
        return saved, version.pk, moved

    def _ours(self) -> ChapterVersion | None:
        """The draft as this left it: still the chapter's text, and nobody's but ours."""
        if self._version_id is None:
            return None
        return (
            ChapterVersion.objects.select_related("chapter")
            .filter(
                pk=self._version_id,
                source=ChapterVersion.Source.DRAFT,
                chapter__version=F("number"),
            )
            .first()
        )

    def _begin(
        self, project: NovelProject, draft: novels.Draft
    ) -> tuple[Chapter, ChapterVersion, str]:
        new = replace(self._new, draft=draft)
        number = new.number if self._version_id is None else None
        try:
            chapter, version = novels.add_chapter(project, draft, title=new.title, number=number)
        except novels.ChapterExists as taken:
            chapter, version = novels.add_chapter(project, draft, title=new.title)
            moved = _("%(taken)s The text was saved as chapter %(number)d.") % {
                "taken": taken,
                "number": chapter.chapter_number,
            }
            return chapter, version, moved
        return chapter, version, ""
